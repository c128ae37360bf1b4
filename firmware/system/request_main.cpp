#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "setup/run_program.h"
#include "system/request.h"

/// posthorn-request: root's answer to files in /var/lib/posthorn/requests; README.md beside this
/// file lists them. Arguments are for tests.
int main(int argc, char** argv) {
  posthorn::system_side::Paths paths;
  if (argc == 4) {
    paths = {argv[1], argv[2], argv[3]};
  } else if (argc != 1) {
    std::fprintf(stderr, "posthorn-request [REQUESTS STATE RUN]\n");
    return 2;
  }
  const auto done =
      posthorn::system_side::carry_out(paths, posthorn::setup::run_program, [] { sleep(1); });
  if (!done) {
    std::fprintf(stderr, "posthorn-request: %s\n", done.error().detail.c_str());
    return 1;
  }
  for (const std::string& line : *done) std::printf("%s\n", line.c_str());
  return 0;
}
