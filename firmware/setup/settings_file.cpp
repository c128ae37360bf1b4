#include "setup/settings_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace posthorn::setup {

namespace {

constexpr const char* kKept = "/settings.txt";

Error io_error(const std::string& path, int problem) {
  return {problem == ENOENT ? Errc::not_found : Errc::io, path + ": " + std::strerror(problem)};
}

/// A descriptor that is closed.
class File {
 public:
  File(const std::string& path, int flags, unsigned mode = 0)
      : fd_(open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, mode)) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }

 private:
  int fd_;
};

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

Result<void> write_durably(const std::string& path, const std::string& text, unsigned mode) {
  const std::string fresh = path + ".new";
  unlink(fresh.c_str());
  {
    const File file(fresh, O_WRONLY | O_CREAT | O_EXCL, mode);
    // fchmod: the mode is meant as it is, whatever the umask.
    if (!file.is_open() || !write_all(file.get(), text) || fchmod(file.get(), mode) != 0 ||
        fsync(file.get()) != 0) {
      return tl::unexpected(io_error(fresh, errno));
    }
  }
  if (rename(fresh.c_str(), path.c_str()) != 0) return tl::unexpected(io_error(path, errno));
  const File folder(path.substr(0, path.rfind('/') + 1), O_RDONLY | O_DIRECTORY);
  if (folder.is_open()) fsync(folder.get());
  return {};
}

Result<void> overwrite(const std::string& path, const std::string& text) {
  const File file(path, O_WRONLY);
  if (!file.is_open()) return tl::unexpected(io_error(path, errno));
  const off_t before = lseek(file.get(), 0, SEEK_END);
  std::string padded = text;
  if (before > static_cast<off_t>(text.size()))
    padded.resize(static_cast<std::size_t>(before), '\n');
  // What is longer than the new text is blanked before it is cut off.
  if (before < 0 || lseek(file.get(), 0, SEEK_SET) != 0 || !write_all(file.get(), padded) ||
      fsync(file.get()) != 0 || ftruncate(file.get(), static_cast<off_t>(text.size())) != 0 ||
      fsync(file.get()) != 0) {
    return tl::unexpected(io_error(path, errno));
  }
  return {};
}

Result<std::string> read_file(const std::string& path, std::size_t at_most) {
  const File file(path, O_RDONLY);
  if (!file.is_open()) return tl::unexpected(io_error(path, errno));
  std::string out(at_most, '\0');
  std::size_t size = 0;
  while (size < at_most) {
    const ssize_t count = read(file.get(), out.data() + size, at_most - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return tl::unexpected(io_error(path, errno));
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  out.resize(size);
  return out;
}

Settings load_kept(const std::string& state) {
  const auto text = read_file(state + kKept, kFileAtMost);
  return text ? parse_settings(*text).set : Settings{};
}

Result<void> save_kept(const std::string& state, const Settings& settings) {
  const std::string text = write_settings(settings);
  const auto before = read_file(state + kKept, kFileAtMost);
  if (before && *before == text) return {};
  mkdir(state.c_str(), 0700);
  return write_durably(state + kKept, text, 0600);
}

Result<bool> forget_kept(const std::string& state, Forget what) {
  // What was on trial is forgotten with it.
  unlink((state + "/settings.before").c_str());
  const Settings before = load_kept(state);
  Settings after;
  for (const auto& [name, value] : before) {
    const Key* key = find_key(name);
    const bool stays =
        what == Forget::network && key != nullptr && key->belongs != Belongs::to_the_network;
    if (stays) after[name] = value;
  }
  if (after == before) return false;
  TRY(save_kept(state, after));
  return true;
}

}  // namespace posthorn::setup
