#pragma once

#include <string>
#include <vector>

namespace posthorn::daemon {

/// An address of an interface that leads out of this machine.
struct OwnAddress {
  std::string interface;
  std::string address;  ///< as text, without a zone
  bool v6 = false;
  int prefix = 0;  ///< bits of the network
};

/// At most 32, in the system's order; empty when it does not tell.
[[nodiscard]] std::vector<OwnAddress> own_addresses();

}  // namespace posthorn::daemon
