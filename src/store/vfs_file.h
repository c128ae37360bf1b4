#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"

struct sqlite3_file;
struct sqlite3_vfs;

namespace posthorn::store {

/// A file of ours through SQLite's VFS, so that tests which take the power see it as well: the WAL,
/// through a handle for the worker, and the files beside the database ("PATH-…", with its mode).
/// One thread at a time. It is never unlinked while open, and SQLite keeps no locks on it that
/// closing our handle could drop.
class VfsFile {
 public:
  enum class When : std::uint8_t { there, make };
  /// Errors: io (not there, cannot be made).
  static Result<std::unique_ptr<VfsFile>> open(const std::string& path, const char* vfs, When when);
  VfsFile(const VfsFile&) = delete;
  VfsFile& operator=(const VfsFile&) = delete;
  ~VfsFile();

  /// Up to `size` bytes from there, fewer at the end of the file. Errors: io.
  Result<Bytes> read(std::size_t offset, std::size_t size);
  /// Errors: io, full.
  Result<void> write(std::size_t offset, ByteView bytes);
  Result<void> sync();

 private:
  VfsFile(::sqlite3_vfs* vfs, std::string path);
  ::sqlite3_file* file() { return reinterpret_cast<::sqlite3_file*>(memory_.data()); }
  Result<void> result(int status, const char* what) const;

  std::string path_;
  std::vector<std::max_align_t> memory_;
};

}  // namespace posthorn::store
