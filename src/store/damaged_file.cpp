#include "store/damaged_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <set>

#include "posthorn/base/folder.h"

namespace posthorn::store {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kKept = 3;
constexpr std::string_view kMark = ".damaged-";

std::string numbered(const std::string& path, unsigned number) {
  return path + std::string(kMark) + std::to_string(number);
}

std::set<unsigned> numbers_beside(const fs::path& path) {
  std::set<unsigned> numbers;
  const std::string prefix = path.filename().string() + std::string(kMark);
  std::error_code ignored;
  for (const auto& entry : list_folder(path.parent_path(), ignored)) {
    const std::string name = entry.filename().string();
    if (!name.starts_with(prefix)) continue;
    unsigned number = 0;
    const char* end = name.data() + name.size();
    const auto parsed = std::from_chars(name.data() + prefix.size(), end, number);
    if (parsed.ec == std::errc() && parsed.ptr == end) numbers.insert(number);
  }
  return numbers;
}

/// The renames must not be forgotten by a power cut after the fresh file is in use.
void sync_folder(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

Result<std::string> set_aside(const std::string& path) {
  std::error_code error;
  const fs::path folder = fs::absolute(path, error).parent_path();
  if (error) return fail(Errc::io, path + ": " + error.message());
  auto numbers = numbers_beside(folder / fs::path(path).filename());
  const unsigned next = numbers.empty() ? 1 : *numbers.rbegin() + 1;
  while (numbers.size() >= kKept) {
    const std::string oldest = numbered(path, *numbers.begin());
    fs::remove(oldest, error);
    fs::remove(oldest + "-wal", error);
    numbers.erase(numbers.begin());
  }
  const std::string aside = numbered(path, next);
  // The WAL first: a cut in between leaves a database without it, still found damaged or whole; the
  // other order would leave an old WAL beside a fresh file.
  if (fs::exists(path + "-wal", error)) fs::rename(path + "-wal", aside + "-wal", error);
  if (error) return fail(Errc::io, path + "-wal: " + error.message());
  fs::rename(path, aside, error);
  if (error) return fail(Errc::io, path + ": " + error.message());
  fs::remove(path + "-shm", error);
  sync_folder(folder);
  return aside;
}

}  // namespace posthorn::store
