#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "posthorn/queue/disk.h"

namespace posthorn::queue {

/// Where the log ended when the program did, in a file of its own beside the ring: the next start
/// need not look for it in the whole file (FORMAT.md, section 9). It stands from a clean end until
/// just before the next batch is written.
class EndNote {
 public:
  struct End {
    std::uint64_t salt = 0;      ///< of the ring file
    std::uint64_t number = 0;    ///< of the newest batch
    std::uint64_t position = 0;  ///< logical block where that batch starts

    bool operator==(const End&) const = default;
  };

  /// The disk outlives this.
  EndNote(Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}

  /// nullopt: there is none, or it cannot be read. Reads it once, before anything else is called.
  [[nodiscard]] std::optional<End> read();

  /// On the Worker: on the medium when it returns. Errors: io, full.
  Result<void> write(const End& end);
  /// On the Worker: no later start will find it. Does nothing when there is none. Errors: io.
  Result<void> erase();

 private:
  Result<void> fill(const End* end);

  Disk& disk_;
  std::string path_;
  bool stands_ = false;  ///< a later start may find it
};

}  // namespace posthorn::queue
