#pragma once

#include <string_view>

#include "posthorn/base/result.h"

namespace posthorn::session {

/// How far a connection had come when it ended.
enum class Reached : std::uint8_t {
  nothing,    ///< no connection to the other end: name, network, proxy, TLS
  other_end,  ///< somebody answered, the Noise handshake was not done
  whatsapp,   ///< the handshake was done
};

/// Why there is no connection, in the words of whoever must mend it.
struct Trouble {
  std::string_view cause;       ///< constant short name: "dns", "certificate", "storage_full" …
  std::string_view what_to_do;  ///< one sentence for a person; empty: nothing, it passes by itself
  bool ours = false;            ///< the box's own fault (its disk): says nothing about the account
};

/// why: what Connection reported, or what the box itself dropped the connection for.
[[nodiscard]] Trouble trouble_of(const Error& why, Reached reached);

}  // namespace posthorn::session
