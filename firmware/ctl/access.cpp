#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <vector>

#include "ctl/commands.h"

namespace posthorn::ctl {

namespace {

/// Of the interfaces that are up, as far as others reach them without a zone.
std::vector<std::string> own_addresses() {
  std::vector<std::string> out;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return out;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    const bool up = (one->ifa_flags & IFF_UP) != 0 && (one->ifa_flags & IFF_LOOPBACK) == 0;
    if (one->ifa_addr == nullptr || !up) continue;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (one->ifa_addr->sa_family == AF_INET) {
      const auto& v4 = reinterpret_cast<const sockaddr_in&>(*one->ifa_addr);
      inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
      out.emplace_back(text.data());
    } else if (one->ifa_addr->sa_family == AF_INET6) {
      const auto& v6 = reinterpret_cast<const sockaddr_in6&>(*one->ifa_addr);
      if (IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr)) continue;
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
  std::printf("apiUrl            %s (on the box itself)\n", access.url.c_str());
  if (is_loopback(access.url)) {
    std::array<char, 256> host{};
    if (gethostname(host.data(), host.size() - 1) == 0) {
      std::printf("                  http://%s.local%s\n", host.data(),
                  port_of(access.url).c_str());
    }
    for (const std::string& address : own_addresses()) {
      std::printf("                  http://%s%s\n", address.c_str(), port_of(access.url).c_str());
    }
  }
  std::printf("idInstance        %llu\napiTokenInstance  %s\n",
              static_cast<unsigned long long>(access.id_instance), access.token.c_str());
  return 0;
}

}  // namespace posthorn::ctl
