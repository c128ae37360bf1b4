#pragma once

#include <sys/socket.h>

namespace posthorn::net {

/// Whether an address is one of the public internet: none of this machine, of a private, shared or
/// link-local network, of documentation, multicast or a translation of one of these.
/// Source: IANA's registries of special-purpose addresses.
[[nodiscard]] bool is_public_address(const sockaddr& address);

}  // namespace posthorn::net
