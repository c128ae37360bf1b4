#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace posthorn {

/// Owned and borrowed bytes. A view never outlives what it looks at.
using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

/// The same memory seen as bytes or as text; nothing is copied or checked.
[[nodiscard]] ByteView as_bytes(std::string_view text);
[[nodiscard]] std::string_view as_text(ByteView bytes);

[[nodiscard]] Bytes to_bytes(std::string_view text);
[[nodiscard]] Bytes to_bytes(ByteView bytes);
[[nodiscard]] std::string to_string(ByteView bytes);

/// Appends `tail` to `out`.
void append(Bytes& out, ByteView tail);
[[nodiscard]] Bytes concat(std::initializer_list<ByteView> parts);

/// Lower-case hexadecimal; decoding accepts both cases. nullopt: odd length or another character.
[[nodiscard]] std::string hex_encode(ByteView bytes);
[[nodiscard]] std::optional<Bytes> hex_decode(std::string_view hex);

/// RFC 4648 base64 with padding; decoding accepts the URL alphabet and missing padding too.
/// nullopt: another character, or a length that no encoder makes.
[[nodiscard]] std::string base64_encode(ByteView bytes);
[[nodiscard]] std::optional<Bytes> base64_decode(std::string_view text);

/// Compares without an early exit, for tokens and MACs. Lengths are not secret.
[[nodiscard]] bool equal_constant_time(ByteView a, ByteView b);

}  // namespace posthorn
