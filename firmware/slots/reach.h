#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "posthorn/base/result.h"

namespace posthorn::slots {

/// What the box can be reached by. A new version that reaches less than the one before it did is
/// not kept: nobody could give it a better one.
struct Reach {
  bool ipv4 = false;        ///< an address that a router or a person gave
  bool ipv6 = false;        ///< one that is valid beyond the cable
  bool link_local = false;  ///< 169.254: the box gave it to itself, for a laptop on the same cable
  bool answered = false;    ///< somebody on the LAN, the router or a till, has answered

  bool operator==(const Reach&) const = default;
};

/// Adds what one address of an interface is good for; loopback and others add nothing.
void add_address(Reach& reach, const sockaddr& address);

/// proc_net_arp: the content of /proc/net/arp. True when somebody's hardware address is known.
[[nodiscard]] bool has_answer(std::string_view proc_net_arp);

/// proc_net_route: the content of /proc/net/route. The default gateway in network byte order.
[[nodiscard]] std::optional<std::uint32_t> gateway_of(std::string_view proc_net_route);

/// Both together: what was reached once is remembered until the network settings are forgotten.
[[nodiscard]] Reach both(const Reach& one, const Reach& other);

/// Nothing when `now` has what `before` had; else what is missing, for people.
[[nodiscard]] std::optional<std::string> missing(const Reach& before, const Reach& now);

/// One line of words, "ipv4 answered\n"; unknown words are left out when read.
[[nodiscard]] std::string to_text(const Reach& reach);
[[nodiscard]] Reach parse_reach(std::string_view text);

}  // namespace posthorn::slots
