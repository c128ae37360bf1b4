#include "posthorn/pictures/thumbnail.h"

#include <cstdio>
#include <cstdlib>

#include <gtest/gtest.h>
#include <jpeglib.h>
#include <png.h>
#include <sys/resource.h>
#include <webp/decode.h>
#include <webp/encode.h>
#include <zlib.h>

#include <fstream>
#include <vector>

#include "support/folder.h"

namespace posthorn::pictures {
namespace {

using Pixels = std::vector<std::uint8_t>;

/// Left half red, right half blue.
Pixels halves(std::size_t width, std::size_t height) {
  Pixels rgb(width * height * 3);
  for (std::size_t i = 0; i < width * height; ++i)
    rgb[3 * i + (i % width < width / 2 ? 0 : 2)] = 250;
  return rgb;
}

std::string jpeg_of(std::size_t width, std::size_t height, bool progressive) {
  const Pixels rgb = halves(width, height);
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &out, &size);
  jpeg.image_width = static_cast<JDIMENSION>(width);
  jpeg.image_height = static_cast<JDIMENSION>(height);
  jpeg.input_components = 3;
  jpeg.in_color_space = JCS_RGB;
  jpeg_set_defaults(&jpeg);
  if (progressive) jpeg_simple_progression(&jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  for (std::size_t y = 0; y < height; ++y) {
    JSAMPROW row = const_cast<std::uint8_t*>(rgb.data()) + 3 * width * y;
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  std::string bytes(reinterpret_cast<char*>(out), size);
  std::free(out);
  return bytes;
}

std::string png_of(std::size_t width, std::size_t height) {
  const Pixels rgb = halves(width, height);
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = 0;
  png_image_write_to_memory(&image, nullptr, &size, 0, rgb.data(), 0, nullptr);
  std::string bytes(size, '\0');
  png_image_write_to_memory(&image, bytes.data(), &size, 0, rgb.data(), 0, nullptr);
  bytes.resize(size);
  return bytes;
}

std::string webp_of(std::size_t width, std::size_t height, bool lossless) {
  const Pixels rgb = halves(width, height);
  std::uint8_t* out = nullptr;
  const int w = static_cast<int>(width);
  const int h = static_cast<int>(height);
  const std::size_t size = lossless ? WebPEncodeLosslessRGB(rgb.data(), w, h, 3 * w, &out)
                                    : WebPEncodeRGB(rgb.data(), w, h, 3 * w, 75, &out);
  std::string bytes(reinterpret_cast<char*>(out), size);
  WebPFree(out);
  return bytes;
}

class Thumbnails : public testing::Test {
 protected:
  Result<Thumbnail> made_of(const std::string& bytes) {
    const std::string path = folder.at("picture");
    std::ofstream(path, std::ios::binary) << bytes;
    return make_thumbnail(path);
  }

  posthorn::test::Folder folder;
};

/// Decodes what was made and looks at the middle of both halves.
void expect_halves(const Thumbnail& made, std::uint32_t width, std::uint32_t height) {
  EXPECT_LT(made.jpeg.size(), 10'000U);
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&jpeg);
  jpeg_mem_src(&jpeg, reinterpret_cast<const unsigned char*>(made.jpeg.data()), made.jpeg.size());
  jpeg_read_header(&jpeg, TRUE);
  EXPECT_EQ(jpeg.image_width, width);
  EXPECT_EQ(jpeg.image_height, height);
  jpeg.out_color_space = JCS_RGB;
  jpeg_start_decompress(&jpeg);
  Pixels row(3 * width);
  JSAMPROW line = row.data();
  jpeg_read_scanlines(&jpeg, &line, 1);
  EXPECT_GT(row[3 * (width / 4)], 200) << "red on the left";
  EXPECT_GT(row[3 * (3 * width / 4) + 2], 200) << "blue on the right";
  jpeg_destroy_decompress(&jpeg);
}

TEST_F(Thumbnails, EachFormatIsMadeSmall) {
  for (const std::string& bytes :
       {jpeg_of(1600, 800, false), jpeg_of(1600, 800, true), png_of(1600, 800),
        webp_of(1600, 800, false), webp_of(1600, 800, true)}) {
    const auto made = made_of(bytes);
    ASSERT_TRUE(made) << made.error().detail;
    EXPECT_EQ(made->width, 1600U);
    EXPECT_EQ(made->height, 800U);
    expect_halves(*made, 100, 50);
  }
}

TEST_F(Thumbnails, ASmallPictureStaysAsItIs) {
  const auto made = made_of(png_of(40, 90));
  ASSERT_TRUE(made);
  expect_halves(*made, 40, 90);
  EXPECT_TRUE(made_of(png_of(1, 1)));
  EXPECT_TRUE(made_of(jpeg_of(3, 5'000, false))) << "a line";
}

TEST_F(Thumbnails, WhatWouldTakeTooMuchMemoryIsRefused) {
  // A head that promises more than is there: refused before a row is read.
  std::string bomb = jpeg_of(16, 16, true);
  const std::size_t frame = bomb.find("\xFF\xC2");
  ASSERT_NE(frame, std::string::npos);
  bomb.replace(frame + 5, 4, "\x75\x30\x75\x30");  // 30,000 by 30,000
  EXPECT_EQ(made_of(bomb).error().code, Errc::unsupported);
  EXPECT_EQ(made_of(webp_of(2'100, 2'100, true)).error().code, Errc::unsupported);
}

/// The last scan comes `times` more; each walks all of the picture.
std::string with_scans(const std::string& jpeg, std::size_t times) {
  const std::size_t scan = jpeg.rfind("\xFF\xDA");
  const std::size_t end = jpeg.rfind("\xFF\xD9");
  std::string out = jpeg.substr(0, end);
  for (std::size_t i = 0; i < times; ++i) out += jpeg.substr(scan, end - scan);
  return out + jpeg.substr(end);
}

TEST_F(Thumbnails, WhatWouldTakeTooLongIsRefused) {
  const std::string photo = jpeg_of(640, 480, true);
  EXPECT_TRUE(made_of(with_scans(photo, 20)));
  EXPECT_EQ(made_of(with_scans(photo, 2'000)).error().code, Errc::unsupported);
  // Fewer scans of a larger picture cost the same.
  EXPECT_EQ(made_of(with_scans(jpeg_of(3'200, 1'600, true), 45)).error().code, Errc::unsupported);
  // Heads alone: a height that costs nothing to write and much to read.
  std::string large = jpeg_of(16, 16, false);
  large.replace(large.find("\xFF\xC0") + 5, 4, "\x75\x30\x75\x30");  // 30,000 by 30,000
  EXPECT_EQ(made_of(large).error().code, Errc::unsupported);
}

TEST_F(Thumbnails, ALargePngIsRefusedBeforeItsRows) {
  const std::string small = png_of(16, 16);
  std::string head("IHDR\0\0\x75\x30\0\0\x75\x30\x08\x02\0\0\0", 17);  // 30,000 by 30,000
  std::string large = small.substr(0, 12) + head;
  const auto* bytes = reinterpret_cast<const Bytef*>(head.data());
  const auto sum = static_cast<std::uint32_t>(crc32(0, bytes, static_cast<uInt>(head.size())));
  for (int shift = 24; shift >= 0; shift -= 8) large += static_cast<char>(sum >> shift);
  EXPECT_EQ(made_of(large + small.substr(33)).error().code, Errc::unsupported);
}

/// A text in a PNG is told packed and kept whole: 4 MiB of it come of 4 KB.
TEST_F(Thumbnails, WhatAPngSaysBesidesItsPictureIsNotKept) {
  const std::string one_text(4'000'000, 'x');
  uLongf size = compressBound(one_text.size());
  std::string packed(size, '\0');
  compress(reinterpret_cast<Bytef*>(packed.data()), &size,
           reinterpret_cast<const Bytef*>(one_text.data()), one_text.size());
  packed.resize(size);
  std::string chunk = "zTXt" + std::string("t\0\0", 3) + packed;
  const auto be32 = [](std::uint64_t n) {
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(n >> shift);
    return out;
  };
  const auto sum =
      crc32(0, reinterpret_cast<const Bytef*>(chunk.data()), static_cast<uInt>(chunk.size()));
  chunk = be32(chunk.size() - 4) + chunk + be32(sum);
  std::string png = png_of(200, 100);
  for (int i = 0; i < 60; ++i) png.insert(33, chunk);
  const auto resident = [] {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return used.ru_maxrss;  // KiB
  };
  const long before = resident();
  EXPECT_TRUE(made_of(png));
  EXPECT_LT(resident() - before, 64 << 10);
}

TEST_F(Thumbnails, DamageIsAnErrorAtEveryByte) {
  for (const std::string& whole :
       {jpeg_of(64, 64, false), png_of(64, 64), webp_of(64, 64, false)}) {
    for (std::size_t cut = 0; cut < whole.size(); cut += 1 + whole.size() / 50) {
      (void)made_of(whole.substr(0, cut));
      std::string wrong = whole;
      wrong[cut] = static_cast<char>(wrong[cut] ^ 0x55);
      (void)made_of(wrong);
    }
  }
  EXPECT_EQ(made_of("%PDF-1.7").error().code, Errc::unsupported);
  EXPECT_EQ(made_of("").error().code, Errc::unsupported);
  EXPECT_EQ(make_thumbnail(folder.at("none")).error().code, Errc::io);
}

}  // namespace
}  // namespace posthorn::pictures
