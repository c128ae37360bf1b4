#include "ctl/care.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <thread>

#include "ctl/commands.h"

namespace posthorn::ctl {

namespace {

constexpr std::chrono::seconds kInstallAtMost{900};

int finish(const Result<void>& done) { return done ? 0 : complain(done.error()); }

std::string text_at(const json::Value& value, const char* key) {
  return json::text_of(json::at(value, key)).value_or("");
}

/// Echo goes off while it is typed, and comes back whatever happens.
class Unseen {
 public:
  Unseen() : seen_(tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!seen_) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  ~Unseen() {
    if (!seen_) return;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    std::fputc('\n', stderr);
  }
  Unseen(const Unseen&) = delete;
  Unseen& operator=(const Unseen&) = delete;

 private:
  termios before_{};
  bool seen_;
};

std::string ask_unseen(const char* question) {
  if (isatty(STDIN_FILENO) != 0) std::fprintf(stderr, "%s: ", question);
  const Unseen unseen;
  std::string line;
  std::getline(std::cin, line);
  return line;
}

/// From the file, else typed; twice when it will lock something.
Result<std::string> passphrase(const std::string& file, bool twice) {
  if (!file.empty()) {
    std::ifstream in(file);
    std::string line;
    if (!std::getline(in, line)) return fail(Errc::io, file + ": cannot be read");
    return line;
  }
  std::string first = ask_unseen("Passphrase of the backup");
  if (twice && isatty(STDIN_FILENO) != 0 && ask_unseen("Once more") != first) {
    return fail(Errc::malformed, "the two are not the same");
  }
  return first;
}

bool agreed(bool yes, const std::string& question) {
  if (yes) return true;
  std::fprintf(stderr, "%s Type yes: ", question.c_str());
  std::string line;
  std::getline(std::cin, line);
  return line == "yes";
}

/// Sends a file; gives its size as the box has it.
Result<std::int64_t> upload(const Client& client, const std::string& method,
                            const std::string& path) {
  TRY(const json::Value taken, client.put_file(method, path));
  return json::int_at(taken, "received").value_or(0);
}

/// For the owner's eyes; never over a file that is there. Gives its size.
Result<std::uint64_t> download(const Client& client, const std::string& method,
                               const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return fail(Errc::io, path + ": " + std::strerror(errno));
  auto done = client.get_file(method, fd);
  if (done && fsync(fd) != 0) done = fail(Errc::io, path + ": " + std::strerror(errno));
  close(fd);
  if (!done) unlink(path.c_str());
  return done;
}

/// Follows an installation to its end; the box goes away when it succeeded.
Result<void> follow_update(const Client& client) {
  const auto end = std::chrono::steady_clock::now() + kInstallAtMost;
  std::string shown;
  while (std::chrono::steady_clock::now() < end) {
    const auto status = client.get("getUpdateStatus");
    if (!status && status.error().code == Errc::disconnected) {
      std::printf("The box restarts. In a minute \"posthornctl status\" shows its version.\n");
      return {};
    }
    if (status) {
      const std::string state = text_at(*status, "state");
      if (state != shown) std::printf("%s %s\n", state.c_str(), text_at(*status, "detail").c_str());
      shown = state;
      std::fflush(stdout);
      if (state == "installed") return {};
      if (state == "failed") return fail(Errc::refused, "the update was not installed");
    }
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
  return fail(Errc::timeout, "no end after 15 minutes; see posthornctl diagnose");
}

Result<void> update(const Client& client, const std::string& file) {
  TRY(const std::int64_t size, upload(client, "uploadUpdate", file));
  json::Value body;
  body["size"] = static_cast<::Json::Int64>(size);
  TRY(client.post("installUpdate", body));
  return follow_update(client);
}

Result<void> confirm(const Client& client, const char* method, json::Value body,
                     const std::string& word) {
  body["confirm"] = word;
  TRY(const json::Value answer, client.post(method, body));
  const std::string note = text_at(answer, "note");
  std::printf("Accepted.%s%s\n", note.empty() ? "" : " ", note.c_str());
  return {};
}

Result<void> back_up(const Client& client, const std::string& file,
                     const std::string& passphrase_file, bool journal) {
  TRY(const std::string secret, passphrase(passphrase_file, true));
  json::Value body;
  body["journal"] = journal;
  body["passphrase"] = secret;
  TRY(const json::Value made, client.post("makeBackup", body));
  TRY(const std::uint64_t size, download(client, "readBackup", file));
  if (std::to_string(size) != text_at(made, "size")) {
    unlink(file.c_str());
    return fail(Errc::disconnected, "the backup came in another size than it was made");
  }
  std::printf("%s: %llu bytes. Without its passphrase it is lost. %s\n", file.c_str(),
              static_cast<unsigned long long>(size), text_at(made, "note").c_str());
  return {};
}

Result<void> restore(const Client& client, const std::string& file,
                     const std::string& passphrase_file) {
  TRY(const std::string secret, passphrase(passphrase_file, false));
  TRY(const std::int64_t size, upload(client, "uploadBackup", file));
  json::Value body;
  body["passphrase"] = secret;
  body["size"] = static_cast<::Json::Int64>(size);
  return confirm(client, "restoreBackup", body, "replace");
}

Result<void> diagnose(const Client& client, const std::string& file) {
  TRY(const std::uint64_t size, download(client, "getSupportBundle", file));
  std::printf("%s: %llu bytes. It holds no message, number, token or key.\n", file.c_str(),
              static_cast<unsigned long long>(size));
  return {};
}

/// Absent hardware is "unknown", never "all right".
Result<void> show_board(const Client& client) {
  TRY(const json::Value board, client.get("getBoardStatus"));
  for (const std::string& name : board.getMemberNames()) {
    const json::Value& value = board[name];
    const std::string text = value.isNull()   ? "unknown"
                             : value.isBool() ? (*json::bool_at(board, name.c_str()) ? "yes" : "no")
                                              : json::text_of(value).value_or("");
    std::printf("%-20s %s\n", name.c_str(), text.c_str());
  }
  return {};
}

}  // namespace

CareCommands::CareCommands(CLI::App& options)
    : update_(options.add_subcommand("update", "install an update from a file")),
      reset_(options.add_subcommand("reset", "forget settings, as the button does")),
      restart_(options.add_subcommand("restart", "restart the whole box")),
      diagnose_(options.add_subcommand("diagnose", "write a bundle for whoever helps")),
      backup_(options.add_subcommand("backup", "write the phone's link and settings to a file")),
      restore_(options.add_subcommand("restore", "let this box take a dead one's place")),
      board_(options.add_subcommand("board", "temperature, storage, watchdog, LED, button")) {
  update_->add_option("file", file_, "*.raucb")->required();
  reset_->add_option("what", what_, "network, settings (the phone stays linked), everything")
      ->required()
      ->check(CLI::IsMember({"network", "settings", "everything"}));
  for (CLI::App* sure : {reset_, restart_, restore_}) {
    sure->add_flag("--yes", yes_, "do not ask");
  }
  diagnose_->add_option("file", file_, "a new file")->default_val("posthorn-support.tar.gz");
  backup_->add_option("file", file_, "a new file")->required();
  backup_->add_flag("--journal", journal_, "with what was said, which people wrote to the shop");
  restore_->add_option("file", file_, "what posthornctl backup wrote")->required();
  for (CLI::App* locked : {backup_, restore_}) {
    locked->add_option("--passphrase-file", passphrase_file_, "its first line; else you type it");
  }
}

std::optional<int> CareCommands::run(const Client& client) const {
  if (update_->parsed()) return finish(update(client, file_));
  if (diagnose_->parsed()) return finish(diagnose(client, file_));
  if (backup_->parsed()) return finish(back_up(client, file_, passphrase_file_, journal_));
  if (board_->parsed()) return finish(show_board(client));
  if (reset_->parsed()) {
    const bool sure = agreed(yes_, "Reset " + what_ + " of this box?");
    if (!sure) return complain({Errc::cancelled, "nothing was changed"});
    json::Value body;
    body["what"] = what_;
    return finish(confirm(client, "resetBox", body, what_));
  }
  if (restart_->parsed()) {
    if (!agreed(yes_, "Restart the whole box?"))
      return complain({Errc::cancelled, "not restarted"});
    return finish(confirm(client, "restartBox", json::Value(::Json::objectValue), "restart"));
  }
  if (restore_->parsed()) {
    const bool sure = agreed(yes_,
                             "The link and settings of this box are replaced by the backup's. The "
                             "box that made it must stay off.");
    if (!sure) return complain({Errc::cancelled, "nothing was changed"});
    return finish(restore(client, file_, passphrase_file_));
  }
  return std::nullopt;
}

}  // namespace posthorn::ctl
