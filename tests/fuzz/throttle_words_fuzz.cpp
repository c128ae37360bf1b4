// Texts that the throttle reads: lines of a list of regulars that somebody imports, and the words
// with which customers ask for no more.
//
// Input: the list, or the message.

#include "fuzz/fuzz_support.h"
#include "throttle/chat_key.h"
#include "throttle/opt_out_words.h"
#include "throttle/regulars_csv.h"

using namespace posthorn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text(fuzz::Input(data, size).rest());
  const auto request = throttle::parse_request(text);
  fuzz::require(request.wish == throttle::Wish::stop || request.confirmation.empty(),
                "only a stop is confirmed");
  const throttle::ChatKey key = throttle::parse_chat(text);
  if (key.kind != throttle::ChatKey::Kind::other && key.kind != throttle::ChatKey::Kind::none) {
    fuzz::require(throttle::parse_chat(throttle::build_chat(key)) == key, "a chat reads back");
  }
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const auto line = throttle::parse_regular(text.substr(at, end - at));
    at = end + 1;
    if (!line) {
      fuzz::require(!line.error().detail.empty(), "a refusal says why");
      continue;
    }
    if (!*line) continue;
    fuzz::require((*line)->listed && !(*line)->chat.empty(), "a regular is somebody");
    if ((*line)->wrote) fuzz::require((*line)->wrote->unix_seconds() > 0, "after 1970");
  }
  return 0;
}
