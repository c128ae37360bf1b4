#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "posthorn/base/folder.h"
#include "posthorn/files/disk.h"

namespace posthorn::files {

namespace {

tl::unexpected<Error> os_error(const std::string& what) {
  const int code = errno;
  const Errc kind = code == ENOSPC || code == EDQUOT ? Errc::full
                    : code == ENOENT                 ? Errc::not_found
                                                     : Errc::io;
  return fail(kind, what + ": " + std::strerror(code));
}

class PosixFile final : public DiskFile {
 public:
  explicit PosixFile(int fd) : fd_(fd) {}
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;
  ~PosixFile() override { ::close(fd_); }

  Result<void> append(ByteView data) override {
    while (!data.empty()) {
      const ssize_t n = ::write(fd_, data.data(), data.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return os_error("write");
      data = data.subspan(static_cast<std::size_t>(n));
    }
    return {};
  }

  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) override {
    std::size_t have = 0;
    while (have < out.size()) {
      const ssize_t n =
          ::pread(fd_, out.data() + have, out.size() - have, static_cast<off_t>(offset + have));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return os_error("read");
      if (n == 0) break;
      have += static_cast<std::size_t>(n);
    }
    return have;
  }

  Result<void> sync() override {
    if (::fdatasync(fd_) != 0) return os_error("sync");
    return {};
  }

 private:
  int fd_;
};

class PosixFolder final : public Disk {
 public:
  explicit PosixFolder(std::string path) : path_(std::move(path)) {}

  Result<std::vector<Entry>> list() override {
    std::error_code error;
    std::vector<Entry> out;
    for (const auto& entry : list_folder(path_, error)) {
      struct stat about {};
      if (::stat(entry.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) continue;
      out.push_back({entry.filename().string(), static_cast<std::uint64_t>(about.st_size),
                     std::int64_t{about.st_mtime}});
    }
    if (error) return fail(Errc::io, path_ + ": " + error.message());
    return out;
  }
  Result<std::unique_ptr<DiskFile>> create(const std::string& name) override {
    return opened(name, O_RDWR | O_CREAT | O_TRUNC | O_APPEND);
  }
  Result<std::unique_ptr<DiskFile>> open(const std::string& name) override {
    return opened(name, O_RDONLY);
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    if (::rename(path_of(from).c_str(), path_of(to).c_str()) != 0) return os_error(path_of(to));
    return {};
  }
  Result<void> remove(const std::string& name) override {
    if (::unlink(path_of(name).c_str()) != 0) return os_error(path_of(name));
    return {};
  }
  Result<void> sync_names() override {
    const int fd = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return os_error(path_);
    const bool synced = ::fsync(fd) == 0;
    auto failed = os_error(path_);
    ::close(fd);
    if (!synced) return failed;
    return {};
  }
  Result<std::int64_t> modified(const std::string& name) override {
    struct stat about {};
    if (::stat(path_of(name).c_str(), &about) != 0) return os_error(path_of(name));
    return std::int64_t{about.st_mtime};
  }
  Result<std::uint64_t> free_bytes() override {
    struct statvfs disk {};
    if (::statvfs(path_.c_str(), &disk) != 0) return os_error(path_);
    return std::uint64_t{disk.f_bavail} * disk.f_frsize;
  }
  std::string path_of(const std::string& name) const override { return path_ + "/" + name; }

 private:
  Result<std::unique_ptr<DiskFile>> opened(const std::string& name, int flags) const {
    const int fd = ::open(path_of(name).c_str(), flags | O_CLOEXEC, 0600);
    if (fd < 0) return os_error(path_of(name));
    return std::unique_ptr<DiskFile>(std::make_unique<PosixFile>(fd));
  }

  std::string path_;
};

}  // namespace

Result<std::unique_ptr<Disk>> posix_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return os_error(path);
  return std::unique_ptr<Disk>(std::make_unique<PosixFolder>(path));
}

}  // namespace posthorn::files
