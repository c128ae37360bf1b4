#pragma once

#include <string>
#include <vector>

#include "posthorn/wire/node.h"

/// Shapes that several parts of the server build.
namespace posthorn::simulator {

/// s.whatsapp.net as a JID.
[[nodiscard]] wire::Jid server_jid();
[[nodiscard]] wire::Node iq_result(const wire::Node& iq, std::vector<wire::Node> children = {});
[[nodiscard]] wire::Node iq_error(const wire::Node& iq, int code, const std::string& text);
/// Big-endian, as key nodes hold numbers.
[[nodiscard]] Bytes big_endian(std::uint32_t value, std::size_t bytes);
/// nullopt unless `bytes` has that many bytes.
[[nodiscard]] std::optional<std::uint32_t> read_big_endian(ByteView bytes, std::size_t count);

}  // namespace posthorn::simulator
