#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "posthorn/base/bytes.h"
#include "posthorn/base/random.h"
#include "posthorn/base/result.h"

/// WebSocket (RFC 6455) as a machine from bytes to messages, both sides, upgrade included. It owns
/// no socket: feed() what arrived, write take_output() to the stream after every call.
namespace posthorn::wire {

/// What the client asks for in its upgrade request.
struct WebSocketRequest {
  std::string host =
      "web.whatsapp.com";  ///< Host header; with ":port" unless it is the default one
  std::string path = "/ws/chat";
  std::string origin = "https://web.whatsapp.com";  ///< empty: no Origin header
};

struct WebSocketLimits {
  std::size_t max_message_bytes = (std::size_t{16} << 20) + 16;
  std::size_t max_http_bytes = 8192;  ///< of the upgrade request or its answer
};

class WebSocket {
 public:
  enum class State : std::uint8_t {
    upgrading,  ///< HTTP still under way
    open,
    closing,  ///< we sent Close; waiting for the other side's
    closed,   ///< Close went both ways, or an error: write take_output(), then close the stream
  };

  /// A client; its upgrade request is in take_output() at once.
  [[nodiscard]] static std::unique_ptr<WebSocket> client(const WebSocketRequest& request,
                                                         Random& random,
                                                         WebSocketLimits limits = {});
  /// A server for requests whose path (without query) is `path`; others get 404.
  [[nodiscard]] static std::unique_ptr<WebSocket> server(std::string_view path, Random& random,
                                                         WebSocketLimits limits = {});

  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;
  ~WebSocket();

  /// Takes what the stream gave. Answers pings and close by itself.
  /// Errors: refused (the upgrade was declined; detail has the status line), malformed (not HTTP,
  /// not WebSocket, a text message, over a limit), disconnected (the other side closed; detail has
  /// its code). After an error the state is closed, and take_output() may hold a last word.
  [[nodiscard]] Result<void> feed(ByteView received);
  /// The next whole binary message; nullopt: none yet.
  [[nodiscard]] std::optional<Bytes> next();
  /// Queues one binary message; dropped unless open.
  void send(ByteView message);
  /// The same in pieces: one WebSocket frame for each (for the simulator's tests of reassembly).
  void send_fragmented(ByteView message, std::size_t piece_bytes);
  /// Queues a ping; the answer is swallowed.
  void ping();
  /// Queues Close. code: RFC 6455 section 7.4, 1000 is normal.
  void close(std::uint16_t code = 1000, std::string_view reason = {});
  /// What is to be written to the stream now, in order; empty when nothing.
  [[nodiscard]] Bytes take_output();
  [[nodiscard]] State state() const;

 private:
  class Impl;
  explicit WebSocket(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace posthorn::wire
