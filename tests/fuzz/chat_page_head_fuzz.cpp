#include <algorithm>

#include "chat/files/page_head.h"
#include "fuzz/fuzz_support.h"
#include "posthorn/base/links.h"

using namespace posthorn;

/// Input: the beginning of a web page, which anybody may write.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view page = as_text(fuzz::Input(data, size).rest());
  const chat::PageHead head = chat::read_page_head(page);
  fuzz::require(head.title.size() <= 300 && head.description.size() <= 600,
                "what is shown is short");
  const auto control = [](const std::string& text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  };
  fuzz::require(!control(head.title) && !control(head.description), "what is shown is one line");
  const std::string picture = chat::join_url("https://shop.example/a/b?c#d", head.picture);
  fuzz::require(picture.empty() || picture.find("://") < 6, "a picture lies at an address");
  const std::string_view link = find_link(page);
  fuzz::require(link.size() <= 2048, "a link is short");
  return 0;
}
