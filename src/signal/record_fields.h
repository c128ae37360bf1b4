#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "posthorn/base/bytes.h"

/// Protobuf messages by their fields, for the library's records: what is looked at or cut in them
/// is little, and all else stays byte for byte.
namespace posthorn::signal {

/// One field of a protobuf message.
struct Field {
  std::uint32_t number = 0;
  unsigned wire_type = 0;
  ByteView whole;  ///< with tag and length
  ByteView value;  ///< of a length-delimited one
  std::uint64_t integer = 0;
};

/// The next field of a message; nullopt: none, or broken (`in` is not empty then).
[[nodiscard]] std::optional<Field> take_field(ByteView& in);
/// All fields of a message; nullopt: it is no protobuf.
[[nodiscard]] std::optional<std::vector<Field>> fields_of(ByteView message);

void append(Bytes& out, ByteView bytes);
void append_message(Bytes& out, std::uint32_t number, ByteView message);
void append_varint_field(Bytes& out, std::uint32_t number, std::uint64_t value);

}  // namespace posthorn::signal
