#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "posthorn/base/result.h"
#include "posthorn/wire/websocket.h"

/// The HTTP/1.1 exchange that opens a WebSocket: RFC 6455 section 4. Texts are whole heads, from
/// the first line to the empty line, both included.
namespace posthorn::wire {

/// Where a head ends in what has come so far: the index behind its empty line; nullopt: not yet.
[[nodiscard]] std::optional<std::size_t> find_head_end(std::string_view received);

/// key: the base64 nonce that the server must answer.
[[nodiscard]] std::string build_upgrade_request(const WebSocketRequest& request,
                                                std::string_view key);
/// Errors: refused (another status; detail has it), malformed (not an upgrade answer to `key`).
[[nodiscard]] Result<void> parse_upgrade_response(std::string_view head, std::string_view key);

/// What the server found in a request.
struct UpgradeRequest {
  int status = 101;  ///< 101, or what to answer instead: 400, 404, 426
  std::string key;
};
/// path: the one that is served, any query. Never fails: a bad request has its status.
[[nodiscard]] UpgradeRequest parse_upgrade_request(std::string_view head, std::string_view path);
[[nodiscard]] std::string build_upgrade_response(const UpgradeRequest& request);

/// Sec-WebSocket-Accept for a key.
[[nodiscard]] std::string accept_value(std::string_view key);

}  // namespace posthorn::wire
