#include "net/tcp_stream.h"

#include <utility>

#include "posthorn/base/guard.h"

namespace posthorn::net {

Error uv_error(int status, std::string_view what) {
  Errc code = Errc::disconnected;
  if (status == UV_ECONNREFUSED || status == UV_EADDRINUSE || status == UV_EACCES) {
    code = Errc::refused;
  } else if (status == UV_ETIMEDOUT) {
    code = Errc::timeout;
  } else if (status == UV_EAI_NONAME || status == UV_EAI_NODATA || status == UV_EAI_AGAIN) {
    code = Errc::not_found;
  }
  return {code, std::string(what) + ": " + uv_strerror(status)};
}

TcpStream::TcpStream(loop::Loop& loop, loop::UvHandle<uv_tcp_t> handle)
    : loop_(loop), handle_(std::move(handle)) {
  handle_->data = this;
  uv_tcp_nodelay(handle_.get(), 1);
}

TcpStream::~TcpStream() = default;

void TcpStream::start(Handler& handler) {
  handler_ = &handler;
  read();
}

void TcpStream::read() {
  if (!handle_ || handler_ == nullptr || reading_) return;
  reading_ = true;
  uv_read_start(
      reinterpret_cast<uv_stream_t*>(handle_.get()),
      [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        auto* self = static_cast<TcpStream*>(handle->data);
        if (self == nullptr) {
          *buffer = uv_buf_init(nullptr, 0);
          return;
        }
        const std::span<char> memory = self->loop_.read_buffer();
        *buffer = uv_buf_init(memory.data(), static_cast<unsigned>(memory.size()));
      },
      [](uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
        auto* self = static_cast<TcpStream*>(stream->data);
        if (self == nullptr) return;
        guarded("network", [=] { self->on_read(count, buffer->base); });
      });
}

void TcpStream::on_read(ssize_t count, const char* data) {
  if (count == 0) return;
  // The kernel tells an error once: when a write has had it, reading ends as if in good order.
  if (count < 0 && write_error_ != 0) return end(uv_error(write_error_, "write"));
  if (count == UV_EOF && handler_->on_end()) {
    pause_reading(true);
    return;
  }
  if (count < 0) {
    end(count == UV_EOF ? Error{Errc::disconnected, "closed by the other side"}
                        : uv_error(static_cast<int>(count), "read"));
    return;
  }
  // The handler may drop this stream; nothing here is touched after the call.
  handler_->on_data(as_bytes(std::string_view(data, static_cast<std::size_t>(count))));
}

void TcpStream::end(Error why) {
  handle_.reset();
  if (Handler* handler = std::exchange(handler_, nullptr)) handler->on_closed(std::move(why));
}

void TcpStream::write(Bytes data) {
  if (!handle_ || data.empty()) return;
  auto* stream = reinterpret_cast<uv_stream_t*>(handle_.get());
  // Most writes fit the socket's buffer: no request, no copy.
  uv_buf_t whole =
      uv_buf_init(reinterpret_cast<char*>(data.data()), static_cast<unsigned>(data.size()));
  const int taken = uv_try_write(stream, &whole, 1);
  if (taken == static_cast<int>(data.size())) return;
  if (taken < 0 && taken != UV_EAGAIN) return on_write_failed(taken);
  if (taken > 0) data.erase(data.begin(), data.begin() + taken);
  struct Write {
    uv_write_t request{};
    Bytes bytes;  // libuv reads them after this call has returned
  };
  auto write = std::make_unique<Write>();
  write->bytes = std::move(data);
  write->request.data = write.get();
  const uv_buf_t rest = uv_buf_init(reinterpret_cast<char*>(write->bytes.data()),
                                    static_cast<unsigned>(write->bytes.size()));
  const int status =
      uv_write(&write->request, stream, &rest, 1, [](uv_write_t* request, int result) {
        const std::unique_ptr<Write> written(static_cast<Write*>(request->data));
        auto* self = static_cast<TcpStream*>(request->handle->data);
        if (self != nullptr && result < 0) self->on_write_failed(result);
      });
  if (status == 0) (void)write.release();
}

/// The read side ends too, and reports it.
void TcpStream::on_write_failed(int status) {
  if (write_error_ == 0) write_error_ = status;
}

std::size_t TcpStream::unsent() const {
  return handle_
             ? uv_stream_get_write_queue_size(reinterpret_cast<const uv_stream_t*>(handle_.get()))
             : 0;
}

void TcpStream::pause_reading(bool paused) {
  if (!handle_ || handler_ == nullptr) return;
  if (paused && std::exchange(reading_, false)) {
    uv_read_stop(reinterpret_cast<uv_stream_t*>(handle_.get()));
  } else if (!paused) {
    read();
  }
}

void TcpStream::close() {
  handler_ = nullptr;
  if (!handle_) return;
  if (unsent() == 0) {
    handle_.reset();
    return;
  }
  // Lets queued bytes leave first: the handle is closed when its shutdown has been done.
  uv_tcp_t* raw = handle_.release();
  raw->data = nullptr;
  auto request = std::make_unique<uv_shutdown_t>();
  const auto finish = [](uv_shutdown_t* done, int) {
    auto* handle = reinterpret_cast<uv_tcp_t*>(done->handle);
    delete done;
    // ~Loop may have closed it already: a peer that never reads must not hold up the end.
    if (uv_is_closing(reinterpret_cast<uv_handle_t*>(handle)) == 0) loop::UvClose{}(handle);
  };
  if (uv_shutdown(request.get(), reinterpret_cast<uv_stream_t*>(raw), finish) == 0) {
    (void)request.release();
  } else {
    const loop::UvHandle<uv_tcp_t> closing(raw);
  }
}

void TcpStream::end_writing() {
  if (!handle_) return;
  auto request = std::make_unique<uv_shutdown_t>();
  const auto done = [](uv_shutdown_t* finished, int) { delete finished; };
  if (uv_shutdown(request.get(), reinterpret_cast<uv_stream_t*>(handle_.get()), done) == 0) {
    (void)request.release();
  }
}

void TcpStream::reset() {
  handler_ = nullptr;
  if (!handle_) return;
  uv_tcp_t* raw = handle_.release();
  raw->data = nullptr;
  const auto closed = [](uv_handle_t* dead) { delete reinterpret_cast<uv_tcp_t*>(dead); };
  if (uv_tcp_close_reset(raw, closed) != 0) loop::UvClose{}(raw);
}

}  // namespace posthorn::net
