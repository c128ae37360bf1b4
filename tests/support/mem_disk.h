#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/queue/disk.h"

namespace posthorn::test {

/// A disk in memory that can lose power between any two blocks, and fail any call.
///
/// Written blocks are in the drive's cache until their file is synced; `after_cut` decides for each
/// of them whether it reached the medium, in any order, whole or torn. Everything else (create,
/// rename, remove) is on the medium when it returns, as Disk promises.
class MemDisk final : public queue::Disk {
 public:
  explicit MemDisk(std::size_t alignment = 512) : alignment_(alignment) {}
  MemDisk(const MemDisk&) = delete;
  MemDisk& operator=(const MemDisk&) = delete;

  Result<std::unique_ptr<queue::DiskFile>> open(const std::string& path) override;
  Result<std::unique_ptr<queue::DiskFile>> create(const std::string& path,
                                                  std::uint64_t size) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;

  // Power.

  /// What became of one block that was written and not synced.
  enum class Fate : std::uint8_t {
    written,
    lost,
    torn_prefix,       ///< the first part is new, the rest old
    torn_suffix,       ///< the last part is new
    torn_interleaved,  ///< every other 512 bytes (of larger blocks), every other 64 (of sectors)
    torn_zeros,        ///< some of it reads as zeros
    torn_ones,         ///< some of it reads as 0xFF
    torn_random,       ///< all of it is noise
  };
  static constexpr std::size_t kFates = 8;
  /// One block write; `index` counts the unsynced ones from the oldest on.
  using Chooser = std::function<Fate(std::size_t index)>;

  [[nodiscard]] std::size_t unsynced_blocks() const { return unsynced_.size(); }
  /// The disk as it is after power is lost now and comes back. Noise repeats for a seed.
  [[nodiscard]] std::unique_ptr<MemDisk> after_cut(const Chooser& fate,
                                                   std::uint64_t seed = 1) const;

  /// Called before each block that is written, each sync and each other change: every moment at
  /// which a cut makes a difference.
  std::function<void()> on_boundary;

  // Faults.

  enum class Call : std::uint8_t { open, create, rename, remove, read, write, sync };
  /// Asked at each call, which then fails with this error; a write has stored `written_before`
  /// bytes of its data by then.
  struct Fault {
    Errc code = Errc::io;
    std::size_t written_before = 0;
  };
  std::function<std::optional<Fault>(Call)> fault;
  /// Sectors that do not read: asked for each read.
  std::function<bool(std::uint64_t offset, std::size_t length)> bad_range;

  // Looking and meddling.

  /// As a reader sees it now. nullptr: no such file.
  [[nodiscard]] Bytes* content(const std::string& path);
  void put(const std::string& path, Bytes content);
  [[nodiscard]] bool exists(const std::string& path) const { return files_.contains(path); }

  struct Counters {
    std::uint64_t reads = 0, writes = 0, syncs = 0, bytes_written = 0;
  };
  Counters counters;
  /// How often each block was written, of all files together, when `count_blocks` is set.
  bool count_blocks = false;
  std::map<std::uint64_t, std::uint64_t> writes_by_offset;

 private:
  friend class MemFile;
  struct Node {
    Bytes current;
  };
  struct BlockWrite {
    std::shared_ptr<Node> node;
    std::uint64_t offset;
    Bytes data;
    Bytes before;  ///< what was there
  };
  [[nodiscard]] Result<void> before(Call call);
  void boundary() {
    if (on_boundary) on_boundary();
  }

  std::size_t alignment_;
  std::map<std::string, std::shared_ptr<Node>> files_;
  std::vector<BlockWrite> unsynced_;
};

}  // namespace posthorn::test
