#include "fleet/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "posthorn/base/sha256_stream.h"
#include "posthorn/net/certificate.h"

namespace posthorn::fleet {

namespace {

constexpr std::size_t kBlobAtMost = std::size_t{1} << 20;
constexpr std::size_t kPemAtMost = 65536;
constexpr std::size_t kPiece = 65536;

tl::unexpected<Error> io(const std::string& what) {
  return fail(Errc::io, what + ": " + std::strerror(errno));
}

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags)
      : fd_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

bool write_all(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

class FileSource final : public net::HttpSource {
 public:
  explicit FileSource(const std::string& path) : file_(path, O_RDONLY) {}
  [[nodiscard]] std::uint64_t size() const override {
    struct stat found {};
    return file_ && fstat(file_.get(), &found) == 0 ? static_cast<std::uint64_t>(found.st_size) : 0;
  }
  void on_ready(std::function<void()> wake) override { (void)wake; }
  Result<std::size_t> read(std::span<std::byte> out) override {
    const ssize_t got = ::read(file_.get(), out.data(), out.size());
    if (got <= 0) return io("the bundle");
    return static_cast<std::size_t>(got);
  }

 private:
  Descriptor file_;
};

}  // namespace

Result<void> sync_folder(const std::string& folder) {
  const Descriptor fd(folder, O_RDONLY | O_DIRECTORY);
  if (!fd || fsync(fd.get()) != 0) return io(folder);
  return {};
}

Result<void> write_file(const std::string& path, std::string_view text) {
  const std::string fresh = path + ".part";
  {
    // No link is followed: root, too, writes into folders of the service.
    const Descriptor fd(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
    if (!fd || !write_all(fd.get(), as_bytes(text)) || fsync(fd.get()) != 0) return io(fresh);
  }
  if (rename(fresh.c_str(), path.c_str()) != 0) return io(path);
  return sync_folder(folder_of(path));
}

Result<std::string> read_file(const std::string& path, std::size_t most) {
  const Descriptor fd(path, O_RDONLY);
  if (!fd) {
    if (errno == ENOENT) return fail(Errc::not_found, path + ": is not there");
    return io(path);
  }
  std::string out;
  std::array<char, 4096> piece{};
  ssize_t got = 0;
  while ((got = ::read(fd.get(), piece.data(), piece.size())) > 0) {
    out.append(piece.data(), static_cast<std::size_t>(got));
    if (out.size() > most) return fail(Errc::full, path + ": is too long");
  }
  if (got < 0) return io(path);
  return out;
}

std::string FileBlobs::path_of(std::string_view name) const {
  std::string file(name);
  std::replace(file.begin(), file.end(), '/', '_');
  return folder_ + "/" + file + ".json";
}

Result<std::optional<Bytes>> FileBlobs::load(std::string_view name) {
  auto text = read_file(path_of(name), kBlobAtMost);
  if (text) return std::optional<Bytes>(to_bytes(*text));
  if (text.error().code == Errc::not_found) return std::optional<Bytes>();
  return tl::unexpected(text.error());
}

Result<void> FileBlobs::save(std::string_view name, ByteView value) {
  return write_file(path_of(name), as_text(value));
}

void FileBlobs::durable(Once<void(Result<void>)> done) {
  scheduler_.post([done = std::move(done)]() mutable { done({}); });
}

Result<CertificateFacts> FileIdentity::current() {
  const auto pem = read_file(at("certificate.pem"), kPemAtMost);
  if (!pem || !exists(at("key.pem"))) {
    return fail(Errc::not_found, "this box is not enrolled: posthorn-fleet enrol URL CODE");
  }
  return read_certificate(*pem);
}

Result<std::string> FileIdentity::begin_renewal() {
  TRY(const CertificateFacts facts, current());
  TRY(const std::string key, net::make_p256_key(random_));
  TRY(write_file(at("new-key.pem"), key));
  unlink(at("new-certificate.pem").c_str());
  return make_request(random_, key, facts.box);
}

Result<void> FileIdentity::try_certificate(const std::string& pem, std::int64_t now) {
  const auto key = read_file(at("new-key.pem"), kPemAtMost);
  if (!key)
    return fail(Errc::refused, "no renewal was begun: \"renew\" without a certificate first");
  TRY(const CertificateFacts facts, read_certificate(pem));
  TRY(const CertificateFacts before, current());
  if (facts.box != before.box) {
    return fail(Errc::refused,
                "the certificate is for " + facts.box + ", this box is " + before.box);
  }
  if (!net::belong_together(pem, *key)) {
    return fail(Errc::refused, "the certificate is not for the key of the last \"renew\"");
  }
  if (now != 0 && facts.until <= now)
    return fail(Errc::refused, "the certificate has ended already");
  return write_file(at("new-certificate.pem"), pem);
}

bool FileIdentity::on_trial() const { return exists(at("new-certificate.pem")); }

/// A power cut between the two leaves the new key in place and its certificate not yet: files()
/// knows, and the next connection settles the rest.
Result<void> FileIdentity::settle() {
  if (exists(at("new-key.pem")) && rename(at("new-key.pem").c_str(), at("key.pem").c_str()) != 0)
    return io("key.pem");
  if (rename(at("new-certificate.pem").c_str(), at("certificate.pem").c_str()) != 0) {
    return io("certificate.pem");
  }
  return sync_folder(folder_);
}

void FileIdentity::give_up_trial() {
  if (!exists(at("new-key.pem"))) return;  // half settled: the broker has taken it before
  unlink(at("new-certificate.pem").c_str());
  unlink(at("new-key.pem").c_str());
  (void)sync_folder(folder_);  // a trial that a cut brings back is given up again
}

std::pair<std::string, std::string> FileIdentity::files() const {
  if (!on_trial()) return {at("certificate.pem"), at("key.pem")};
  return {at("new-certificate.pem"), at(exists(at("new-key.pem")) ? "new-key.pem" : "key.pem")};
}

std::uint64_t BundleOnDisk::size() {
  struct stat found {};
  return stat(path_.c_str(), &found) == 0 ? static_cast<std::uint64_t>(found.st_size) : 0;
}

std::uint64_t BundleOnDisk::free_bytes() {
  struct statvfs found {};
  if (statvfs(folder_of(path_).c_str(), &found) != 0) return 0;
  return static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize;
}

Result<void> BundleOnDisk::append(ByteView piece) {
  const Descriptor fd(path_, O_WRONLY | O_CREAT | O_APPEND);
  if (!fd || !write_all(fd.get(), piece)) return io(path_);
  return {};
}

Result<std::string> BundleOnDisk::digest() {
  const Descriptor fd(path_, O_RDWR);
  if (!fd || fsync(fd.get()) != 0) return io(path_);
  crypto::Sha256Stream digest;
  std::vector<std::byte> piece(kPiece);
  ssize_t got = 0;
  while ((got = ::read(fd.get(), piece.data(), piece.size())) > 0) {
    digest.add(ByteView(piece).first(static_cast<std::size_t>(got)));
  }
  if (got < 0) return io(path_);
  return hex_encode(digest.finish());
}

void BundleOnDisk::remove() { unlink(path_.c_str()); }

std::shared_ptr<net::HttpSource> BundleOnDisk::source() {
  return std::make_shared<FileSource>(path_);
}

}  // namespace posthorn::fleet
