#include <algorithm>
#include <deque>

#include "posthorn/wire/channel.h"
#include "posthorn/wire/frames.h"
#include "wire/sealed_frames.h"

namespace posthorn::wire {

namespace {

constexpr std::uint16_t kCloseRefused = 1011;
constexpr std::array<std::byte, 4> kRoutingMark{std::byte{'E'}, std::byte{'D'}, std::byte{0},
                                                std::byte{1}};
constexpr std::size_t kRoutingHeadBytes = kRoutingMark.size() + 3;
constexpr std::size_t kMaxRoutingBytes = std::size_t{64} << 10;
constexpr std::uint8_t kOldestTokenVersion = 2;

bool starts_with(ByteView bytes, ByteView prefix) {
  return bytes.size() >= prefix.size() && std::ranges::equal(bytes.first(prefix.size()), prefix);
}

/// What stands before the first frame.
struct Intro {
  Bytes routing_info;
  std::array<std::byte, 4> prologue{};
  std::size_t bytes = 0;
};

/// nullopt: not all there yet. Errors: malformed.
Result<std::optional<Intro>> decode_intro(ByteView received) {
  Intro intro;
  ByteView rest = received;
  if (starts_with(rest, kRoutingMark)) {
    if (rest.size() < kRoutingHeadBytes) return std::optional<Intro>();
    const auto digit = [rest](std::size_t i) { return std::to_integer<std::size_t>(rest[i]); };
    const std::size_t length = digit(4) << 16 | digit(5) << 8 | digit(6);
    if (length > kMaxRoutingBytes) return fail(Errc::malformed, "routing prefix too long");
    if (rest.size() < kRoutingHeadBytes + length) return std::optional<Intro>();
    intro.routing_info = to_bytes(rest.subspan(kRoutingHeadBytes, length));
    rest = rest.subspan(kRoutingHeadBytes + length);
  }
  if (rest.size() < intro.prologue.size()) return std::optional<Intro>();
  std::copy_n(rest.begin(), intro.prologue.size(), intro.prologue.begin());
  const auto version = std::to_integer<std::uint8_t>(intro.prologue[3]);
  if (!std::equal(intro.prologue.begin(), intro.prologue.begin() + 3, kConnectionHeader.begin()) ||
      version < kOldestTokenVersion || version > kTokenVersion) {
    return fail(Errc::malformed, "not a WhatsApp connection header");
  }
  intro.bytes = received.size() - rest.size() + intro.prologue.size();
  return std::optional<Intro>(std::move(intro));
}

}  // namespace

class ServerChannel::Impl {
 public:
  Impl(ServerChannelOptions options, Random& random)
      : socket_(WebSocket::server(options.path, random)),
        handshake_(std::move(options.identity), random) {}

  Result<void> feed(ByteView received) {
    if (phase_ == Phase::dead) return fail(Errc::disconnected, "channel is closed");
    Result<void> done = take(received);
    if (!done) {
      phase_ = Phase::dead;
      if (done.error().code != Errc::disconnected) socket_->close(kCloseRefused);
    }
    return done;
  }

  std::optional<Result<Node>> next() {
    if (inbox_.empty()) return std::nullopt;
    std::optional<Result<Node>> node(std::move(inbox_.front()));
    inbox_.pop_front();
    return node;
  }

  Result<void> send(const Node& node, Compression compression) {
    if (phase_ != Phase::open) return fail(Errc::disconnected, "channel is not open");
    TRY(const ByteView frame, frames_->seal(node, compression));
    emit(frame);
    return {};
  }

  Result<void> send_plaintext(ByteView plaintext) {
    if (phase_ != Phase::open) return fail(Errc::disconnected, "channel is not open");
    TRY(const ByteView frame, frames_->seal(plaintext));
    emit(frame);
    return {};
  }

  void set_framing(Framing framing) {
    flush_merged();
    framing_ = framing;
  }

  void close(std::uint16_t code) {
    flush_merged();
    socket_->close(code);
    if (phase_ != Phase::dead) phase_ = Phase::closing;
  }

  Bytes take_output() {
    flush_merged();
    return socket_->take_output();
  }

  [[nodiscard]] bool handshake_done() const { return frames_.has_value(); }
  [[nodiscard]] bool closed() const { return phase_ == Phase::dead; }
  [[nodiscard]] const ServerHandshake& handshake() const { return handshake_; }
  [[nodiscard]] ByteView routing_info() const { return routing_info_; }

 private:
  enum class Phase : std::uint8_t { intro, hello, finish, open, closing, dead };

  Result<void> take(ByteView received) {
    const Result<void> fed = socket_->feed(received);
    while (auto message = socket_->next()) {
      if (phase_ == Phase::intro) {
        TRY(take_intro(*message));
      } else {
        decoder_.feed(*message);
      }
      if (phase_ != Phase::intro) TRY(take_frames());
    }
    return fed;
  }

  Result<void> take_intro(ByteView message) {
    append(first_bytes_, message);
    TRY(auto intro, decode_intro(first_bytes_));
    if (!intro) return {};
    routing_info_ = std::move(intro->routing_info);
    prologue_ = intro->prologue;
    decoder_.feed(ByteView(first_bytes_).subspan(intro->bytes));
    first_bytes_ = Bytes();
    phase_ = Phase::hello;
    return {};
  }

  Result<void> take_frames() {
    while (true) {
      TRY(const auto frame, decoder_.next());
      if (!frame) return {};
      TRY(take_frame(*frame));
    }
  }

  Result<void> take_frame(std::span<std::byte> frame) {
    if (frames_) {
      TRY(const ByteView plaintext, frames_->open(frame));
      inbox_.push_back(decode_frame(plaintext));
      return {};
    }
    if (phase_ == Phase::hello) {
      TRY(const Bytes answer, handshake_.on_client_hello(prologue_, frame));
      Bytes out;
      TRY(append_frame(out, answer));
      emit(out);
      phase_ = Phase::finish;
    } else {
      TRY(handshake_.on_client_finish(frame));
    }
    if (handshake_.finished()) {
      frames_.emplace(handshake_.keys().server_to_client, handshake_.keys().client_to_server);
      phase_ = Phase::open;
    }
    return {};
  }

  void emit(ByteView frame) {
    switch (framing_) {
      case Framing::one_per_message:
        socket_->send(frame);
        break;
      case Framing::merged:
        append(merged_, frame);
        break;
      case Framing::split: {
        const std::size_t cut = 1 + splits_++ % (frame.size() - 1);  // moves through the header too
        socket_->send(frame.first(cut));
        socket_->send(frame.subspan(cut));
        break;
      }
      case Framing::fragmented:
        socket_->send_fragmented(frame, frame.size() / 3);
        break;
    }
  }

  void flush_merged() {
    if (!merged_.empty()) socket_->send(std::exchange(merged_, {}));
  }

  Phase phase_ = Phase::intro;
  Framing framing_ = Framing::one_per_message;
  std::unique_ptr<WebSocket> socket_;
  ServerHandshake handshake_;
  Bytes first_bytes_;
  Bytes routing_info_;
  std::array<std::byte, 4> prologue_{};
  FrameDecoder decoder_;
  std::optional<SealedFrames> frames_;
  Bytes merged_;
  std::size_t splits_ = 0;
  std::deque<Result<Node>> inbox_;
};

ServerChannel::ServerChannel(ServerChannelOptions options, Random& random)
    : impl_(std::make_unique<Impl>(std::move(options), random)) {}
ServerChannel::~ServerChannel() = default;

Result<void> ServerChannel::feed(ByteView received) { return impl_->feed(received); }
std::optional<Result<Node>> ServerChannel::next() { return impl_->next(); }
Result<void> ServerChannel::send(const Node& node, Compression compression) {
  return impl_->send(node, compression);
}
Result<void> ServerChannel::send_plaintext(ByteView plaintext) {
  return impl_->send_plaintext(plaintext);
}
void ServerChannel::set_framing(Framing framing) { impl_->set_framing(framing); }
void ServerChannel::close(std::uint16_t code) { impl_->close(code); }
Bytes ServerChannel::take_output() { return impl_->take_output(); }
bool ServerChannel::handshake_done() const { return impl_->handshake_done(); }
bool ServerChannel::closed() const { return impl_->closed(); }
ByteView ServerChannel::client_payload() const { return impl_->handshake().client_payload(); }
const Key32& ServerChannel::client_key() const { return impl_->handshake().client_key(); }
bool ServerChannel::resumed() const { return impl_->handshake().resumed(); }
ByteView ServerChannel::routing_info() const { return impl_->routing_info(); }

}  // namespace posthorn::wire
