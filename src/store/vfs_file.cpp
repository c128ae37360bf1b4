#include "store/vfs_file.h"

#include <sqlite3.h>

namespace posthorn::store {

VfsFile::VfsFile(::sqlite3_vfs* vfs, std::string path)
    : path_(std::move(path)),
      memory_(static_cast<std::size_t>(vfs->szOsFile) / sizeof(std::max_align_t) + 1) {}

VfsFile::~VfsFile() {
  if (file()->pMethods != nullptr) file()->pMethods->xClose(file());
}

Result<std::unique_ptr<VfsFile>> VfsFile::open(const std::string& path, const char* vfs_name,
                                               When when) {
  ::sqlite3_vfs* vfs = sqlite3_vfs_find(vfs_name);
  std::unique_ptr<VfsFile> opened(new VfsFile(vfs, path));
  // The kind whose files get the database's mode and whose entry in the folder is synced.
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL;
  if (when == When::make) flags |= SQLITE_OPEN_CREATE;
  const int status = vfs->xOpen(vfs, opened->path_.c_str(), opened->file(), flags, &flags);
  if (status != SQLITE_OK) return fail(Errc::io, path + ": cannot be opened");
  return opened;
}

Result<void> VfsFile::result(int status, const char* what) const {
  if (status == SQLITE_OK) return {};
  return fail(status == SQLITE_FULL ? Errc::full : Errc::io,
              path_ + ": " + what + " failed (" + std::to_string(status) + ")");
}

Result<Bytes> VfsFile::read(std::size_t offset, std::size_t size) {
  sqlite3_int64 end = 0;
  TRY(result(file()->pMethods->xFileSize(file(), &end), "size"));
  const auto there = static_cast<std::size_t>(end);
  Bytes bytes(offset < there ? std::min(size, there - offset) : 0);
  if (bytes.empty()) return bytes;
  TRY(result(file()->pMethods->xRead(file(), bytes.data(), static_cast<int>(bytes.size()),
                                     static_cast<sqlite3_int64>(offset)),
             "read"));
  return bytes;
}

Result<void> VfsFile::write(std::size_t offset, ByteView bytes) {
  return result(file()->pMethods->xWrite(file(), bytes.data(), static_cast<int>(bytes.size()),
                                         static_cast<sqlite3_int64>(offset)),
                "write");
}

Result<void> VfsFile::sync() {
  return result(file()->pMethods->xSync(file(), SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY), "sync");
}

}  // namespace posthorn::store
