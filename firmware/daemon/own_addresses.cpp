#include "daemon/own_addresses.h"

#include <netinet/in.h>
#include <uv.h>

#include <array>
#include <bit>

namespace posthorn::daemon {

namespace {

constexpr std::size_t kAtMost = 32;

int prefix_of(const uv_interface_address_t& one) {
  int bits = 0;
  if (one.netmask.netmask4.sin_family == AF_INET6) {
    for (const unsigned char byte : one.netmask.netmask6.sin6_addr.s6_addr) {
      bits += std::popcount(byte);
    }
    return bits;
  }
  return std::popcount(one.netmask.netmask4.sin_addr.s_addr);
}

}  // namespace

std::vector<OwnAddress> own_addresses() {
  std::vector<OwnAddress> out;
  uv_interface_address_t* found = nullptr;
  int count = 0;
  if (uv_interface_addresses(&found, &count) != 0) return out;
  for (int i = 0; i < count && out.size() < kAtMost; ++i) {
    std::array<char, 64> text{};
    const auto& address = found[i].address;
    const bool v6 = address.address4.sin_family == AF_INET6;
    if (found[i].is_internal != 0) continue;
    if (v6 ? uv_ip6_name(&address.address6, text.data(), text.size()) != 0
           : uv_ip4_name(&address.address4, text.data(), text.size()) != 0) {
      continue;
    }
    out.push_back({found[i].name, text.data(), v6, prefix_of(found[i])});
  }
  uv_free_interface_addresses(found, count);
  return out;
}

}  // namespace posthorn::daemon
