#include <grp.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "posthorn/base/config.h"
#include "posthorn/board/board_data.h"
#include "posthorn/board/led.h"

/// posthorn-led: the LED when the daemon cannot speak for itself. Run by systemd as root:
///   prepare   before posthornd starts: the pattern trigger, and its files handed to our group
///   stopped   after it ended: "fault" unless the end was wanted ($SERVICE_RESULT), else dark
///   fault     it failed for good
/// On a computer without an LED each does nothing. Never fails for the LED's sake: what it is
/// called by must go on.
namespace {

using namespace posthorn;

constexpr const char* kGroup = "posthorn";
/// Of the trigger's folder: what the daemon writes while it runs.
constexpr const char* kHandedOver[] = {"trigger", "pattern", "brightness"};

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Debian builds the trigger as a module, and the kernel does not load it by itself.
void load_trigger() {
  const char* const arguments[] = {"modprobe", "-q", "ledtrig-pattern", nullptr};
  pid_t child = 0;
  if (posix_spawnp(&child, "modprobe", nullptr, nullptr, const_cast<char* const*>(arguments),
                   environ) == 0) {
    waitpid(child, nullptr, 0);
  }
}

/// The files are made anew, and root's, each time the trigger is chosen: so this comes after it.
void hand_over(const std::string& folder) {
  const group* ours = getgrnam(kGroup);
  if (ours == nullptr) return;
  for (const char* name : kHandedOver) {
    const std::string path = folder + "/" + name;
    if (chown(path.c_str(), 0, ours->gr_gid) == 0) chmod(path.c_str(), 0664);
  }
}

int complain(const Error& error) {
  std::fprintf(stderr, "posthorn-led: %s\n", error.detail.c_str());
  return 0;
}

int run(std::string_view what, const BoardConfig& config) {
  const auto board = board::find_board(config.data, content_of(config.device_tree));
  if (!board) return complain(board.error());
  const auto folder = board::led_folder(*board, config.sysfs);
  if (!folder) return 0;
  board::Light light = board::Light::fault;
  if (what == "prepare") {
    load_trigger();
    light = board::Light::starting;
  }
  if (what == "stopped") {
    const char* result = std::getenv("SERVICE_RESULT");
    if (result != nullptr && std::string_view(result) == "success") light = board::Light::off;
  }
  if (const auto shown = board::Led(*folder).show(light); !shown) return complain(shown.error());
  if (what == "prepare") hand_over(*folder);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc >= 2 ? argv[1] : "";
  if ((argc != 2 && argc != 5) || (what != "prepare" && what != "stopped" && what != "fault")) {
    std::fprintf(stderr, "posthorn-led prepare|stopped|fault [BOARDS SYSFS DEVICE-TREE]\n");
    return 2;
  }
  BoardConfig config;
  if (argc == 5) config = {argv[2], argv[3], argv[4]};
  return run(what, config);
}
