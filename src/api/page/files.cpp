#include "api/page/files.h"

#include <algorithm>
#include <array>

namespace posthorn::api {

namespace {

constexpr std::array<std::string_view, 15> kViews{
    "/",     "/welcome",  "/link",   "/queue", "/messages", "/settings", "/box", "/network",
    "/send", "/throttle", "/optout", "/cloud", "/fleet",    "/log",      "/help"};
constexpr std::string_view kHashed = "/assets/";

}  // namespace

void add_page_headers(Response& response) {
  response.headers.insert(
      response.headers.end(),
      {{"Content-Security-Policy",
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"},
       {"X-Frame-Options", "DENY"},
       {"X-Content-Type-Options", "nosniff"},
       {"Cross-Origin-Resource-Policy", "same-origin"},
       // Not "no-referrer": with that a browser sends "Origin: null" with our own forms.
       {"Referrer-Policy", "same-origin"}});
}

const PageFile* PageFiles::find(std::string_view path) const {
  const bool view = std::find(kViews.begin(), kViews.end(), path) != kViews.end();
  const std::string_view wanted = view ? "/index.html" : path;
  const auto found = std::find_if(files_.begin(), files_.end(),
                                  [wanted](const PageFile& one) { return one.path == wanted; });
  return found == files_.end() ? nullptr : &*found;
}

Response PageFiles::answer(const PageFile& file, const Request& request) {
  const std::string tag = '"' + std::string(file.tag) + '"';
  Response out{.body = {}, .content_type = std::string(file.content_type), .headers = {}};
  out.headers = {
      {"ETag", tag},
      {"Cache-Control",
       file.path.starts_with(kHashed) ? "public, max-age=31536000, immutable" : "no-cache"}};
  add_page_headers(out);
  if (request.if_none_match.find(tag) != std::string::npos) {
    out.status = 304;
    return out;
  }
  out.headers.emplace_back("Content-Encoding", "gzip");
  out.body.assign(reinterpret_cast<const char*>(file.gzip.data()), file.gzip.size());
  return out;
}

}  // namespace posthorn::api
