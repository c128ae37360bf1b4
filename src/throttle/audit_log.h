#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "posthorn/base/blob_store.h"
#include "posthorn/throttle/status.h"

namespace posthorn::throttle {

/// Append-only records, chained by hash, in segments of which the newest kSegments are kept: at
/// least the last 1000 records. Only the newest segment is in memory.
class AuditLog {
 public:
  explicit AuditLog(BlobStore& blobs) : blobs_(blobs) {}

  /// Errors: io. A damaged newest segment is logged; the chain then starts anew.
  Result<void> load();
  /// Fills in number and hashes.
  Result<void> append(AuditRecord record);
  [[nodiscard]] Result<std::vector<AuditRecord>> newest(std::size_t limit) const;
  [[nodiscard]] std::uint64_t count() const { return next_; }

 private:
  static constexpr std::uint64_t kPerSegment = 50;
  static constexpr std::uint64_t kSegments = 21;
  [[nodiscard]] static std::string name_of(std::uint64_t segment);
  [[nodiscard]] Result<std::vector<AuditRecord>> load_segment(std::uint64_t segment) const;

  BlobStore& blobs_;
  std::vector<AuditRecord> segment_;  ///< the newest one
  std::uint64_t next_ = 0;            ///< number of the next record
  std::string last_hash_ = std::string(64, '0');
};

}  // namespace posthorn::throttle
