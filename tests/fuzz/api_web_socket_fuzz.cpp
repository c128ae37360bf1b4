#include "api/web_socket.h"
#include "fuzz/fuzz_support.h"

using namespace posthorn;
using api::WebSocketFrames;

namespace {

/// What the server answers to these bytes, and whether the connection stands afterwards.
std::pair<std::string, bool> answer_to(std::string_view bytes, std::size_t piece) {
  WebSocketFrames frames;
  std::string out;
  while (!bytes.empty()) {
    const std::size_t size = std::min(piece, bytes.size());
    if (!frames.feed(bytes.substr(0, size), out)) return {out, false};
    bytes.remove_prefix(size);
  }
  return {out, true};
}

}  // namespace

/// Input: size of the pieces, then what a client of scanqrcode sends.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t piece = 1 + input.byte();
  const std::string bytes = to_string(input.rest());
  fuzz::require(answer_to(bytes, piece) == answer_to(bytes, bytes.size() + 1),
                "pieces do not matter");
  return 0;
}
