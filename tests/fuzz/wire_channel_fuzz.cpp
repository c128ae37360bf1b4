#include "fuzz/fuzz_support.h"
#include "posthorn/wire/channel.h"
#include "support/fakes.h"

using namespace posthorn;
using namespace posthorn::wire;

/// Input: size of the pieces, then stanza plaintexts (a length byte before each) that a real server
/// end seals and a real client end opens: what follows a good handshake.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t piece = 1 + input.byte();
  static test::SeededRandom random;
  static const KeyPair kKeys = make_key_pair(random);
  // The simulator's side of the handshake costs most of the time, so resumption is used: no chain.
  ClientIdentity identity{kKeys, {}, kWhatsAppRootKey, kKeys.public_key, {}};
  ClientChannel client({{}, std::move(identity), {}}, random);
  ServerChannel server({"/ws/chat", {kKeys, {}, true}}, random);
  const auto framing = static_cast<ServerChannel::Framing>(input.byte() % 4);
  server.set_framing(framing);
  for (int i = 0; i < 2; ++i) {
    fuzz::require(server.feed(client.take_output()).has_value(), "the server follows");
    fuzz::require(client.feed(server.take_output(), {}).has_value(), "the client follows");
  }
  fuzz::require(client.handshake_done() && server.handshake_done(), "the handshake is done");

  std::size_t sent = 0;
  for (; !input.empty(); ++sent) {
    const std::size_t length = input.byte();
    fuzz::require(server.send_plaintext(input.take(length)).has_value(), "anything is sealed");
  }
  const Bytes bytes = server.take_output();
  std::size_t heard = 0;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const auto part = ByteView(bytes).subspan(at, std::min(piece, bytes.size() - at));
    fuzz::require(client.feed(part, {}).has_value(), "no plaintext breaks the channel");
    while (client.next()) ++heard;
  }
  fuzz::require(heard == sent, "every stanza is heard once");
  return 0;
}
