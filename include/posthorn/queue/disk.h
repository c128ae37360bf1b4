#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"

namespace posthorn::queue {

/// One open file of fixed size. read, write and sync may be called from a Worker's thread; two
/// calls may overlap as long as they touch different blocks.
class DiskFile {
 public:
  /// Closes.
  virtual ~DiskFile() = default;

  /// Offsets, sizes and memory addresses of read() and write() are multiples of this: 512 where the
  /// device takes single sectors, else 4096.
  [[nodiscard]] virtual std::size_t alignment() const = 0;
  [[nodiscard]] virtual std::uint64_t size() const = 0;

  /// All of `out`, or an error. Errors: io (device, or past the end of the file).
  virtual Result<void> read(std::uint64_t offset, std::span<std::byte> out) = 0;
  /// All of `data` or an error; after an error any part of it may have been written. What was
  /// written is certain to survive a power cut only after the next sync() that returned success.
  /// Errors: io, full (no space on the device).
  virtual Result<void> write(std::uint64_t offset, ByteView data) = 0;
  /// Everything written so far is on the medium. After an error all writes since the last success
  /// are in doubt. Errors: io, full.
  virtual Result<void> sync() = 0;
};

/// Files by path: POSIX in the box, MemDisk (power cuts, faults) in tests.
class Disk {
 public:
  virtual ~Disk() = default;

  /// Errors: not_found, io (also: no permission, read-only).
  [[nodiscard]] virtual Result<std::unique_ptr<DiskFile>> open(const std::string& path) = 0;
  /// A new file of `size` zero bytes, written and not only reserved, so that later writes change no
  /// file-system metadata. Replaces a file of that name. It is on the medium when this returns.
  /// Errors: io, full (no space on the device).
  [[nodiscard]] virtual Result<std::unique_ptr<DiskFile>> create(const std::string& path,
                                                                 std::uint64_t size) = 0;
  /// Atomically, replacing `to`; on the medium when this returns. Errors: not_found, io, full.
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  /// On the medium when this returns. Errors: not_found, io.
  virtual Result<void> remove(const std::string& path) = 0;
};

/// The operating system's files. Opened with O_DIRECT in units of the device's logical sector
/// (512 or 4096 bytes); where the file system refuses O_DIRECT, buffered in units of 4096.
/// src/queue/BENCHMARK.md has the measurement behind this choice.
class PosixDisk final : public Disk {
 public:
  enum class Mode : std::uint8_t {
    automatic,  ///< direct where it works, else buffered
    buffered,
  };
  explicit PosixDisk(Mode mode = Mode::automatic) : mode_(mode) {}

  Result<std::unique_ptr<DiskFile>> open(const std::string& path) override;
  Result<std::unique_ptr<DiskFile>> create(const std::string& path, std::uint64_t size) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;

 private:
  Mode mode_;
};

}  // namespace posthorn::queue
