#include "simulator/stanzas.h"

#include "posthorn/wire/names.h"

namespace posthorn::simulator {

namespace names = wire::names;
using wire::Node;

wire::Jid server_jid() { return {"", std::string(wire::kServerUser), 0}; }

Node iq_result(const Node& iq, std::vector<Node> children) {
  Node result(names::kIq, {{"type", "result"}, {"id", iq.text_attr("id")}, {"from", server_jid()}});
  if (!children.empty()) result.content = std::move(children);
  return result;
}

Node iq_error(const Node& iq, int code, const std::string& text) {
  return Node(names::kIq, {{"type", "error"}, {"id", iq.text_attr("id")}, {"from", server_jid()}},
              std::vector{Node(names::kError, {{"code", std::to_string(code)}, {"text", text}})});
}

Bytes big_endian(std::uint32_t value, std::size_t bytes) {
  Bytes out(bytes);
  for (std::size_t i = 0; i < bytes; ++i) {
    out[bytes - 1 - i] = static_cast<std::byte>(value >> (8 * i));
  }
  return out;
}

std::optional<std::uint32_t> read_big_endian(ByteView bytes, std::size_t count) {
  if (bytes.size() != count) return std::nullopt;
  std::uint32_t value = 0;
  for (const std::byte b : bytes) value = value << 8 | std::to_integer<std::uint32_t>(b);
  return value;
}

}  // namespace posthorn::simulator
