#include "daemon/backup_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "posthorn/base/crypto.h"

namespace posthorn::daemon {

namespace {

constexpr std::string_view kMagic = "POSTHORN";
constexpr std::size_t kHeader = 36;
constexpr std::size_t kHeaderAtMost = 4096;
constexpr std::size_t kTag = 16;
constexpr std::size_t kPiece = std::size_t{64} << 10;
/// What a file may ask of us: more would be a way to keep the box busy.
constexpr std::uint32_t kRoundsAtMost = 2'000'000;

void put(Bytes& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out.push_back(static_cast<std::byte>(value >> (8 * i)));
}

std::uint64_t get(ByteView bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  }
  return value;
}

class File {
 public:
  File(const std::string& path, int flags) : path_(path), fd_(open(path.c_str(), flags, 0600)) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  [[nodiscard]] Error error() const {
    return {errno == ENOSPC ? Errc::full : Errc::io, path_ + ": " + std::strerror(errno)};
  }
  /// Up to `size` bytes; fewer only at the end.
  Result<Bytes> read_up_to(std::size_t size) {
    Bytes out(size);
    std::size_t have = 0;
    while (have < size) {
      const ssize_t count = ::read(fd_, out.data() + have, size - have);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return tl::unexpected(error());
      if (count == 0) break;
      have += static_cast<std::size_t>(count);
    }
    out.resize(have);
    return out;
  }
  Result<Bytes> read_exactly(std::size_t size) {
    TRY(Bytes out, read_up_to(size));
    if (out.size() != size) return fail(Errc::malformed, "the backup is cut off");
    return out;
  }
  Result<void> write(ByteView data) {
    while (!data.empty()) {
      const ssize_t count = ::write(fd_, data.data(), data.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return tl::unexpected(error());
      data = data.subspan(static_cast<std::size_t>(count));
    }
    return {};
  }
  Result<void> sync() { return fsync(fd_) == 0 ? Result<void>() : tl::unexpected(error()); }

 private:
  std::string path_;
  int fd_;
};

constexpr int kRead = O_RDONLY | O_CLOEXEC;
constexpr int kWrite = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;

/// Seals and opens pieces in order.
class Sealer {
 public:
  Sealer(Bytes header, const std::string& passphrase, ByteView salt, std::uint32_t rounds)
      : header_(std::move(header)),
        key_(crypto::pbkdf2_sha256(as_bytes(passphrase), salt, rounds, 32)) {}

  Bytes seal(ByteView plain, bool last) {
    return crypto::aes_gcm_encrypt(key_, nonce(), bound_to(last), plain);
  }
  Result<Bytes> open(ByteView sealed, bool last) {
    return crypto::aes_gcm_decrypt(key_, nonce(), bound_to(last), sealed);
  }

 private:
  Bytes nonce() {
    Bytes out;
    put(out, number_++, 8);
    put(out, 0, 4);
    return out;
  }
  [[nodiscard]] Bytes bound_to(bool last) const {
    Bytes out = header_;
    out.push_back(last ? std::byte{1} : std::byte{0});
    return out;
  }
  Bytes header_;
  Bytes key_;
  std::uint64_t number_ = 0;
};

struct Header {
  Bytes bytes;
  std::uint32_t rounds = 0;
  Bytes salt;
};

Result<Header> read_header(File& file) {
  TRY(Bytes head, file.read_up_to(kHeader));
  if (head.size() < kHeader || as_text(head).substr(0, kMagic.size()) != kMagic) {
    return fail(Errc::malformed, "this is no backup of a Posthorn");
  }
  const ByteView view(head);
  if (get(view.subspan(8, 2)) != kBackupMajor) {
    return fail(Errc::unsupported,
                "the backup was made by a newer release: update this box first, then restore");
  }
  Header header;
  const auto size = static_cast<std::size_t>(get(view.subspan(12, 2)));
  header.rounds = static_cast<std::uint32_t>(get(view.subspan(16, 4)));
  header.salt = to_bytes(view.subspan(20, kBackupSalt));
  if (size < kHeader || size > kHeaderAtMost || header.rounds == 0 ||
      header.rounds > kRoundsAtMost) {
    return fail(Errc::malformed, "the backup's header is damaged");
  }
  TRY(const Bytes more, file.read_exactly(size - kHeader));
  append(head, more);
  header.bytes = std::move(head);
  return header;
}

}  // namespace

Result<void> seal_file(const std::string& from, const std::string& to,
                       const std::string& passphrase, ByteView salt16, std::uint32_t rounds) {
  if (passphrase.size() < kPassphraseAtLeast) {
    return fail(Errc::malformed, "the passphrase needs at least 8 characters");
  }
  File in(from, kRead);
  if (!in.is_open()) return tl::unexpected(in.error());
  File out(to, kWrite);
  if (!out.is_open()) return tl::unexpected(out.error());
  Bytes header = to_bytes(kMagic);
  put(header, kBackupMajor, 2);
  put(header, kBackupMinor, 2);
  put(header, kHeader, 2);
  put(header, 0, 2);
  put(header, rounds, 4);
  append(header, salt16);
  TRY(out.write(header));
  Sealer sealer(header, passphrase, salt16, rounds);
  TRY(Bytes piece, in.read_up_to(kPiece));
  for (bool last = false; !last;) {
    TRY(Bytes next, in.read_up_to(kPiece));
    last = next.empty();
    Bytes front;
    put(front, piece.size(), 4);
    put(front, last ? 1 : 0, 1);
    TRY(out.write(front));
    TRY(out.write(sealer.seal(piece, last)));
    piece = std::move(next);
  }
  return out.sync();
}

Result<void> open_sealed_file(const std::string& from, const std::string& to,
                              const std::string& passphrase) {
  File in(from, kRead);
  if (!in.is_open()) return tl::unexpected(in.error());
  TRY(const Header header, read_header(in));
  File out(to, kWrite);
  if (!out.is_open()) return tl::unexpected(out.error());
  Sealer sealer(header.bytes, passphrase, header.salt, header.rounds);
  for (bool last = false; !last;) {
    TRY(const Bytes front, in.read_exactly(5));
    const auto size = static_cast<std::size_t>(get(ByteView(front).first(4)));
    if (front[4] > std::byte{1}) return fail(Errc::malformed, "the backup is damaged");
    last = front[4] == std::byte{1};
    if (size > kPiece) return fail(Errc::malformed, "the backup is damaged");
    TRY(const Bytes sealed, in.read_exactly(size + kTag));
    const auto plain = sealer.open(sealed, last);
    if (!plain) return fail(Errc::crypto, "the passphrase is wrong, or the backup is damaged");
    TRY(out.write(*plain));
  }
  TRY(const Bytes rest, in.read_up_to(1));
  if (!rest.empty()) return fail(Errc::malformed, "the backup has bytes behind its end");
  return out.sync();
}

}  // namespace posthorn::daemon
