#pragma once

#include "posthorn/base/json.h"
#include "posthorn/wire/node.h"

namespace posthorn::simulator {

/// ["iq", {"id": "7", "to": "s.whatsapp.net"}, [["ping", {}]]]; bytes are {"base64": "…"}, with
/// "text" beside it when they are printable ASCII.
[[nodiscard]] json::Value node_to_json(const wire::Node& node);

/// The inverse; content may also be a plain string (its UTF-8 bytes). Attribute values with an '@'
/// and a known server, and "s.whatsapp.net" alone, become JIDs. Errors: malformed.
[[nodiscard]] Result<wire::Node> node_from_json(const json::Value& value);

}  // namespace posthorn::simulator
