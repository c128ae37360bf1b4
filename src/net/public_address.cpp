#include "net/public_address.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>

namespace posthorn::net {
namespace {

struct Range4 {
  std::uint32_t first;
  int bits;
};

constexpr std::uint32_t ip4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

constexpr std::array<Range4, 16> kNotPublic4{{
    {ip4(0, 0, 0, 0), 8},
    {ip4(10, 0, 0, 0), 8},
    {ip4(100, 64, 0, 0), 10},
    {ip4(127, 0, 0, 0), 8},
    {ip4(169, 254, 0, 0), 16},
    {ip4(172, 16, 0, 0), 12},
    {ip4(192, 0, 0, 0), 24},
    {ip4(192, 0, 2, 0), 24},
    {ip4(192, 88, 99, 0), 24},
    {ip4(192, 168, 0, 0), 16},
    {ip4(198, 18, 0, 0), 15},
    {ip4(198, 51, 100, 0), 24},
    {ip4(203, 0, 113, 0), 24},
    {ip4(224, 0, 0, 0), 4},
    {ip4(240, 0, 0, 0), 4},
    {ip4(255, 255, 255, 255), 32},
}};

bool is_public(std::uint32_t address) {
  return std::none_of(kNotPublic4.begin(), kNotPublic4.end(), [address](const Range4& range) {
    return ((address ^ range.first) >> (32 - range.bits)) == 0;
  });
}

std::uint32_t big_endian(std::span<const std::uint8_t> bytes) {
  return ip4(bytes[0], bytes[1], bytes[2], bytes[3]);
}

/// Only what is given to networks (2000::/3) is public, without documentation and tunnels; of an
/// IPv4 address inside, that one decides.
bool is_public(std::span<const std::uint8_t, 16> a) {
  const bool mapped = std::all_of(a.begin(), a.begin() + 10, [](auto b) { return b == 0; }) &&
                      a[10] == 0xFF && a[11] == 0xFF;
  if (mapped) return is_public(big_endian(a.subspan<12>()));
  constexpr std::array<std::uint8_t, 12> kNat64{0, 0x64, 0xFF, 0x9B};
  if (std::equal(kNat64.begin(), kNat64.end(), a.begin())) {
    return is_public(big_endian(a.subspan<12>()));
  }
  if ((a[0] & 0xE0U) != 0x20U) return false;
  if (a[0] == 0x20 && a[1] == 0x02) return is_public(big_endian(a.subspan(2, 4)));  // 6to4
  if (a[0] == 0x20 && a[1] == 0x01) {
    const bool special = a[2] < 0x02;  // 2001::/23: Teredo and the like
    const bool documentation = a[2] == 0x0D && a[3] == 0xB8;
    return !special && !documentation;
  }
  return !(a[0] == 0x3F && a[1] == 0xFF);  // 3fff::/20, documentation
}

}  // namespace

bool is_public_address(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in in4{};
    std::memcpy(&in4, &address, sizeof in4);
    return is_public(ntohl(in4.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 in6{};
    std::memcpy(&in6, &address, sizeof in6);
    return is_public(std::span<const std::uint8_t, 16>(in6.sin6_addr.s6_addr));
  }
  return false;
}

}  // namespace posthorn::net
