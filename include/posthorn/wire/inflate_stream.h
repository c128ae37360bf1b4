#pragma once

#include <functional>
#include <memory>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"

namespace posthorn::wire {

/// Inflates one zlib stream (RFC 1950) that comes in pieces, 32 KiB at a time.
class InflateStream {
 public:
  using Out = std::function<Result<void>(ByteView)>;

  InflateStream();
  InflateStream(const InflateStream&) = delete;
  InflateStream& operator=(const InflateStream&) = delete;
  ~InflateStream();

  /// Gives what this piece makes. most: bytes in all, at which it ends as full. Errors: malformed
  /// (not zlib, checksum), full, what `out` said.
  Result<void> add(ByteView piece, std::uint64_t most, const Out& out);
  /// The stream's own end has come; what follows is ignored.
  [[nodiscard]] bool ended() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace posthorn::wire
