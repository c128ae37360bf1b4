#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "posthorn/base/worker.h"

namespace posthorn::api {

/// One file of the page in the browser, as the build made it.
struct PageFile {
  std::string_view path;  ///< as in the URL: "/assets/app-1f0c.js", "/index.html"
  std::string_view content_type;
  std::string_view tag;  ///< of its content, without quotes: the ETag
  std::span<const std::uint8_t> gzip;
};

/// What the page in the browser needs beside the Api's own.
struct Page {
  Worker& worker;                   ///< hashes passwords
  std::span<const PageFile> files;  ///< stay; none: only /plain
  /// Of PBKDF2, half a second on a small board; less is for tests.
  std::uint32_t password_rounds = 210'000;
};

}  // namespace posthorn::api
