#pragma once

#include "posthorn/queue/disk.h"
#include "queue/aligned_buffer.h"
#include "queue/layout.h"

namespace posthorn::queue {

/// Looks at a ring file through a window, for recovery. What the device cannot read, or the file is
/// too short for, appears as zeros and is counted: the rest of the file is worth having.
class Reader {
 public:
  static constexpr std::size_t kWindow = std::size_t{64} * 1024;

  /// window: how much is read at a time, a multiple of 4096.
  explicit Reader(DiskFile& file, std::size_t window = kWindow)
      : file_(file), least_window_(window) {}

  /// The view ends with the next call.
  [[nodiscard]] ByteView view(std::uint64_t offset, std::size_t length);
  [[nodiscard]] std::uint64_t unreadable_pieces() const { return unreadable_; }

 private:
  void load(std::uint64_t offset, std::size_t length);
  void load_piece(std::uint64_t offset, std::span<std::byte> out);

  DiskFile& file_;
  std::size_t least_window_;
  AlignedBuffer window_;
  std::uint64_t start_ = 0;
  std::size_t filled_ = 0;
  std::uint64_t unreadable_ = 0;
};

}  // namespace posthorn::queue
