#pragma once

#include <cstdint>

#include "posthorn/base/blob_store.h"

namespace posthorn::receipts {

/// Receipts' numbers. None is given twice, though all receipts have gone and the power too: the
/// store knows a number that none has reached, which is raised in steps before it is needed. An
/// orderly end leaves no gap, a cut one of less than kStep. Beside it: how far receipts were told,
/// so that one that a cut came before is told at the next start.
class Numbers {
 public:
  static constexpr std::uint64_t kStep = 20;

  /// blobs outlives it.
  explicit Numbers(BlobStore& blobs);
  Numbers(const Numbers&) = delete;
  Numbers& operator=(const Numbers&) = delete;

  /// One that is on disk: the next ones are above it. Before the first next().
  void found(std::uint64_t number);
  /// Room for the first ones, so that no receipt waits for it.
  void start();
  [[nodiscard]] std::uint64_t next();
  [[nodiscard]] std::uint64_t last() const { return next_ - 1; }
  /// The next start goes on without a gap.
  void stop();

  /// Whether a receipt of before the start was told.
  [[nodiscard]] bool was_told(std::uint64_t number) const { return number <= told_; }
  /// All up to this one were told, and that is on disk.
  void note_told(std::uint64_t number);
  [[nodiscard]] std::uint64_t told() const { return told_; }

 private:
  void reserve();

  BlobStore& blobs_;
  std::uint64_t next_ = 1;
  std::uint64_t reserved_ = 0;  ///< on disk: none that was given has reached it
  bool known_ = false;          ///< this box has counted before
  std::uint64_t told_ = 0;
};

}  // namespace posthorn::receipts
