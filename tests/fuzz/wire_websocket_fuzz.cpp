#include "fuzz/fuzz_support.h"
#include "posthorn/wire/websocket.h"
#include "support/fakes.h"

using namespace posthorn;
using wire::WebSocket;

namespace {

constexpr wire::WebSocketLimits kLimits{.max_message_bytes = 4096, .max_http_bytes = 1024};

void feed_in_pieces(WebSocket& socket, ByteView bytes, std::size_t piece) {
  while (!bytes.empty()) {
    const std::size_t size = std::min(piece, bytes.size());
    const auto fed = socket.feed(bytes.first(size));
    bytes = bytes.subspan(size);
    while (const auto message = socket.next()) {
      fuzz::require(message->size() <= kLimits.max_message_bytes, "messages keep to the limit");
    }
    if (!fed) {
      fuzz::require(socket.state() == WebSocket::State::closed, "an error ends it");
      return;
    }
  }
}

}  // namespace

/// Input: which side and whether the upgrade is done, size of the pieces, then what that side gets.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::uint8_t choice = input.byte();
  const bool test_client = (choice & 1) != 0;
  const bool upgraded = (choice & 2) != 0;
  const std::size_t piece = 1 + input.byte();

  test::SeededRandom random;
  const auto client = WebSocket::client({}, random, kLimits);
  const auto server = WebSocket::server("/ws/chat", random, kLimits);
  if (upgraded) {
    fuzz::require(server->feed(client->take_output()).has_value(), "our request is right");
    fuzz::require(client->feed(server->take_output()).has_value(), "our answer is right");
  }
  WebSocket& target = test_client ? *client : *server;
  feed_in_pieces(target, input.rest(), piece);
  target.send(as_bytes("still alive"));
  target.close();
  static_cast<void>(target.take_output());
  return 0;
}
