#include "posthorn/wire/fields.h"

namespace posthorn::wire {
namespace {

constexpr std::size_t kMaxVarint = 10;
constexpr unsigned kVarint = 0;
constexpr unsigned kFixed64 = 1;
constexpr unsigned kLength = 2;
constexpr unsigned kFixed32 = 5;

}  // namespace

std::size_t read_varint(ByteView bytes, std::uint64_t& value) {
  value = 0;
  for (std::size_t i = 0; i < bytes.size() && i < kMaxVarint; ++i) {
    const auto byte = std::to_integer<std::uint64_t>(bytes[i]);
    value |= (byte & 0x7F) << (7 * i);
    if (byte < 0x80) return i + 1;
  }
  return 0;
}

bool FieldReader::varint(std::uint64_t& value) {
  const std::size_t size = read_varint(rest_, value);
  rest_ = rest_.subspan(size);
  return size != 0;
}

bool FieldReader::fixed(std::size_t size, std::uint64_t& value) {
  if (rest_.size() < size) return false;
  value = 0;
  for (std::size_t i = 0; i < size; ++i)
    value |= std::to_integer<std::uint64_t>(rest_[i]) << (8 * i);
  rest_ = rest_.subspan(size);
  return true;
}

bool FieldReader::next(Field& field) {
  if (rest_.empty() || !ok_) return false;
  std::uint64_t tag = 0;
  ok_ = varint(tag) && (tag >> 3) != 0 && (tag >> 3) <= 0x1FFFFFFF;
  if (!ok_) return false;
  field = {};
  field.number = static_cast<std::uint32_t>(tag >> 3);
  std::uint64_t length = 0;
  switch (tag & 7) {
    case kVarint:
      ok_ = varint(field.value);
      return ok_;
    case kFixed64:
      ok_ = fixed(8, field.value);
      return ok_;
    case kFixed32:
      ok_ = fixed(4, field.value);
      return ok_;
    case kLength:
      ok_ = varint(length) && length <= rest_.size();
      if (!ok_) return false;
      field.type = Field::Type::bytes;
      field.bytes = rest_.first(static_cast<std::size_t>(length));
      rest_ = rest_.subspan(static_cast<std::size_t>(length));
      return true;
    default:
      ok_ = false;
      return false;
  }
}

void FieldWriter::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<std::byte>((value & 0x7F) | 0x80));
  out_.push_back(static_cast<std::byte>(value));
}

FieldWriter& FieldWriter::number(std::uint32_t field, std::uint64_t value) {
  varint(std::uint64_t{field} << 3 | kVarint);
  varint(value);
  return *this;
}

FieldWriter& FieldWriter::bytes(std::uint32_t field, ByteView value) {
  varint(std::uint64_t{field} << 3 | kLength);
  varint(value.size());
  append(out_, value);
  return *this;
}

FieldWriter& FieldWriter::text(std::uint32_t field, std::string_view value) {
  return bytes(field, as_bytes(value));
}

FieldWriter& FieldWriter::message(std::uint32_t field, const FieldWriter& value) {
  return bytes(field, value.out());
}

}  // namespace posthorn::wire
