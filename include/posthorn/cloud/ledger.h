#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/blob_store.h"

namespace posthorn::cloud {

/// Small facts by key that survive restarts, the newest of them: which file a media id means, what
/// a sender wants to hear back of a message. Kept as 64 small blobs "NAME/NN", chosen by the key's
/// hash, so that one change rewrites a sixty-fourth.
class Ledger {
 public:
  static constexpr std::size_t kBuckets = 64;

  /// blobs outlives the ledger. per_bucket: facts a bucket holds; the oldest go first.
  Ledger(BlobStore& blobs, std::string name, std::size_t per_bucket)
      : blobs_(blobs), name_(std::move(name)), per_bucket_(per_bucket) {}

  /// nullopt: unknown, or long ago. A bucket that cannot be read counts as empty and is logged.
  [[nodiscard]] std::optional<std::string> find(std::string_view key) const;
  /// Takes the place of what was there; on disk after the next BlobStore::durable(). The same once
  /// more writes nothing. Errors: io.
  Result<void> put(std::string_view key, std::string_view value);
  Result<void> erase(std::string_view key);
  struct Fact {
    std::string key, value;
  };
  /// All of them, in no order.
  [[nodiscard]] std::vector<Fact> all() const;

 private:
  [[nodiscard]] std::string blob_of(std::size_t bucket) const;
  [[nodiscard]] std::vector<Fact> load(std::size_t bucket) const;
  Result<void> save(std::size_t bucket, const std::vector<Fact>& facts);

  BlobStore& blobs_;
  std::string name_;
  std::size_t per_bucket_;
};

}  // namespace posthorn::cloud
