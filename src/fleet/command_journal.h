#pragma once

#include <optional>
#include <string>
#include <vector>

#include "posthorn/base/blob_store.h"
#include "posthorn/base/json.h"
#include "posthorn/base/time.h"

namespace posthorn::fleet {

/// Which commands were begun and how they ended, for kKept: a key that comes again gets the first
/// answer and no second effect, also after a power cut. Sixteen small blobs "commands/N", by the
/// key's hash, so that one command writes a sixteenth.
class CommandJournal {
 public:
  static constexpr hours kKept{7 * 24};
  static constexpr std::size_t kBuckets = 16;
  static constexpr std::size_t kPerBucket = 64;
  static constexpr std::size_t kBodyAtMost = 600;  ///< of an answer that is kept

  struct Entry {
    std::string key;
    std::string what;         ///< "send"
    std::string command;      ///< the whole command while it runs, to go on after a power cut
    std::string reply_to;     ///< topic of the reply
    std::string correlation;  ///< base64
    std::string reply;        ///< JSON; empty: not done yet
    bool replied = false;     ///< the broker has the reply
    std::int64_t at = 0;      ///< unix seconds; 0: the box did not know the time
  };

  explicit CommandJournal(BlobStore& blobs) : blobs_(blobs) {}

  /// Errors: io. What cannot be read is told and begins anew.
  Result<void> load();
  [[nodiscard]] const Entry* find(const std::string& key) const;
  /// On disk when it returns. Entries that are older than kKept go. Errors: io; full: more commands
  /// within a week than are kept, and none may be forgotten.
  Result<void> put(Entry entry, std::optional<Wall> now);
  Result<void> remove(const std::string& key);
  /// Not done, or done and not told.
  [[nodiscard]] std::vector<Entry> open() const;

 private:
  static std::size_t bucket_of(const std::string& key);
  Result<void> save(std::size_t bucket);

  BlobStore& blobs_;
  std::vector<std::vector<Entry>> buckets_{kBuckets};
};

}  // namespace posthorn::fleet
