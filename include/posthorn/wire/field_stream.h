#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"
#include "posthorn/wire/fields.h"

namespace posthorn::wire {

/// Reads a protobuf message of any size that comes in pieces; in memory is at most one field that
/// its reader wants whole.
class FieldStream {
 public:
  enum class Want : std::uint8_t { skip, whole, open };
  /// Numbers of the opened fields around, outermost first.
  using Path = std::span<const std::uint32_t>;

  class Reader {
   public:
    virtual ~Reader() = default;
    /// A length-delimited field comes. open: its own fields are told one by one. One wanted whole
    /// that is larger than the stream's bound is skipped.
    [[nodiscard]] virtual Want want(Path path, std::uint32_t number, std::uint64_t size) = 0;
    /// A number, or a field wanted whole. An error ends the reading.
    virtual Result<void> field(Path path, const Field& field) = 0;
    /// The innermost opened field of the path has ended.
    virtual Result<void> closed(Path path) = 0;
  };

  /// reader outlives this. most: bytes of a field wanted whole.
  FieldStream(Reader& reader, std::size_t most) : reader_(reader), most_(most) {}

  /// Errors: malformed; what the reader said.
  Result<void> add(ByteView piece);
  /// After the last piece. Errors: malformed (it ends inside a field).
  Result<void> finish();

 private:
  static constexpr std::size_t kMaxDepth = 8;
  /// What next() did with the bytes at hand.
  enum class Step : std::uint8_t { went_on, needs_more };
  Result<Step> next();
  Result<void> close_ended();
  Result<void> begin(std::uint32_t number, std::uint64_t size);
  [[nodiscard]] ByteView rest() const { return ByteView(buffer_).subspan(at_); }
  void take(std::size_t count);

  Reader& reader_;
  std::size_t most_;
  Bytes buffer_;
  std::size_t at_ = 0;          ///< in buffer_: what is before it is done with
  std::uint64_t position_ = 0;  ///< in the message
  std::uint64_t skip_ = 0;      ///< bytes still to be skipped
  std::uint32_t whole_ = 0;     ///< number of the field that is collected; 0: none
  std::size_t whole_size_ = 0;
  std::vector<std::uint32_t> path_;
  std::vector<std::uint64_t> ends_;  ///< position behind each opened field
};

}  // namespace posthorn::wire
