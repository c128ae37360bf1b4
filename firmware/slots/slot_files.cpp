#include "slots/slot_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

namespace posthorn::slots {
namespace {

std::vector<std::uint8_t> read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Result<void> write_synced(const std::string& path, const FileBytes& bytes) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return fail(Errc::io, path + ": " + std::strerror(errno));
  const bool written = pwrite(fd, bytes.data(), bytes.size(), 0) == ssize_t{kFileBytes} &&
                       ftruncate(fd, kFileBytes) == 0 && fsync(fd) == 0;
  const int error = errno;
  close(fd);
  if (!written) return fail(Errc::io, path + ": " + std::strerror(error));
  return {};
}

}  // namespace

SlotFiles::SlotFiles(const std::string& folder)
    : paths_{folder + "/slots.1", folder + "/slots.2"} {}

Result<SlotState> SlotFiles::read() const {
  for (const auto& path : paths_) {
    if (auto state = decode(read_all(path))) return *state;
  }
  return fail(Errc::not_found, paths_[0] + " and " + paths_[1] + ": neither is whole");
}

Result<void> SlotFiles::write(const SlotState& state) const {
  const FileBytes bytes = encode(state);
  for (const auto& path : paths_) {
    const auto there = read_all(path);
    if (std::equal(there.begin(), there.end(), bytes.begin(), bytes.end())) continue;
    TRY(write_synced(path, bytes));
  }
  return {};
}

}  // namespace posthorn::slots
