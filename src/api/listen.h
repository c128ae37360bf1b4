#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "posthorn/base/result.h"

namespace posthorn::api {

/// A descriptor that closes itself.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket();

  [[nodiscard]] int get() const { return fd_; }
  /// Somebody else closes it from here on.
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

/// Listens, without blocking. address: numeric IPv4 or IPv6 ("::" takes IPv4 too); port 0: any free
/// one. Errors: malformed (address), refused (in use, not allowed, not ours).
[[nodiscard]] Result<Socket> listen_on(const std::string& address, std::uint16_t port);
[[nodiscard]] std::uint16_t port_of(const Socket& socket);

/// "192.168.1.20", "fe80::1"; IPv4 that came over an IPv6 socket as IPv4.
[[nodiscard]] std::string address_text(const sockaddr* address);
/// 127.0.0.0/8 or ::1
[[nodiscard]] bool is_loopback(const std::string& address);

}  // namespace posthorn::api
