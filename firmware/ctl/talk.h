#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "ctl/client.h"

namespace posthorn::ctl {

/// What was said and with whom: history, chats, groups. One object per command line.
class TalkCommands {
 public:
  explicit TalkCommands(CLI::App& options);

  /// The command that was asked for, as an exit status; nullopt: none of these.
  [[nodiscard]] std::optional<int> run(const Client& client) const;

 private:
  CLI::App* history_;
  CLI::App* chats_;
  CLI::App* groups_;
  std::string chat_;
  std::string external_;
  std::string group_;
  int count_ = 20;
  bool phone_ = false;  ///< asked of the phone instead
  int chats_count_ = 50;
};

}  // namespace posthorn::ctl
