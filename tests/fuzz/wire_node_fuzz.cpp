#include "fuzz/fuzz_support.h"
#include "posthorn/wire/node_codec.h"

using namespace posthorn;

/// Input: the plaintext of one frame, flag byte first.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto node = wire::decode_frame(fuzz::Input(data, size).rest());
  if (!node) {
    fuzz::require(node.error().code == Errc::malformed, "every wrong input is malformed");
    return 0;
  }
  fuzz::require(!wire::to_xml(*node).empty(), "what decodes can be printed");
  const auto first = wire::encode_frame(*node);
  if (!first) return 0;  // forms that only others send, e.g. a JID whose server is text
  const auto again = wire::decode_frame(*first);
  fuzz::require(again.has_value(), "what we encode decodes");
  const auto second = wire::encode_frame(*again);
  fuzz::require(second && *second == *first, "encoding is stable");
  return 0;
}
