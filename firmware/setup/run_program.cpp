#include "setup/run_program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace posthorn::setup {

namespace {

constexpr std::size_t kSaidAtMost = 1024;

void read_end(int fd, std::string& said) {
  std::array<char, 4096> piece{};
  for (;;) {
    const ssize_t count = read(fd, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    said.append(piece.data(), static_cast<std::size_t>(count));
    if (said.size() > 2 * kSaidAtMost) said.erase(0, said.size() - kSaidAtMost);
  }
  if (said.size() > kSaidAtMost) said.erase(0, said.size() - kSaidAtMost);
  while (!said.empty() && (said.back() == '\n' || said.back() == ' ')) said.pop_back();
}

}  // namespace

int run_program(const std::vector<std::string>& command, std::string& said) {
  said.clear();
  std::vector<char*> arguments;
  for (const std::string& part : command) arguments.push_back(const_cast<char*>(part.c_str()));
  arguments.push_back(nullptr);
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return 127;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  pid_t child = 0;
  const int failed =
      posix_spawnp(&child, arguments.front(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (failed == 0) read_end(ends[0], said);
  close(ends[0]);
  if (failed != 0) {
    said = command.front() + ": cannot be started";
    return 127;
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace posthorn::setup
