// The target of an HTTP request: cut at its slashes and compared with whose box it is; and the
// address of a webhook.

#include "api/http_url.h"
#include "api/target.h"
#include "fuzz/fuzz_support.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace posthorn;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const api::PathParts parts(text);
  fuzz::require(parts.size() <= api::PathParts::kMost, "a bounded number of parts");
  for (std::size_t i = 0; i < parts.size(); ++i) {
    fuzz::require(!parts[i].empty() && parts[i].find('/') == std::string_view::npos,
                  "parts are what stands between slashes");
    fuzz::require(parts[i].data() >= text.data() &&
                      parts[i].data() + parts[i].size() <= text.data() + text.size(),
                  "parts lie in the path");
  }
  fuzz::require(parts[parts.size()].empty(), "nothing stands beyond the end");
  const bool ours = api::check_instance(parts[0], 7100000001) == api::InstancePart::ours;
  fuzz::require(!ours || parts[0].find("7100000001") != std::string_view::npos, "ours is ours");
  if (api::is_http_url(text)) {
    for (const char c : text) fuzz::require(c > ' ' && c < 0x7F, "an address without blanks");
  }
  return 0;
}
