#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"

namespace posthorn::files {

/// One open file. Called on a Worker's threads, one call at a time; sync() may run beside append()
/// and then means what was appended before it.
class DiskFile {
 public:
  /// Closes.
  virtual ~DiskFile() = default;

  /// All of `data` at the end, or an error; it survives a power cut only after the next sync().
  virtual Result<void> append(ByteView data) = 0;
  /// Up to out.size() bytes from there; fewer only at the end. Errors: io.
  virtual Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) = 0;
  /// What was appended is on the medium. Errors: io, full.
  virtual Result<void> sync() = 0;
};

/// One folder of files by name: POSIX in the box, one that loses power in tests.
class Disk {
 public:
  virtual ~Disk() = default;

  struct Entry {
    std::string name;
    std::uint64_t size = 0;
    std::int64_t modified = 0;  ///< Unix seconds
  };
  [[nodiscard]] virtual Result<std::vector<Entry>> list() = 0;
  /// A new, empty one. Errors: io, full.
  [[nodiscard]] virtual Result<std::unique_ptr<DiskFile>> create(const std::string& name) = 0;
  /// For reading; it stays readable when it is removed meanwhile. Errors: not_found, io.
  [[nodiscard]] virtual Result<std::unique_ptr<DiskFile>> open(const std::string& name) = 0;
  /// Names, unlike content, are certain after the next sync_names(). Replaces `to`.
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  /// Errors: not_found, io.
  virtual Result<void> remove(const std::string& name) = 0;
  virtual Result<void> sync_names() = 0;
  /// Unix seconds. Errors: not_found.
  [[nodiscard]] virtual Result<std::int64_t> modified(const std::string& name) = 0;
  /// Bytes that may still be written.
  [[nodiscard]] virtual Result<std::uint64_t> free_bytes() = 0;
  /// Where a file of that name stands, for whoever takes it away; "" where that means nothing.
  [[nodiscard]] virtual std::string path_of(const std::string& name) const = 0;
};

/// A folder of the file system, made if need be (mode 0700). Errors: io.
[[nodiscard]] Result<std::unique_ptr<Disk>> posix_folder(const std::string& path);

}  // namespace posthorn::files
