#pragma once

#include <memory>
#include <optional>
#include <string>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"
#include "store/vfs_file.h"

namespace posthorn::store {

/// A small value in a file of its own, in two places that are written in turn: a write that tears,
/// or a place that is damaged, leaves the value before it. One thread at a time.
///
/// A place: 4 bytes "PHv1", 4 bytes length, 8 bytes number (both little endian; the higher number
/// is the newer), the value, and the first 16 bytes of the SHA-256 over all of that.
class TwoPlaces {
 public:
  /// place_bytes: of one place, a multiple of 4096; the value may be 32 bytes shorter.
  static Result<std::unique_ptr<TwoPlaces>> open(const std::string& path, const char* vfs,
                                                 std::size_t place_bytes);

  /// What was there at open(); nullopt: nothing, or both places are damaged.
  [[nodiscard]] const std::optional<Bytes>& found() const { return found_; }

  enum class Last : std::uint8_t { with_the_system, on_disk };
  /// with_the_system: survives the program at once, a power cut some seconds later.
  /// Errors: io, full; unsupported (too long).
  Result<void> write(ByteView value, Last last);

 private:
  TwoPlaces(std::unique_ptr<VfsFile> file, std::size_t place_bytes)
      : file_(std::move(file)), place_bytes_(place_bytes) {}
  Result<void> look();

  std::unique_ptr<VfsFile> file_;
  std::size_t place_bytes_;
  std::optional<Bytes> found_;
  std::uint64_t number_ = 0;  ///< of the newest
};

}  // namespace posthorn::store
