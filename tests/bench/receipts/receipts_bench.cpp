// What a receipt of 500 lines costs, from the till's bytes to a PNG: CPU time, memory while it is
// made and after. Baseline: libpng writing the same picture, and a plain pass over the same bytes.
#include <png.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <new>
#include <string>
#include <vector>

#include "receipts/picture.h"
#include "receipts/render.h"
#include "receipts/tap.h"

namespace {

std::size_t used = 0, most = 0;

struct Header {
  std::size_t size;
  std::size_t padding;
};

}  // namespace

void* operator new(std::size_t size) {
  auto* header = static_cast<Header*>(std::malloc(size + sizeof(Header)));
  if (header == nullptr) std::abort();
  header->size = size;
  used += size;
  most = std::max(most, used);
  return header + 1;
}
void operator delete(void* memory) noexcept {
  if (memory == nullptr) return;
  Header* header = static_cast<Header*>(memory) - 1;
  used -= header->size;
  std::free(header);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

namespace {

using namespace posthorn;
using namespace posthorn::receipts;

/// Of this process, so that what else runs on the machine counts little.
double cpu_ms() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

std::string long_receipt(int lines) {
  std::string out = "\x1b@\x1b\x61\x01\x1d!\x11Shop\n\x1d!";
  out.push_back('\0');
  out += "\x1b\x61";
  out.push_back('\0');
  for (int i = 0; i < lines; ++i) {
    out += "Article " + std::to_string(i) + " K\x84se \x1b$";
    out.push_back('\x90');
    out.push_back('\x01');
    out += std::to_string(i % 90 + 1) + ",40\n";
  }
  out += "TOTAL 1234,50\n\x1dV";
  out.push_back('\0');
  return out;
}

template <class F>
double median_ms(F f) {
  std::vector<double> all;
  for (int i = 0; i < 21; ++i) {
    const double begin = cpu_ms();
    f();
    all.push_back(cpu_ms() - begin);
  }
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

std::size_t libpng_size(const Bitmap& paper) {
  std::vector<png_bytep> rows;
  std::vector<std::vector<png_byte>> data;
  for (std::size_t y = 0; y < paper.height(); ++y) {
    data.emplace_back(paper.row(y).begin(), paper.row(y).end());
  }
  for (auto& row : data) rows.push_back(row.data());
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  std::string out;
  png_set_write_fn(
      png, &out,
      [](png_structp p, png_bytep bytes, png_size_t size) {
        static_cast<std::string*>(png_get_io_ptr(p))->append(reinterpret_cast<char*>(bytes), size);
      },
      [](png_structp) {});
  png_set_IHDR(png, info, static_cast<png_uint_32>(paper.width()),
               static_cast<png_uint_32>(paper.height()), 1, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  png_write_image(png, rows.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  return out.size();
}

}  // namespace

int main() {
  const std::string job = long_receipt(500);
  const std::size_t before = used;
  most = used;
  std::size_t png_size = 0;
  {
    const Rendered rendered = render(as_bytes(job), {});
    png_size = encode_png(rendered.paper)->size();
  }
  const std::size_t peak = most - before, left = used - before;
  const Rendered rendered = render(as_bytes(job), {});
  const double drawing = median_ms([&] { (void)render(as_bytes(job), {}); });
  const double encoding = median_ms([&] { (void)encode_png(rendered.paper); });
  const double baseline = median_ms([&] { (void)libpng_size(rendered.paper); });
  const double tapping = median_ms([&] {
    Tap tap({});
    Bytes out;
    tap.feed(as_bytes(job), out);
  });
  std::printf("receipt of 500 lines: %zu bytes of job, %zu x %zu dots, %zu bytes of PNG\n",
              job.size(), rendered.paper.width(), rendered.paper.height(), png_size);
  std::printf(
      "  drawing        %7.2f ms\n  PNG            %7.2f ms   libpng alone: %.2f ms, %zu bytes\n",
      drawing, encoding, baseline, libpng_size(rendered.paper));
  std::printf("  both           %7.2f ms   bar: 30 ms here\n", drawing + encoding);
  std::printf("  memory         %7.2f MiB beside zlib's 0.2; %zu bytes left after   bar: 4 MiB\n",
              static_cast<double>(peak) / (1 << 20), left);
  std::printf("  the tap        %7.2f ms for all of it\n", tapping);
  return drawing + encoding <= 30 && peak <= (std::size_t{4} << 20) && left == 0 ? 0 : 1;
}
