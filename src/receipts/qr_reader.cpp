#include "receipts/qr_reader.h"

#include <dlfcn.h>

#include <cstdint>
#include <memory>

namespace posthorn::receipts {

namespace {

// Of libzbar's public header, version 0.10 and later.
constexpr unsigned long kGrey = 0x30303859;  // "Y800"
constexpr int kAllKinds = 0, kQrCode = 64, kEnable = 0;
constexpr std::size_t kMostCodes = 8;
constexpr std::size_t kLongestCode = 4096;

/// libzbar's functions; its types are opaque.
struct Library {
  void* (*scanner_create)() = nullptr;
  void (*scanner_destroy)(void*) = nullptr;
  int (*scanner_set)(void*, int kind, int config, int value) = nullptr;
  void* (*image_create)() = nullptr;
  void (*image_destroy)(void*) = nullptr;
  void (*image_set_format)(void*, unsigned long) = nullptr;
  void (*image_set_size)(void*, unsigned, unsigned) = nullptr;
  void (*image_set_data)(void*, const void*, unsigned long, void (*)(void*)) = nullptr;
  int (*scan)(void* scanner, void* image) = nullptr;
  const void* (*first)(const void* image) = nullptr;
  const void* (*next)(const void*) = nullptr;
  int (*kind)(const void*) = nullptr;
  const char* (*data)(const void*) = nullptr;
  unsigned (*data_size)(const void*) = nullptr;
  bool whole = false;
};

Library open_library() {
  Library out;
  void* const handle = dlopen("libzbar.so.0", RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return out;
  out.whole = true;
  const auto find = [&](auto& place, const char* name) {
    void* const symbol = dlsym(handle, name);
    place = reinterpret_cast<std::remove_reference_t<decltype(place)>>(symbol);
    out.whole = out.whole && symbol != nullptr;
  };
  find(out.scanner_create, "zbar_image_scanner_create");
  find(out.scanner_destroy, "zbar_image_scanner_destroy");
  find(out.scanner_set, "zbar_image_scanner_set_config");
  find(out.image_create, "zbar_image_create");
  find(out.image_destroy, "zbar_image_destroy");
  find(out.image_set_format, "zbar_image_set_format");
  find(out.image_set_size, "zbar_image_set_size");
  find(out.image_set_data, "zbar_image_set_data");
  find(out.scan, "zbar_scan_image");
  find(out.first, "zbar_image_first_symbol");
  find(out.next, "zbar_symbol_next");
  find(out.kind, "zbar_symbol_get_type");
  find(out.data, "zbar_symbol_get_data");
  find(out.data_size, "zbar_symbol_get_data_length");
  return out;
}

const Library& library() {
  static const Library found = open_library();
  return found;
}

}  // namespace

bool can_read_qr() { return library().whole; }

std::vector<std::string> read_qr(const Bitmap& paper) {
  const Library& zbar = library();
  std::vector<std::string> out;
  if (!zbar.whole || paper.height() == 0 || paper.height() > kTallestRead) return out;
  std::vector<std::uint8_t> grey(paper.width() * paper.height());
  for (std::size_t y = 0; y < paper.height(); ++y) {
    for (std::size_t x = 0; x < paper.width(); ++x) {
      grey[y * paper.width() + x] = paper.at(x, y) ? 0 : 255;
    }
  }
  const std::unique_ptr<void, void (*)(void*)> scanner(zbar.scanner_create(), zbar.scanner_destroy);
  const std::unique_ptr<void, void (*)(void*)> image(zbar.image_create(), zbar.image_destroy);
  if (!scanner || !image) return out;
  zbar.scanner_set(scanner.get(), kAllKinds, kEnable, 0);
  zbar.scanner_set(scanner.get(), kQrCode, kEnable, 1);
  zbar.image_set_format(image.get(), kGrey);
  zbar.image_set_size(image.get(), static_cast<unsigned>(paper.width()),
                      static_cast<unsigned>(paper.height()));
  zbar.image_set_data(image.get(), grey.data(), grey.size(), nullptr);
  if (zbar.scan(scanner.get(), image.get()) <= 0) return out;
  for (const void* one = zbar.first(image.get()); one != nullptr && out.size() < kMostCodes;
       one = zbar.next(one)) {
    const std::size_t size = zbar.data_size(one);
    if (zbar.kind(one) == kQrCode && size <= kLongestCode) out.emplace_back(zbar.data(one), size);
  }
  return out;
}

}  // namespace posthorn::receipts
