#include "fuzz/fuzz_support.h"
#include "posthorn/wire/channel.h"
#include "support/fakes.h"

using namespace posthorn;
using namespace posthorn::wire;

namespace {

/// A real server end and a real client end after a good handshake. One pair serves all inputs, for
/// the handshake costs a thousand times what an input does, and no plaintext may break it.
struct Line {
  test::SeededRandom random;
  KeyPair keys = make_key_pair(random);
  ClientChannel client{{{}, {keys, {}, kWhatsAppRootKey, keys.public_key, {}}, {}}, random};
  ServerChannel server{{"/ws/chat", {keys, {}, true}}, random};

  Line() {
    for (int i = 0; i < 2; ++i) {
      fuzz::require(server.feed(client.take_output()).has_value(), "the server follows");
      fuzz::require(client.feed(server.take_output(), {}).has_value(), "the client follows");
    }
    fuzz::require(client.handshake_done() && server.handshake_done(), "the handshake is done");
  }
};

}  // namespace

/// Input: size of the pieces, framing, then stanza plaintexts (a length byte before each) that the
/// server seals and the client opens.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Line line;
  fuzz::Input input(data, size);
  const std::size_t piece = 1 + input.byte();
  line.server.set_framing(static_cast<ServerChannel::Framing>(input.byte() % 4));
  std::size_t sent = 0;
  for (; !input.empty(); ++sent) {
    const std::size_t length = input.byte();
    fuzz::require(line.server.send_plaintext(input.take(length)).has_value(), "anything is sealed");
  }
  const Bytes bytes = line.server.take_output();
  std::size_t heard = 0;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const auto part = ByteView(bytes).subspan(at, std::min(piece, bytes.size() - at));
    fuzz::require(line.client.feed(part, {}).has_value(), "no plaintext breaks the channel");
    while (line.client.next()) ++heard;
  }
  fuzz::require(heard == sent, "every stanza is heard once");
  return 0;
}
