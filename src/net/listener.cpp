#include "posthorn/net/listener.h"

#include "net/tcp_stream.h"
#include "posthorn/base/guard.h"

namespace posthorn::net {

namespace {

constexpr int kBacklog = 64;

class TcpListener final : public Listener {
 public:
  TcpListener(loop::Loop& loop, std::function<void(std::unique_ptr<Stream>)> on_connection)
      : loop_(loop), on_connection_(std::move(on_connection)) {
    auto handle = std::make_unique<uv_tcp_t>();
    uv_tcp_init(loop.uv(), handle.get());
    handle->data = this;
    handle_.reset(handle.release());
  }

  Result<void> open(const std::string& address, std::uint16_t port) {
    sockaddr_storage where{};
    auto* v4 = reinterpret_cast<sockaddr_in*>(&where);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&where);
    if (uv_ip4_addr(address.c_str(), port, v4) != 0 &&
        uv_ip6_addr(address.c_str(), port, v6) != 0) {
      return fail(Errc::malformed, "not a numeric address: " + address);
    }
    int status = uv_tcp_bind(handle_.get(), reinterpret_cast<sockaddr*>(&where), 0);
    if (status == 0) {
      status = uv_listen(stream(), kBacklog, [](uv_stream_t* server, int failed) {
        auto* self = static_cast<TcpListener*>(server->data);
        if (self == nullptr || failed != 0) return;
        guarded("network", [self] { self->accept(); });
      });
    }
    if (status != 0) {
      return fail(uv_error(status, "listen on " + address + ":" + std::to_string(port)), "network");
    }
    return {};
  }

  std::uint16_t port() const override {
    sockaddr_storage where{};
    int length = sizeof where;
    uv_tcp_getsockname(handle_.get(), reinterpret_cast<sockaddr*>(&where), &length);
    return where.ss_family == AF_INET6 ? ntohs(reinterpret_cast<sockaddr_in6*>(&where)->sin6_port)
                                       : ntohs(reinterpret_cast<sockaddr_in*>(&where)->sin_port);
  }

 private:
  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(handle_.get()); }

  void accept() {
    auto client = std::make_unique<uv_tcp_t>();
    uv_tcp_init(loop_.uv(), client.get());
    client->data = nullptr;
    loop::UvHandle<uv_tcp_t> handle(client.release());
    if (uv_accept(stream(), reinterpret_cast<uv_stream_t*>(handle.get())) != 0) return;
    on_connection_(std::make_unique<TcpStream>(loop_, std::move(handle)));
  }

  loop::Loop& loop_;
  std::function<void(std::unique_ptr<Stream>)> on_connection_;
  loop::UvHandle<uv_tcp_t> handle_;
};

}  // namespace

Result<std::unique_ptr<Listener>> listen(
    loop::Loop& loop, const std::string& address, std::uint16_t port,
    std::function<void(std::unique_ptr<Stream>)> on_connection) {
  auto listener = std::make_unique<TcpListener>(loop, std::move(on_connection));
  TRY(listener->open(address, port));
  return std::unique_ptr<Listener>(std::move(listener));
}

}  // namespace posthorn::net
