#include "signal/record_fields.h"

namespace posthorn::signal {

namespace {

constexpr unsigned kVarint = 0;
constexpr unsigned kFixed64 = 1;
constexpr unsigned kLengthDelimited = 2;
constexpr unsigned kFixed32 = 5;

std::optional<std::uint64_t> take_varint(ByteView& in) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
    const auto byte = std::to_integer<std::uint64_t>(in.front());
    in = in.subspan(1);
    value |= (byte & 0x7FU) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

void append_varint(Bytes& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::byte>((value & 0x7FU) | 0x80U));
  out.push_back(static_cast<std::byte>(value));
}

}  // namespace

std::optional<Field> take_field(ByteView& in) {
  const ByteView begin = in;
  ByteView rest = in;
  const auto tag = take_varint(rest);
  if (!tag) return std::nullopt;
  Field field;
  field.number = static_cast<std::uint32_t>(*tag >> 3);
  field.wire_type = static_cast<unsigned>(*tag & 7U);
  std::size_t length = 0;
  if (field.wire_type == kVarint || field.wire_type == kLengthDelimited) {
    const auto value = take_varint(rest);
    if (!value) return std::nullopt;
    field.integer = *value;
    if (field.wire_type == kLengthDelimited) {
      if (*value > rest.size()) return std::nullopt;
      length = static_cast<std::size_t>(*value);
    }
  } else if (field.wire_type == kFixed64 || field.wire_type == kFixed32) {
    length = field.wire_type == kFixed64 ? 8 : 4;
    if (length > rest.size()) return std::nullopt;
  } else {
    return std::nullopt;
  }
  field.value = rest.first(length);
  in = rest.subspan(length);
  field.whole = begin.first(begin.size() - in.size());
  return field;
}

std::optional<std::vector<Field>> fields_of(ByteView message) {
  std::vector<Field> fields;
  while (!message.empty()) {
    const auto field = take_field(message);
    if (!field) return std::nullopt;
    fields.push_back(*field);
  }
  return fields;
}

void append(Bytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

void append_message(Bytes& out, std::uint32_t number, ByteView message) {
  append_varint(out, std::uint64_t{number} << 3 | kLengthDelimited);
  append_varint(out, message.size());
  append(out, message);
}

void append_varint_field(Bytes& out, std::uint32_t number, std::uint64_t value) {
  append_varint(out, std::uint64_t{number} << 3 | kVarint);
  append_varint(out, value);
}

}  // namespace posthorn::signal
