#pragma once

#include <microhttpd.h>

#include <memory>
#include <string>
#include <string_view>

#include "posthorn/api/http.h"
#include "posthorn/base/alive.h"
#include "posthorn/loop/loop.h"

namespace posthorn::api {

/// What stands in Sec-WebSocket-Accept for that key. Source: RFC 6455 section 4.2.2.
[[nodiscard]] std::string web_socket_accept(std::string_view key);

/// The server's half of RFC 6455 for who only tells: texts go out, pings are answered, what the
/// client says is thrown away. Without sockets.
class WebSocketFrames {
 public:
  /// What a client may say in one frame.
  static constexpr std::size_t kMost = 1024;

  /// Bytes that came; what is to be answered is appended to `out`. False: the end, after `out`.
  bool feed(std::string_view bytes, std::string& out);
  [[nodiscard]] static std::string text(std::string_view payload);
  [[nodiscard]] static std::string close(std::uint16_t code);

 private:
  bool take(std::uint8_t opcode, std::string_view payload, std::string& out);

  std::string in_;
};

/// A connection that libmicrohttpd has handed over.
class MhdWebSocket final : public WebSocket {
 public:
  /// ended: once, when it is of no use any more; the connection goes with the object.
  MhdWebSocket(loop::Loop& loop, MHD_socket socket, MHD_UpgradeResponseHandle* handle,
               std::function<void()> ended);
  ~MhdWebSocket() override { end(); }

  void begin(std::string_view already_read);
  void send(std::string_view text) override;
  void close() override;
  [[nodiscard]] bool is_open() const override { return handle_ != nullptr && !closing_; }
  /// At once, without a word.
  void end();

 private:
  /// What a client that does not read may cost.
  static constexpr std::size_t kUnsentMost = std::size_t{256} << 10;

  void on_ready(int events);
  void read();
  void write();

  MHD_socket socket_;
  MHD_UpgradeResponseHandle* handle_;
  std::function<void()> ended_;
  WebSocketFrames frames_;
  std::string out_;
  bool closing_ = false;
  std::unique_ptr<loop::Poll> poll_;
  Alive<MhdWebSocket> alive_{this};
};

}  // namespace posthorn::api
