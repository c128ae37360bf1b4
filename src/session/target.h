#pragma once

#include "posthorn/base/config.h"
#include "posthorn/base/stream.h"
#include "posthorn/wire/certificate.h"
#include "posthorn/wire/websocket.h"

namespace posthorn::session {

/// Where and how to connect, worked out once from the configuration.
struct Target {
  Endpoint endpoint;
  wire::WebSocketRequest request;
  wire::Key32 root_key{};
  bool production = true;  ///< WhatsApp's own root; a stand-in is never sent edge routing
};

/// Errors: malformed: a scheme other than wss:// (ws:// for loopback only), a bad port, no host, or
/// a noise_root_key that is not 64 hex digits. The text names the key.
[[nodiscard]] Result<Target> make_target(const WhatsAppConfig& config);

}  // namespace posthorn::session
