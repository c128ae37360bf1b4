#pragma once

#include <cstdint>
#include <string_view>

#include "posthorn/base/bytes.h"

namespace posthorn::wire {

/// One field of a protobuf message as it stands on the wire. Views live as long as the message.
struct Field {
  enum class Type : std::uint8_t { number, bytes };
  std::uint32_t number = 0;
  Type type = Type::number;
  std::uint64_t value = 0;  ///< of a varint, fixed32 or fixed64
  ByteView bytes;           ///< of a length-delimited field

  [[nodiscard]] std::string_view text() const { return as_text(bytes); }
  [[nodiscard]] std::int64_t integer() const { return static_cast<std::int64_t>(value); }
  [[nodiscard]] bool flag() const { return value != 0; }
};

/// Walks over the fields of one message. For messages of which a few fields count and which come by
/// the thousand (app state, history): no class is generated and nothing is allocated.
///
///     FieldReader fields(bytes);
///     for (Field field; fields.next(field);) { if (field.number == 3) … }
///     if (!fields.ok()) return fail(Errc::malformed, …);
class FieldReader {
 public:
  explicit FieldReader(ByteView message) : rest_(message) {}

  /// false: there are no more.
  [[nodiscard]] bool next(Field& field);
  /// false: it ended at something that is no protobuf.
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  [[nodiscard]] bool varint(std::uint64_t& value);
  [[nodiscard]] bool fixed(std::size_t size, std::uint64_t& value);

  ByteView rest_;
  bool ok_ = true;
};

/// The value of a varint at the beginning of `bytes`, and how long it is; 0: it is not whole yet,
/// or (with ten bytes and more there) none.
[[nodiscard]] std::size_t read_varint(ByteView bytes, std::uint64_t& value);

/// Writes fields one behind the other.
class FieldWriter {
 public:
  FieldWriter& number(std::uint32_t field, std::uint64_t value);
  FieldWriter& bytes(std::uint32_t field, ByteView value);
  FieldWriter& text(std::uint32_t field, std::string_view value);
  FieldWriter& message(std::uint32_t field, const FieldWriter& value);

  [[nodiscard]] const Bytes& out() const { return out_; }
  [[nodiscard]] Bytes take() { return std::move(out_); }

 private:
  void varint(std::uint64_t value);

  Bytes out_;
};

}  // namespace posthorn::wire
