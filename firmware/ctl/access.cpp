#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "ctl/commands.h"

namespace posthorn::ctl {

namespace {

/// Whether somebody listens there: this machine's own address answers at once.
bool listens(const sockaddr* address, socklen_t size) {
  const int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool connected = connect(fd, address, size) == 0;
  close(fd);
  return connected;
}

/// Of the interfaces that are up, where the box listens and others reach it without a zone.
std::vector<std::string> own_addresses(std::uint16_t port) {
  std::vector<std::string> out;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return out;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    const bool up = (one->ifa_flags & IFF_UP) != 0 && (one->ifa_flags & IFF_LOOPBACK) == 0;
    if (one->ifa_addr == nullptr || !up) continue;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (one->ifa_addr->sa_family == AF_INET) {
      sockaddr_in v4 = reinterpret_cast<const sockaddr_in&>(*one->ifa_addr);
      v4.sin_port = htons(port);
      if (!listens(reinterpret_cast<const sockaddr*>(&v4), sizeof v4)) continue;
      inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
      out.emplace_back(text.data());
    } else if (one->ifa_addr->sa_family == AF_INET6) {
      sockaddr_in6 v6 = reinterpret_cast<const sockaddr_in6&>(*one->ifa_addr);
      v6.sin6_port = htons(port);
      if (IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr)) continue;
      if (!listens(reinterpret_cast<const sockaddr*>(&v6), sizeof v6)) continue;
      inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
      out.push_back("[" + std::string(text.data()) + "]");
    }
  }
  freeifaddrs(all);
  return out;
}

/// "http://127.0.0.1:8080" -> ":8080"
std::string port_of(const std::string& url) {
  const std::size_t colon = url.rfind(':');
  const std::size_t bracket = url.rfind(']');
  const bool has_port =
      colon > url.find("://") && (bracket == std::string::npos || colon > bracket);
  const std::string port = has_port ? url.substr(colon) : "";
  return port == ":80" ? "" : port;
}

bool is_loopback(const std::string& url) {
  return url.find("://127.") != std::string::npos || url.find("://[::1]") != std::string::npos;
}

}  // namespace

int show_access(const Access& access) {
  const bool here = is_loopback(access.url);
  const std::string port = port_of(access.url);
  const int number = port.empty() ? 80 : std::atoi(port.c_str() + 1);
  std::printf("apiUrl            %s%s\n", access.url.c_str(), here ? " (on the box itself)" : "");
  std::vector<std::string> hosts;
  if (here) hosts = own_addresses(static_cast<std::uint16_t>(number));
  std::array<char, 256> name{};
  if (!hosts.empty() && gethostname(name.data(), name.size() - 1) == 0) {
    hosts.insert(hosts.begin(), std::string(name.data()) + ".local");
  }
  for (const std::string& host : hosts) {
    std::printf("                  http://%s%s\n", host.c_str(), port.c_str());
  }
  std::printf("idInstance        %llu\napiTokenInstance  %s\n",
              static_cast<unsigned long long>(access.id_instance), access.token.c_str());
  if (!access.care.empty()) {
    std::printf("careToken         %s (the technician's; not for a till)\n", access.care.c_str());
  }
  return 0;
}

}  // namespace posthorn::ctl
