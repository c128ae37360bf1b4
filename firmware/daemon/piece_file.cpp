#include "daemon/piece_file.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace posthorn::daemon {

namespace {

Error io_error(const std::string& path) {
  const Errc code = errno == ENOSPC ? Errc::full : errno == ENOENT ? Errc::not_found : Errc::io;
  return {code, path + ": " + std::strerror(errno)};
}

struct Closed {
  ~Closed() {
    if (fd >= 0) close(fd);
  }
  int fd;
};

Result<void> write_piece(const std::string& path, std::uint64_t offset, const std::string& piece,
                         std::uint64_t room_left) {
  const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (offset == 0 ? O_TRUNC : 0);
  const Closed file{open(path.c_str(), flags, 0600)};
  if (file.fd < 0) return tl::unexpected(io_error(path));
  struct statvfs disk {};
  if (fstatvfs(file.fd, &disk) != 0) return tl::unexpected(io_error(path));
  const std::uint64_t free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  if (free < room_left + piece.size()) {
    return fail(Errc::full, "not enough room on the box: " + std::to_string(free >> 20) +
                                " MiB free, " + std::to_string(room_left >> 20) +
                                " MiB of them are for messages");
  }
  std::size_t done = 0;
  while (done < piece.size()) {
    const ssize_t count = pwrite(file.fd, piece.data() + done, piece.size() - done,
                                 static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return tl::unexpected(io_error(path));
    done += static_cast<std::size_t>(count);
  }
  return {};
}

Result<std::string> read_piece(const std::string& path, std::uint64_t offset, std::size_t size) {
  const Closed file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) return tl::unexpected(io_error(path));
  std::string out(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t count =
        pread(file.fd, out.data() + have, size - have, static_cast<off_t>(offset + have));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return tl::unexpected(io_error(path));
    if (count == 0) break;
    have += static_cast<std::size_t>(count);
  }
  out.resize(have);
  return out;
}

}  // namespace

PieceFile::PieceFile(Worker& worker, std::string path, std::uint64_t limit, std::uint64_t room_left)
    : worker_(worker), path_(std::move(path)), limit_(limit), room_left_(room_left) {}

void PieceFile::add(std::uint64_t offset, std::string piece,
                    Once<void(Result<std::uint64_t>)> done) {
  if (*busy_) return done(fail(Errc::busy, "the piece before is still being written"));
  if (offset != 0 && offset != *received_) {
    return done(fail(Errc::malformed, "offset must be " + std::to_string(*received_)));
  }
  if (offset + piece.size() > limit_) {
    return done(fail(Errc::full,
                     "larger than the " + std::to_string(limit_ >> 20) + " MiB that are allowed"));
  }
  *busy_ = true;
  const std::uint64_t end = offset + piece.size();
  run_on<Result<void>>(
      worker_,
      [path = path_, offset, piece = std::move(piece), room = room_left_] {
        return write_piece(path, offset, piece, room);
      },
      [busy = busy_, received = received_, end,
       done = std::move(done)](Result<void> written) mutable {
        *busy = false;
        if (!written) return done(tl::unexpected(written.error()));
        *received = end;
        done(end);
      });
}

void PieceFile::read(std::uint64_t offset, std::size_t size, Once<void(Result<std::string>)> done) {
  run_on<Result<std::string>>(
      worker_, [path = path_, offset, size] { return read_piece(path, offset, size); },
      std::move(done));
}

void PieceFile::forget() {
  *received_ = 0;
  unlink(path_.c_str());
}

}  // namespace posthorn::daemon
