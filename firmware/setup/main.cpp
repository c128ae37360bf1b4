#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "setup/run_program.h"
#include "setup/setup.h"

namespace {

/// A screen or serial line, where one is attached; a box without one is no error, and one that
/// takes no bytes is not waited for.
void show_on_console(const std::string& text) {
  const int console = open("/dev/console", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (console < 0) return;
  [[maybe_unused]] const ssize_t shown = write(console, text.data(), text.size());
  close(console);
}

}  // namespace

/// posthorn-setup: applies posthorn.txt, once per boot, before the network comes up; with --tell,
/// once the daemon is up, says how the box is reached. Ends with 0 whatever the file holds;
/// README.md in firmware/system tells technicians about it.
int main(int argc, char** argv) {
  posthorn::setup::Places places;
  bool tell = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--tell") {
      tell = true;
      continue;
    }
    std::string* place = name == "--boot"    ? &places.boot
                         : name == "--state" ? &places.state
                         : name == "--data"  ? &places.data
                         : name == "--root"  ? &places.root
                                             : nullptr;
    if (place == nullptr || i + 1 >= argc) {
      std::fprintf(
          stderr, "posthorn-setup [--tell] [--boot DIR] [--state DIR] [--data DIR] [--root DIR]\n");
      return 2;
    }
    *place = argv[++i];
  }
  if (tell) {
    const std::string text = posthorn::setup::tell_access(places, posthorn::setup::run_program);
    show_on_console(text);
    std::fputs(text.c_str(), stdout);
    return 0;
  }
  std::fputs(posthorn::setup::set_up(places, posthorn::setup::run_program).c_str(), stdout);
  return 0;
}
