#include <cstdio>
#include <string_view>

#include "setup/run_program.h"
#include "setup/setup.h"

/// posthorn-setup: applies posthorn.txt, once per boot, before the network comes up. Ends with 0
/// whatever the file holds; README.md in firmware/system tells technicians about it.
int main(int argc, char** argv) {
  posthorn::setup::Places places;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    std::string* place = name == "--boot"    ? &places.boot
                         : name == "--state" ? &places.state
                         : name == "--root"  ? &places.root
                                             : nullptr;
    if (place == nullptr || i + 1 >= argc) {
      std::fprintf(stderr, "posthorn-setup [--boot DIR] [--state DIR] [--root DIR]\n");
      return 2;
    }
    *place = argv[i + 1];
  }
  std::fputs(posthorn::setup::set_up(places, posthorn::setup::run_program).c_str(), stdout);
  return 0;
}
