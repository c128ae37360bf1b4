#include "setup/trial.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "posthorn/base/json.h"
#include "posthorn/base/utf8.h"
#include "setup/settings_file.h"

namespace posthorn::setup {

namespace {

constexpr const char* kBefore = "/settings.before";
/// In memory: it is gone after a restart of the system, the file above is not.
constexpr const char* kRunning = "/network-trial";
constexpr const char* kNetwork = "/network.json";
constexpr const char* kStatus = "/network-status.json";
constexpr std::array<std::string_view, 4> kTried{"address", "gateway", "dns", "time_server"};
constexpr std::size_t kDetailAtMost = 300;

/// For good: a power cut must not bring it back.
Result<void> remove_file(const std::string& path) {
  if (unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return {};
    return fail(Errc::io, path + ": " + std::strerror(errno));
  }
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && fsync(fd) == 0;
  const int why = errno;
  if (fd >= 0) close(fd);
  if (!synced) return fail(Errc::io, folder + ": " + std::strerror(why));
  return {};
}

/// Where it cannot be made, writing into it says so.
void make_folder(const std::string& path) {
  std::error_code ignored;
  std::filesystem::create_directories(path, ignored);
}

}  // namespace

std::int64_t since_boot() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec;
}

bool is_tried(std::string_view key) {
  return std::find(kTried.begin(), kTried.end(), key) != kTried.end();
}

Result<void> begin_trial(const std::string& state, const std::string& run, const Settings& before,
                         const Settings& wanted) {
  TRY(write_durably(run + kRunning, "", 0600));
  TRY(write_durably(state + kBefore, write_settings(before), 0600));
  return save_kept(state, wanted);
}

Result<void> settle_trial(const std::string& state, const std::string& run) {
  TRY(remove_file(state + kBefore));
  return remove_file(run + kRunning);
}

Result<bool> give_up_trial(const std::string& state, const std::string& run) {
  const auto before = read_file(state + kBefore, kFileAtMost);
  if (!before) {
    TRY(remove_file(run + kRunning));
    return false;
  }
  TRY(save_kept(state, parse_settings(*before).set));
  TRY(settle_trial(state, run));
  return true;
}

bool trial_was_cut(const std::string& state, const std::string& run) {
  return access((state + kBefore).c_str(), F_OK) == 0 &&
         access((run + kRunning).c_str(), F_OK) != 0;
}

Result<void> tell_trial(const std::string& run, const TrialStatus& status) {
  json::Value out(::Json::objectValue);
  out["state"] = status.state;
  out["detail"] = cut_utf8(status.detail, kDetailAtMost);
  if (status.until_s > 0) out["untilSeconds"] = static_cast<::Json::Int64>(status.until_s);
  make_folder(run);
  return write_durably(run + kStatus, json::write(out) + "\n", 0644);
}

Result<void> tell_network(const std::string& run, const Settings& settings, const Parsed& on_card) {
  json::Value out(::Json::objectValue);
  out["settings"] = json::Value(::Json::objectValue);
  for (const auto& [name, value] : settings) {
    if (is_tried(name) || name == "wifi_name") out["settings"][name] = value;
  }
  out["onCard"] = json::Value(::Json::arrayValue);
  for (const auto& [name, value] : on_card.set) out["onCard"].append(name);
  for (const std::string& name : on_card.taken_back) out["onCard"].append(name);
  make_folder(run);
  return write_durably(run + kNetwork, json::write(out) + "\n", 0644);
}

std::optional<std::vector<std::string>> keys_on_card(const std::string& run) {
  const auto text = read_file(run + kNetwork, kFileAtMost);
  if (!text) return std::nullopt;
  std::vector<std::string> out;
  if (const auto told = json::parse(*text)) {
    for (const json::Value& name : json::at(*told, "onCard")) {
      out.push_back(json::text_of(name).value_or(""));
    }
  }
  return out;
}

}  // namespace posthorn::setup
