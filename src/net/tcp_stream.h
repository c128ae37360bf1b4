#pragma once

#include <deque>
#include <memory>

#include "posthorn/base/stream.h"
#include "posthorn/loop/loop.h"

namespace posthorn::net {

/// An open TCP connection as a Stream.
class TcpStream final : public Stream {
 public:
  /// `handle` is connected or accepted.
  TcpStream(loop::Loop& loop, loop::UvHandle<uv_tcp_t> handle);
  ~TcpStream() override;

  void start(Handler& handler) override;
  void write(Bytes data) override;
  [[nodiscard]] std::size_t unsent() const override;
  void pause_reading(bool paused) override;
  void close() override;
  void end_writing() override;
  void reset() override;

 private:
  void read();
  void on_read(ssize_t count, const char* data);
  void on_write_failed(int status);
  void end(Error why);

  loop::Loop& loop_;
  loop::UvHandle<uv_tcp_t> handle_;
  Handler* handler_ = nullptr;
  bool reading_ = false;
  int write_error_ = 0;  ///< libuv's, of the first write that failed; 0: none
};

/// "connection reset by peer" from a libuv status.
[[nodiscard]] Error uv_error(int status, std::string_view what);

}  // namespace posthorn::net
