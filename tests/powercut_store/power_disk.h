#pragma once

#include <sqlite3.h>

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/base/random.h"

namespace posthorn::store {

/// Content of a disk: file name to bytes.
using DiskImage = std::map<std::string, Bytes>;

/// A SQLite VFS in memory that loses power at a chosen operation.
///
/// Operations are writes, truncations, syncs, deletions and creations, counted from start(). At the
/// cut the operation itself may have happened in part and everything after it fails. What is then
/// on the disk is one of many images: a 512-byte sector holds what it held at any moment since the
/// last sync of its file, or is torn (half of a write, or zeros, ones or noise where the write was
/// to go; bytes that nobody wrote stay: SQLite calls that powersafe overwrite, and Posthorn relies
/// on it). A file has any of its sizes since then; a new or deleted name is there or not.
class PowerDisk {
 public:
  enum class Survives : std::uint8_t { nothing, everything, in_order, any_sector };

  explicit PowerDisk(const char* name);
  PowerDisk(const PowerDisk&) = delete;
  PowerDisk& operator=(const PowerDisk&) = delete;
  ~PowerDisk();

  [[nodiscard]] const char* name() const { return vfs_.zName; }

  /// Power on with this content. cut_at: the operation at which power goes; 0: never.
  void start(const DiskImage& image, std::uint64_t cut_at);
  void cut() { powered_ = false; }
  /// From operation `from` on, `count` operations fail with this SQLite code and do nothing.
  void fail(std::uint64_t from, std::uint64_t count, int code) {
    fail_from_ = from;
    fail_until_ = from + count;
    fail_code_ = code;
  }
  [[nodiscard]] bool failing() const {
    return operations_ >= fail_from_ && operations_ < fail_until_;
  }
  [[nodiscard]] bool powered() const { return powered_; }
  [[nodiscard]] std::uint64_t operations() const { return operations_; }

  /// What the disk may hold after the cut.
  [[nodiscard]] DiskImage image(Survives survives, Random& random) const;
  /// Everything, as a clean stop leaves it.
  [[nodiscard]] DiskImage content() const;

  /// One bit of a file turned over, as a worn card gives it back: also of what was synced long ago.
  /// bit: counted from the file's start.
  [[nodiscard]] static DiskImage flipped(DiskImage image, const std::string& name, std::size_t bit);

  /// Called before each operation; may itself use the disk (the other thread's doing).
  std::function<void()> before_operation;

 private:
  friend struct Methods;

  struct Op {
    std::size_t offset = 0;  ///< of a truncation: the new size
    Bytes data;
    bool truncation = false;
  };
  struct Inode {
    Bytes content;
    Bytes durable;
    std::vector<Op> pending;  ///< since the last sync
    std::vector<struct Handle*> handles;
    std::vector<std::unique_ptr<std::array<std::byte, 32768>>> shared_memory;

    void apply(const Op& op);
  };
  friend struct Handle;

  /// SQLITE_OK: go on. Else the operation fails; when the power went it may have happened in part.
  int count();
  void sync(Inode& inode, std::size_t operations);
  [[nodiscard]] static Bytes build(const Inode& inode, Survives survives, Random& random);
  [[nodiscard]] static Bytes build_sectors(const Inode& inode, Random& random);

  sqlite3_vfs vfs_{};
  std::string name_;
  std::map<std::string, std::shared_ptr<Inode>> names_;
  std::map<std::string, std::shared_ptr<Inode>> durable_names_;
  bool powered_ = true;
  bool inside_hook_ = false;
  std::uint64_t operations_ = 0;
  std::uint64_t cut_at_ = 0;
  std::uint64_t fail_from_ = 0;
  std::uint64_t fail_until_ = 0;
  int fail_code_ = SQLITE_OK;
  std::uint32_t noise_ = 1;
};

}  // namespace posthorn::store
