#include <deque>

#include "posthorn/wire/channel.h"
#include "posthorn/wire/frames.h"
#include "wire/sealed_frames.h"

namespace posthorn::wire {

class ClientChannel::Impl {
 public:
  Impl(ClientChannelOptions options, Random& random)
      : routing_info_(std::move(options.routing_info)),
        socket_(WebSocket::client(options.request, random)),
        handshake_(std::in_place, std::move(options.identity), random) {}

  Result<void> feed(ByteView received, Wall now) {
    if (phase_ == Phase::dead) return fail(Errc::disconnected, "channel is closed");
    Result<void> done = take(received, now);
    if (!done) phase_ = Phase::dead;
    return done;
  }

  std::optional<Result<Node>> next() {
    if (inbox_.empty()) return std::nullopt;
    std::optional<Result<Node>> node(std::move(inbox_.front()));
    inbox_.pop_front();
    return node;
  }

  Result<void> send(const Node& node) {
    if (phase_ != Phase::open) return fail(Errc::disconnected, "channel is not open");
    TRY(const ByteView frame, frames_->seal(node, Compression::none));
    socket_->send(frame);
    return {};
  }

  void close() {
    socket_->close();
    if (phase_ != Phase::dead) phase_ = Phase::closing;
  }

  Bytes take_output() { return socket_->take_output(); }
  [[nodiscard]] bool handshake_done() const { return frames_.has_value(); }
  [[nodiscard]] const std::optional<ServerCertificate>& certificate() const { return certificate_; }
  [[nodiscard]] bool resumed() const { return resumed_; }

 private:
  enum class Phase : std::uint8_t { upgrading, handshaking, open, closing, dead };

  Result<void> take(ByteView received, Wall now) {
    const Result<void> fed = socket_->feed(received);
    if (phase_ == Phase::upgrading && socket_->state() == WebSocket::State::open) {
      TRY(send_hello());
    }
    // What came before an error still counts: a <failure> stanza and the close after it share a
    // read.
    while (auto message = socket_->next()) {
      decoder_.feed(*message);
      TRY(take_frames(now));
    }
    return fed;
  }

  /// Routing prefix, connection header and ClientHello go in one message, as all clients do it.
  Result<void> send_hello() {
    Bytes out;
    append_routing_prefix(out, routing_info_);
    append(out, kConnectionHeader);
    TRY(const Bytes hello, handshake_->hello());
    TRY(append_frame(out, hello));
    socket_->send(out);
    phase_ = Phase::handshaking;
    return {};
  }

  Result<void> take_frames(Wall now) {
    while (true) {
      TRY(const auto frame, decoder_.next());
      if (!frame) return {};
      if (handshake_done()) {
        TRY(const ByteView plaintext, frames_->open(*frame));
        inbox_.push_back(decode_frame(plaintext));
      } else if (phase_ == Phase::handshaking) {
        TRY(finish_handshake(*frame, now));
      } else {
        return fail(Errc::malformed, "a frame before the handshake");
      }
    }
  }

  Result<void> finish_handshake(ByteView server_hello, Wall now) {
    TRY(const Bytes finish, handshake_->on_server_hello(server_hello, now));
    if (!finish.empty()) {
      Bytes out;
      TRY(append_frame(out, finish));
      socket_->send(out);
    }
    frames_.emplace(handshake_->keys().client_to_server, handshake_->keys().server_to_client);
    certificate_ = handshake_->certificate();
    resumed_ = handshake_->resumed();
    handshake_.reset();
    phase_ = Phase::open;
    return {};
  }

  Phase phase_ = Phase::upgrading;
  Bytes routing_info_;
  std::unique_ptr<WebSocket> socket_;
  FrameDecoder decoder_;
  std::optional<ClientHandshake> handshake_;
  std::optional<SealedFrames> frames_;
  std::optional<ServerCertificate> certificate_;
  bool resumed_ = false;
  std::deque<Result<Node>> inbox_;
};

ClientChannel::ClientChannel(ClientChannelOptions options, Random& random)
    : impl_(std::make_unique<Impl>(std::move(options), random)) {}
ClientChannel::~ClientChannel() = default;

Result<void> ClientChannel::feed(ByteView received, Wall now) { return impl_->feed(received, now); }
std::optional<Result<Node>> ClientChannel::next() { return impl_->next(); }
Result<void> ClientChannel::send(const Node& node) { return impl_->send(node); }
void ClientChannel::close() { impl_->close(); }
Bytes ClientChannel::take_output() { return impl_->take_output(); }
bool ClientChannel::handshake_done() const { return impl_->handshake_done(); }
const std::optional<ServerCertificate>& ClientChannel::certificate() const {
  return impl_->certificate();
}
bool ClientChannel::resumed() const { return impl_->resumed(); }

}  // namespace posthorn::wire
