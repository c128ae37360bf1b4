#include "daemon/restore.h"

#include <filesystem>

#include "daemon/system_requests.h"
#include "posthorn/base/log.h"

namespace posthorn::daemon {

namespace {

namespace fs = std::filesystem;

constexpr const char* kRequest = "/restore-request";
constexpr const char* kRestored = "/posthorn.db.restored";
constexpr const char* kDatabase = "/posthorn.db";

Result<void> rename_durably(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) return fail(Errc::io, to + ": " + error.message());
  sync_folder(fs::path(to).parent_path());
  return {};
}

}  // namespace

Result<void> request_restore(const std::string& data_dir, const std::string& database) {
  TRY(rename_durably(database, data_dir + kRestored));
  return write_durably(data_dir + kRequest, "restore\n");
}

Result<bool> finish_restore(const std::string& data_dir) {
  std::error_code error;
  if (!fs::exists(data_dir + kRequest, error)) {
    fs::remove(data_dir + kRestored, error);  // a power cut before the request
    return false;
  }
  if (fs::exists(data_dir + kRestored, error)) {
    // The WAL belongs to the database that goes, and would be taken for the new one's.
    fs::remove(data_dir + kDatabase + "-wal", error);
    fs::remove(data_dir + kDatabase + "-shm", error);
    TRY(rename_durably(data_dir + kRestored, data_dir + kDatabase));
  }
  fs::remove(data_dir + kRequest, error);
  sync_folder(data_dir);
  log::warn("posthornd", "the database is the backup's");
  return true;
}

}  // namespace posthorn::daemon
