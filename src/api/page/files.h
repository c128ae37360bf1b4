#pragma once

#include <optional>
#include <span>

#include "posthorn/api/http.h"
#include "posthorn/api/page.h"

namespace posthorn::api {

/// Headers of everything that a browser shows of ours: nothing from elsewhere, in nobody's frame.
void add_page_headers(Response& response);

/// The files of the page; each of its views is /index.html under an address of its own.
class PageFiles {
 public:
  explicit PageFiles(std::span<const PageFile> files) : files_(files) {}

  [[nodiscard]] bool empty() const { return files_.empty(); }
  /// Null: no file of the page has this address.
  [[nodiscard]] const PageFile* find(std::string_view path) const;
  /// Always gzipped: every browser reads that. Hashed names are kept for ever, the rest is asked
  /// for each time (304 by ETag).
  [[nodiscard]] static Response answer(const PageFile& file, const Request& request);

 private:
  std::span<const PageFile> files_;
};

}  // namespace posthorn::api
