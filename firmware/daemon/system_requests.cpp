#include "daemon/system_requests.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace posthorn::daemon {

namespace {

Result<std::string> requests_folder(const std::string& data_dir) {
  const std::string folder = data_dir + "/" + std::string(kRequestsFolder);
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(Errc::io, folder + ": " + std::strerror(errno));
  }
  return folder;
}

}  // namespace

Result<void> write_durably(const std::string& path, std::string_view text) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool written = file >= 0 &&
                       write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       fsync(file) == 0;
  const int problem = errno;
  if (file >= 0) close(file);
  if (!written) return fail(Errc::io, path + ": " + std::strerror(problem));
  sync_folder(path.substr(0, path.rfind('/')));
  return {};
}

void sync_folder(const std::string& folder) {
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);
  close(fd);
}

Result<void> ask_system(const std::string& data_dir, std::string_view request) {
  TRY(const std::string folder, requests_folder(data_dir));
  return write_durably(folder + "/" + std::string(request), "");
}

Result<void> ask_system_with(const std::string& data_dir, std::string_view request,
                             std::string_view content) {
  TRY(const std::string folder, requests_folder(data_dir));
  const std::string aside = data_dir + "/" + std::string(kIncomingFolder);
  if (mkdir(aside.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(Errc::io, aside + ": " + std::strerror(errno));
  }
  const std::string fresh = aside + "/" + std::string(request);
  TRY(write_durably(fresh, content));
  const std::string path = folder + "/" + std::string(request);
  if (std::rename(fresh.c_str(), path.c_str()) != 0) {
    return fail(Errc::io, path + ": " + std::strerror(errno));
  }
  sync_folder(folder);
  return {};
}

Result<void> ask_for_update(const std::string& data_dir, const std::string& bundle) {
  TRY(const std::string folder, requests_folder(data_dir));
  const std::string request = folder + "/" + std::string(kUpdateRequest);
  if (std::rename(bundle.c_str(), request.c_str()) != 0) {
    return fail(Errc::io, folder + ": " + std::strerror(errno));
  }
  sync_folder(folder);
  return {};
}

}  // namespace posthorn::daemon
