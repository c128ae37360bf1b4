#include "daemon/identity.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "daemon/system_requests.h"
#include "posthorn/base/json.h"
#include "posthorn/base/log.h"

namespace posthorn::daemon {

namespace {

/// "api/access" -> "FOLDER/api-access"
std::string path_of(const std::string& folder, std::string_view name) {
  std::string file(name);
  std::replace(file.begin(), file.end(), '/', '-');
  return folder + "/" + file;
}

std::optional<Bytes> read_copy(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  if (text.view().empty()) return std::nullopt;
  return to_bytes(text.view());
}

/// The old or the new, whatever the power does.
Result<void> write_copy(const std::string& folder, const std::string& path, ByteView value) {
  const auto before = read_copy(path);
  if (before && std::equal(before->begin(), before->end(), value.begin(), value.end())) return {};
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(Errc::io, folder + ": " + std::strerror(errno));
  }
  const std::string fresh = path + ".new";
  TRY(write_durably(fresh, as_text(value)));
  if (std::rename(fresh.c_str(), path.c_str()) != 0) {
    return fail(Errc::io, path + ": " + std::strerror(errno));
  }
  sync_folder(folder);
  return {};
}

}  // namespace

Result<std::optional<Bytes>> Identity::load(std::string_view name) {
  const std::string path = path_of(folder_, name);
  TRY(auto kept, store_.load(name));
  if (!kept || !json::parse(as_text(*kept))) return read_copy(path);
  // A disk that takes no copy is no reason not to start.
  if (const auto copied = write_copy(folder_, path, *kept); !copied) {
    log::warn("posthornd", "the box's identity has no copy", {{"error", copied.error()}});
  }
  return kept;
}

Result<void> Identity::save(std::string_view name, ByteView value) {
  TRY(store_.save(name, value));
  return write_copy(folder_, path_of(folder_, name), value);
}

void forget_identity(const std::string& folder, std::string_view name) {
  std::remove(path_of(folder, name).c_str());
  sync_folder(folder);
}

}  // namespace posthorn::daemon
