#include "api/listen.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace posthorn::api {

namespace {

constexpr int kBacklog = 128;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

Result<Address> parse_address(const std::string& text, std::uint16_t port) {
  Address address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.size = sizeof *v4;
    return address;
  }
  if (inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.size = sizeof *v6;
    return address;
  }
  return fail(Errc::malformed, "api.listen: not a numeric address: " + text);
}

}  // namespace

Socket::~Socket() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Socket> listen_on(const std::string& address, std::uint16_t port) {
  TRY(const Address where, parse_address(address, port));
  const auto refused = [&] {
    return fail(Errc::refused, address + " port " + std::to_string(port) +
                                   ": cannot listen there: " + std::strerror(errno));
  };
  Socket socket(::socket(where.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return refused();
  // After a restart the port may have connections that linger. (SO_REUSEPORT stays away: it would
  // let two boxes share one port unnoticed.)
  const int on = 1;
  const int off = 0;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (where.storage.ss_family == AF_INET6) {
    ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&where.storage), where.size) != 0 ||
      ::listen(socket.get(), kBacklog) != 0) {
    return refused();
  }
  return socket;
}

std::uint16_t port_of(const Socket& socket) {
  sockaddr_storage where{};
  socklen_t size = sizeof where;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&where), &size) != 0) return 0;
  return ntohs(where.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&where)->sin6_port
                                           : reinterpret_cast<sockaddr_in*>(&where)->sin_port);
}

std::string address_text(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool v6 = address->sa_family == AF_INET6;
  const void* bytes =
      v6 ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr)
         : &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
  if (inet_ntop(address->sa_family, bytes, text.data(), text.size()) == nullptr) return "";
  const std::string out = text.data();
  constexpr std::string_view kMapped = "::ffff:";
  const bool mapped = v6 && out.starts_with(kMapped) && out.find('.') != std::string::npos;
  return mapped ? out.substr(kMapped.size()) : out;
}

bool is_loopback(const std::string& address) {
  return address == "::1" || address.starts_with("127.");
}

}  // namespace posthorn::api
