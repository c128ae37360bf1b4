#include "posthorn/wire/websocket.h"

#include <wslay/wslay.h>

#include <algorithm>
#include <cstring>
#include <deque>

#include "wire/http_upgrade.h"

namespace posthorn::wire {

namespace {

enum class Role : bool { client, server };

constexpr std::size_t kKeyNonceBytes = 16;
constexpr std::size_t kMaxReasonBytes = 122;  // wslay takes less than 123

struct FreeContext {
  void operator()(wslay_event_context* context) const { wslay_event_context_free(context); }
};

const std::uint8_t* raw(ByteView bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

std::string describe_close(std::uint16_t code) {
  return "WebSocket closed by the other side, code " + std::to_string(code);
}

}  // namespace

/// One end. wslay owns the framing; HTTP goes first and is ours.
class WebSocket::Impl {
 public:
  Impl(Role role, Random& random, WebSocketLimits limits)
      : role_(role), random_(random), limits_(limits) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void request_upgrade(const WebSocketRequest& request) {
    key_ = base64_encode(random_.bytes(kKeyNonceBytes));
    append(output_, as_bytes(build_upgrade_request(request, key_)));
  }
  void serve(std::string_view path) { path_ = path; }

  Result<void> feed(ByteView received) {
    if (state_ == State::closed) return fail(Errc::disconnected, "WebSocket is closed");
    if (state_ == State::upgrading) return feed_http(received);
    return feed_frames(received);
  }

  std::optional<Bytes> next() {
    if (messages_.empty()) return std::nullopt;
    Bytes message = std::move(messages_.front());
    messages_.pop_front();
    return message;
  }

  void queue(std::uint8_t opcode, ByteView message) {
    if (state_ != State::open) return;
    const wslay_event_msg arg{opcode, raw(message), message.size()};
    wslay_event_queue_msg(context_.get(), &arg);
    flush();
  }

  void queue_fragmented(ByteView message, std::size_t piece_bytes) {
    if (state_ != State::open) return;
    Pieces pieces{message, std::max<std::size_t>(1, piece_bytes)};
    wslay_event_fragmented_msg arg{};
    arg.opcode = WSLAY_BINARY_FRAME;
    arg.source.data = &pieces;
    arg.read_callback = &Impl::on_wants_piece;
    wslay_event_queue_fragmented_msg(context_.get(), &arg);
    flush();  // reads all of `pieces` before it returns: the send callback takes everything
  }

  void close(std::uint16_t code, std::string_view reason) {
    if (state_ == State::upgrading) state_ = State::closed;
    if (state_ != State::open) return;
    reason = reason.substr(0, kMaxReasonBytes);
    wslay_event_queue_close(context_.get(), code, raw(as_bytes(reason)), reason.size());
    flush();
    state_ = State::closing;
  }

  Bytes take_output() { return std::exchange(output_, {}); }
  [[nodiscard]] State state() const { return state_; }

 private:
  /// A message on its way out in pieces.
  struct Pieces {
    ByteView rest;
    std::size_t piece_bytes;
  };

  Result<void> feed_http(ByteView received) {
    append(head_, received);
    const auto end = find_head_end(as_text(head_));
    if (end.value_or(head_.size()) > limits_.max_http_bytes) {
      return die(Errc::malformed, "WebSocket upgrade: head too long");
    }
    if (!end) return {};
    const std::string_view head = as_text(head_).substr(0, *end);
    if (role_ == Role::client) {
      const Result<void> upgraded = parse_upgrade_response(head, key_);
      if (!upgraded) return die(upgraded.error().code, upgraded.error().detail);
    } else {
      const UpgradeRequest request = parse_upgrade_request(head, path_);
      append(output_, as_bytes(build_upgrade_response(request)));
      if (request.status != 101) {
        return die(Errc::malformed,
                   "WebSocket upgrade: answered " + std::to_string(request.status));
      }
    }
    open();
    const Bytes received_so_far = std::exchange(head_, {});
    const ByteView rest = ByteView(received_so_far).subspan(*end);
    return rest.empty() ? Result<void>() : feed_frames(rest);
  }

  void open() {
    wslay_event_callbacks callbacks{};
    callbacks.recv_callback = &Impl::on_wants_input;
    callbacks.send_callback = &Impl::on_output;
    callbacks.genmask_callback = &Impl::on_wants_mask;
    callbacks.on_msg_recv_callback = &Impl::on_message;
    wslay_event_context_ptr context = nullptr;
    const int status = role_ == Role::client
                           ? wslay_event_context_client_init(&context, &callbacks, this)
                           : wslay_event_context_server_init(&context, &callbacks, this);
    if (status != 0) std::abort();  // only when memory is gone
    context_.reset(context);
    wslay_event_config_set_max_recv_msg_length(context, limits_.max_message_bytes);
    state_ = State::open;
  }

  Result<void> feed_frames(ByteView received) {
    input_ = received;
    const int status = wslay_event_recv(context_.get());
    input_ = {};
    flush();  // pongs, and the answer to a close
    if (wslay_event_get_close_received(context_.get()) != 0) {
      return die(Errc::disconnected,
                 describe_close(wslay_event_get_status_code_received(context_.get())));
    }
    if (text_received_) return die(Errc::malformed, "WebSocket: a text message");
    if (status != 0 || wslay_event_get_read_enabled(context_.get()) == 0) {
      return die(Errc::malformed, "WebSocket: protocol error");
    }
    return {};
  }

  Result<void> die(Errc code, std::string detail) {
    state_ = State::closed;
    return fail(code, std::move(detail));
  }

  void flush() { wslay_event_send(context_.get()); }

  static Impl& self(void* user_data) { return *static_cast<Impl*>(user_data); }

  static ssize_t on_wants_input(wslay_event_context_ptr context, std::uint8_t* out,
                                std::size_t size, int, void* user_data) {
    ByteView& input = self(user_data).input_;
    if (input.empty()) {
      wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
      return -1;
    }
    const std::size_t count = std::min(size, input.size());
    std::memcpy(out, input.data(), count);
    input = input.subspan(count);
    return static_cast<ssize_t>(count);
  }

  static ssize_t on_output(wslay_event_context_ptr, const std::uint8_t* data, std::size_t size, int,
                           void* user_data) {
    append(self(user_data).output_, ByteView(reinterpret_cast<const std::byte*>(data), size));
    return static_cast<ssize_t>(size);
  }

  static int on_wants_mask(wslay_event_context_ptr, std::uint8_t* out, std::size_t size,
                           void* user_data) {
    self(user_data).random_.fill(std::span(reinterpret_cast<std::byte*>(out), size));
    return 0;
  }

  static void on_message(wslay_event_context_ptr context, const wslay_event_on_msg_recv_arg* arg,
                         void* user_data) {
    Impl& impl = self(user_data);
    if (arg->opcode == WSLAY_BINARY_FRAME) {
      const auto* const first = reinterpret_cast<const std::byte*>(arg->msg);
      impl.messages_.emplace_back(first, first + arg->msg_length);
    } else if (arg->opcode == WSLAY_TEXT_FRAME) {
      impl.text_received_ = true;
      wslay_event_queue_close(context, WSLAY_CODE_UNSUPPORTED_DATA, nullptr, 0);
      wslay_event_shutdown_read(context);
    }
  }

  static ssize_t on_wants_piece(wslay_event_context_ptr, std::uint8_t* out, std::size_t size,
                                const wslay_event_msg_source* source, int* at_end, void*) {
    Pieces& pieces = *static_cast<Pieces*>(source->data);
    const std::size_t count = std::min({size, pieces.piece_bytes, pieces.rest.size()});
    if (count != 0) std::memcpy(out, pieces.rest.data(), count);
    pieces.rest = pieces.rest.subspan(count);
    *at_end = pieces.rest.empty() ? 1 : 0;
    return static_cast<ssize_t>(count);
  }

  const Role role_;
  Random& random_;
  const WebSocketLimits limits_;
  State state_ = State::upgrading;
  std::string key_;   // client
  std::string path_;  // server
  Bytes head_;
  std::unique_ptr<wslay_event_context, FreeContext> context_;
  ByteView input_;  // what feed() was given, while it runs
  Bytes output_;
  std::deque<Bytes> messages_;
  bool text_received_ = false;
};

WebSocket::WebSocket(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebSocket::~WebSocket() = default;

std::unique_ptr<WebSocket> WebSocket::client(const WebSocketRequest& request, Random& random,
                                             WebSocketLimits limits) {
  auto impl = std::make_unique<Impl>(Role::client, random, limits);
  impl->request_upgrade(request);
  return std::unique_ptr<WebSocket>(new WebSocket(std::move(impl)));
}

std::unique_ptr<WebSocket> WebSocket::server(std::string_view path, Random& random,
                                             WebSocketLimits limits) {
  auto impl = std::make_unique<Impl>(Role::server, random, limits);
  impl->serve(path);
  return std::unique_ptr<WebSocket>(new WebSocket(std::move(impl)));
}

Result<void> WebSocket::feed(ByteView received) { return impl_->feed(received); }
std::optional<Bytes> WebSocket::next() { return impl_->next(); }
void WebSocket::send(ByteView message) { impl_->queue(WSLAY_BINARY_FRAME, message); }
void WebSocket::send_fragmented(ByteView message, std::size_t piece_bytes) {
  impl_->queue_fragmented(message, piece_bytes);
}
void WebSocket::ping() { impl_->queue(WSLAY_PING, {}); }
void WebSocket::close(std::uint16_t code, std::string_view reason) { impl_->close(code, reason); }
Bytes WebSocket::take_output() { return impl_->take_output(); }
WebSocket::State WebSocket::state() const { return impl_->state(); }

}  // namespace posthorn::wire
