#include "system/request.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "posthorn/base/json.h"
#include "posthorn/base/utf8.h"
#include "setup/settings_file.h"
#include "setup/trial.h"
#include "system/network_change.h"

namespace posthorn::system_side {

namespace {

constexpr const char* kUpdate = "update.raucb";
/// What an update is called while it is being installed: found at the next start, it tells of a
/// power cut in the middle, which would come again with the same file and the same weak supply.
constexpr const char* kInstalling = "update.installing";
constexpr const char* kStatus = "update-status.json";
constexpr std::size_t kSaidAtMost = 500;
/// Deeper than a file system's longest path; whoever makes folders faster than we remove them does
/// not keep us.
constexpr std::size_t kRoundsAtMost = 4096;

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

/// O_NOFOLLOW: the folder stands in the daemon's own, which could put a link there.
Result<Folder> open_folder(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return fail(Errc::io, path + ": " + std::strerror(errno));
  DIR* folder = fdopendir(fd);
  if (folder == nullptr) {
    close(fd);
    return fail(Errc::io, path + ": " + std::strerror(errno));
  }
  return Folder(folder);
}

bool is_there(DIR* folder, const char* name) {
  struct stat found {};
  return fstatat(dirfd(folder), name, &found, AT_SYMLINK_NOFOLLOW) == 0;
}

bool is_regular(DIR* folder, const char* name) {
  struct stat found {};
  return fstatat(dirfd(folder), name, &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(found.st_mode);
}

/// At most what a change of the network may have; "" where it cannot be read.
std::string content_of(DIR* folder, const char* name) {
  const int fd = openat(dirfd(folder), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return "";
  std::string out(kChangeAtMost, '\0');
  const ssize_t count = read(fd, out.data(), out.size());
  close(fd);
  out.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return out;
}

void remove_entry(DIR* folder, const char* name) {
  if (unlinkat(dirfd(folder), name, 0) != 0) unlinkat(dirfd(folder), name, AT_REMOVEDIR);
}

std::vector<std::string> names_in(DIR* folder) {
  rewinddir(folder);
  std::vector<std::string> names;
  while (const dirent* entry = readdir(folder)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  return names;
}

/// Empties a folder that stands in ours: what cannot go, being a folder with something in it, moves
/// up beside it. So no depth needs more than one open folder, and no path is followed that the
/// daemon could bend while we look.
void lift_out(DIR* top, const char* name, std::size_t& moved) {
  const int fd = openat(dirfd(top), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return;
  const Folder inner(fdopendir(fd));
  if (!inner) {
    close(fd);
    return;
  }
  for (const std::string& entry : names_in(inner.get())) {
    remove_entry(inner.get(), entry.c_str());
    if (!is_there(inner.get(), entry.c_str())) continue;
    const std::string lifted = ".lifted-" + std::to_string(++moved);
    renameat(dirfd(inner.get()), entry.c_str(), dirfd(top), lifted.c_str());
  }
}

/// Anything else than a request would wake us again and again, folders too.
void remove_strangers(DIR* folder) {
  std::size_t moved = 0;
  for (std::size_t round = 0; round < kRoundsAtMost; ++round) {
    const std::vector<std::string> names = names_in(folder);
    if (names.empty()) return;
    for (const std::string& name : names) {
      remove_entry(folder, name.c_str());
      if (!is_there(folder, name.c_str())) continue;
      lift_out(folder, name.c_str(), moved);
      remove_entry(folder, name.c_str());
    }
  }
}

class Work {
 public:
  Work(const Paths& paths, const RunProgram& run_program, const Wait& wait, DIR* folder)
      : paths_(paths), run_program_(run_program), wait_(wait), folder_(folder) {}

  std::vector<std::string> run() {
    tell_of_a_cut();
    if (is_regular(folder_, setup::kChangeRequest)) change();
    if (is_there(folder_, kUpdate)) install();
    if (take("reset-everything")) {
      forget(setup::Forget::everything);
      done_.emplace_back("settings of posthorn.txt are forgotten");
    }
    if (take("reset-settings")) {
      forget(setup::Forget::everything);
      done_.emplace_back("settings of posthorn.txt are forgotten");
    }
    if (take("network-reset")) {
      forget(setup::Forget::network);
      done_.emplace_back("network settings of posthorn.txt are forgotten");
    }
    if (take("reboot")) {
      reboot_ = true;
      done_.emplace_back("restart asked for");
    }
    remove_strangers(folder_);
    if (reboot_) restart();
    return std::move(done_);
  }

 private:
  bool take(const char* name) {
    if (!is_regular(folder_, name)) return false;
    remove_entry(folder_, name);
    return true;
  }

  /// What was applied at boot goes only with the next boot; where nothing was kept (a computer that
  /// posthorn-setup never touched) there is nothing to undo and no reason to restart.
  void forget(setup::Forget what) {
    // The network that the box was reached by is no measure for the next one (posthorn-reach).
    unlink((paths_.state + "/reached").c_str());
    const auto changed = setup::forget_kept(paths_.state, what);
    if (!changed) {
      done_.push_back("kept settings: " + changed.error().detail);
    } else if (*changed) {
      reboot_ = true;
    }
  }

  void change() {
    const std::string text = content_of(folder_, setup::kChangeRequest);
    remove_entry(folder_, setup::kChangeRequest);
    // A word that is older than the change is none about it.
    remove_entry(folder_, setup::kConfirmRequest);
    done_.push_back(change_network(
        paths_, run_program_, wait_, text, [this] { return take(setup::kConfirmRequest); },
        [this] {
          const std::vector<std::string> names = names_in(folder_);
          return std::any_of(names.begin(), names.end(), [](const std::string& name) {
            return name != setup::kConfirmRequest;
          });
        }));
  }

  void tell_of_a_cut() {
    if (!is_there(folder_, kInstalling)) return;
    remove_entry(folder_, kInstalling);
    write_status("failed",
                 "the power went while the update was being installed; nothing changed, "
                 "upload it again");
    done_.emplace_back("an interrupted update is given up");
  }

  void install() {
    if (!is_regular(folder_, kUpdate)) return;  // goes with the strangers
    if (renameat(dirfd(folder_), kUpdate, dirfd(folder_), kInstalling) != 0) {
      remove_entry(folder_, kUpdate);
      write_status("failed", std::strerror(errno));
      return;
    }
    fsync(dirfd(folder_));
    write_status("installing", "");
    std::string said;
    const int status = run_program_({"rauc", "install", paths_.requests + "/" + kInstalling}, said);
    remove_entry(folder_, kInstalling);
    if (status != 0) {
      write_status("failed", said.empty() ? "rauc ended with " + std::to_string(status) : said);
      done_.emplace_back("update refused or failed");
      return;
    }
    write_status("installed", "the box restarts with it, and goes back if it does not get up");
    done_.emplace_back("update installed");
    reboot_ = true;
  }

  /// Kept for after the restart in the state folder, shown now in the run folder.
  void write_status(const char* state, const std::string& detail) {
    json::Value out;
    out["state"] = state;
    out["detail"] = cut_utf8(detail, kSaidAtMost);
    const std::string text = json::write(out) + "\n";
    for (const std::string& folder : {paths_.run, paths_.state}) {
      const auto written = setup::write_durably(folder + "/" + kStatus, text, 0644);
      if (!written) done_.push_back(written.error().detail);
    }
  }

  void restart() {
    std::string said;
    if (run_program_({"systemctl", "--no-block", "reboot"}, said) != 0) {
      done_.push_back("restart: " + said);
    }
  }

  const Paths& paths_;
  const RunProgram& run_program_;
  const Wait& wait_;
  DIR* folder_;
  std::vector<std::string> done_;
  bool reboot_ = false;
};

}  // namespace

Result<std::vector<std::string>> carry_out(const Paths& paths, const RunProgram& run_program,
                                           const Wait& wait) {
  TRY(const Folder folder, open_folder(paths.requests));
  return Work(paths, run_program, wait, folder.get()).run();
}

}  // namespace posthorn::system_side
