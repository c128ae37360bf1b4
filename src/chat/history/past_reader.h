#pragma once

#include <cstdint>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"
#include "posthorn/wire/field_stream.h"
#include "posthorn/wire/inflate_stream.h"

namespace posthorn::chat {

/// Takes the messages out of a HistorySync that comes compressed and in pieces, as far as they fit:
/// the answer to a request for a chat's older messages. Source: chapter 12 sections 1.3, 1.6.
class PastReader final : private wire::FieldStream::Reader {
 public:
  /// Of all messages together, as they are serialised.
  static constexpr std::size_t kMostKept = std::size_t{1} << 20;
  /// A longer one is left out.
  static constexpr std::size_t kMostMessage = std::size_t{256} << 10;
  static constexpr std::uint64_t kMostInflated = std::uint64_t{64} << 20;

  /// count: messages that are taken; what follows is left out.
  explicit PastReader(std::size_t count) : fields_(*this, kMostMessage), count_(count) {}

  /// A piece of the zlib data. Errors: malformed, full.
  Result<void> add(ByteView compressed);
  /// After the last piece: serialised WebMessageInfo, in the order of the file. Errors: malformed
  /// (it ends too early).
  Result<std::vector<Bytes>> finish();

 private:
  using Path = wire::FieldStream::Path;
  wire::FieldStream::Want want(Path path, std::uint32_t number, std::uint64_t size) override;
  Result<void> field(Path path, const wire::Field& field) override;
  Result<void> closed(Path) override { return {}; }

  wire::InflateStream inflater_;
  wire::FieldStream fields_;
  std::size_t count_;
  std::size_t bytes_ = 0;
  std::vector<Bytes> out_;
};

}  // namespace posthorn::chat
