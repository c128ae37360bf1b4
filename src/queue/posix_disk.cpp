#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "posthorn/queue/disk.h"
#include "queue/aligned_buffer.h"

namespace posthorn::queue {

namespace {

constexpr std::size_t kFallbackAlignment = 4096;
constexpr std::size_t kZeroChunk = std::size_t{256} * 1024;

tl::unexpected<Error> os_error(const std::string& what, int code) {
  const Errc kind = code == ENOSPC || code == EDQUOT ? Errc::full
                    : code == ENOENT                 ? Errc::not_found
                                                     : Errc::io;
  return fail(kind, what + ": " + std::strerror(code));
}

/// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

static_assert(sizeof(off_t) == 8, "a ring may be larger than 2 GiB");

class PosixFile final : public DiskFile {
 public:
  PosixFile(Descriptor fd, std::uint64_t size, std::size_t alignment)
      : fd_(std::move(fd)), size_(size), alignment_(alignment) {}

  std::size_t alignment() const override { return alignment_; }
  std::uint64_t size() const override { return size_; }

  Result<void> read(std::uint64_t offset, std::span<std::byte> out) override {
    while (!out.empty()) {
      const ssize_t n = ::pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return os_error("read", errno);
      if (n == 0) return fail(Errc::io, "read: past the end of the file");
      out = out.subspan(static_cast<std::size_t>(n));
      offset += static_cast<std::uint64_t>(n);
    }
    return {};
  }

  Result<void> write(std::uint64_t offset, ByteView data) override {
    while (!data.empty()) {
      const ssize_t n = ::pwrite(fd_.get(), data.data(), data.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return os_error("write", errno);
      // A short write goes on behind what was taken; taking nothing is an error of its own.
      if (n == 0) return fail(Errc::io, "write: the device takes nothing");
      data = data.subspan(static_cast<std::size_t>(n));
      offset += static_cast<std::uint64_t>(n);
    }
    return {};
  }

  Result<void> sync() override {
    if (::fdatasync(fd_.get()) != 0) return os_error("sync", errno);
    return {};
  }

 private:
  Descriptor fd_;
  std::uint64_t size_;
  std::size_t alignment_;
};

/// The smallest unit that direct reads take, 0 when there are none. A read decides, because what
/// the kernel says of it (statx) is missing before Linux 6.1 and wrong on some file systems.
std::size_t direct_unit(int fd) {
  AlignedBuffer probe(AlignedBuffer::kAlignment);
  for (const std::size_t unit : {std::size_t{512}, kFallbackAlignment}) {
    if (::pread(fd, probe.bytes().data(), unit, static_cast<off_t>(unit)) >= 0) return unit;
  }
  return 0;
}

Result<void> sync_folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const Descriptor fd(
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return os_error("open folder", errno);
  if (::fsync(fd.get()) != 0) return os_error("sync folder", errno);
  return {};
}

/// Writes zeros through the page cache, which takes any size quickly.
Result<void> write_zeros(int fd, std::uint64_t size) {
  const AlignedBuffer zeros(kZeroChunk);
  for (std::uint64_t at = 0; at < size;) {
    const std::size_t want =
        static_cast<std::size_t>(std::min<std::uint64_t>(size - at, kZeroChunk));
    const ssize_t n = ::pwrite(fd, zeros.bytes().data(), want, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return os_error("write", errno);
    at += static_cast<std::uint64_t>(n);
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<DiskFile>> PosixDisk::open(const std::string& path) {
  std::size_t alignment = kFallbackAlignment;
  int raw = -1;
  if (mode_ == Mode::automatic) {
    raw = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_DIRECT);
    if (raw >= 0) {
      alignment = direct_unit(raw);
      if (alignment == 0) {
        ::close(raw);
        raw = -1;
        alignment = kFallbackAlignment;
      }
    }
  }
  if (raw < 0) raw = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (raw < 0) return os_error("open " + path, errno);
  Descriptor fd(raw);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return os_error("stat " + path, errno);
  if (!S_ISREG(info.st_mode)) return fail(Errc::io, "open " + path + ": not a regular file");
  return std::make_unique<PosixFile>(std::move(fd), static_cast<std::uint64_t>(info.st_size),
                                     alignment);
}

Result<std::unique_ptr<DiskFile>> PosixDisk::create(const std::string& path, std::uint64_t size) {
  {
    const Descriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (fd.get() < 0) return os_error("create " + path, errno);
    // Reserving first keeps the blocks together and finds a full disk before anything is written.
    const int reserved = ::posix_fallocate(fd.get(), 0, static_cast<off_t>(size));
    if (reserved != 0 && reserved != EOPNOTSUPP) return os_error("reserve " + path, reserved);
    TRY(write_zeros(fd.get(), size));
    if (::fsync(fd.get()) != 0) return os_error("sync " + path, errno);
  }
  TRY(sync_folder_of(path));
  return open(path);
}

Result<void> PosixDisk::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return os_error("rename " + from, errno);
  return sync_folder_of(to);
}

Result<void> PosixDisk::remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return os_error("remove " + path, errno);
  return sync_folder_of(path);
}

}  // namespace posthorn::queue
