#pragma once

#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "ctl/client.h"

namespace posthorn::ctl {

/// The technician's commands for the box itself: update, reset, restart, diagnose, backup, restore.
class CareCommands {
 public:
  /// Adds them to posthornctl, which outlives this.
  explicit CareCommands(CLI::App& options);

  /// The exit status of the one that was called; nullopt: none of them was.
  [[nodiscard]] std::optional<int> run(const Client& client) const;

 private:
  CLI::App* update_;
  CLI::App* reset_;
  CLI::App* restart_;
  CLI::App* diagnose_;
  CLI::App* backup_;
  CLI::App* restore_;
  CLI::App* board_;
  std::string file_;
  std::string what_;
  std::string passphrase_file_;
  bool yes_ = false;
  bool journal_ = false;
};

}  // namespace posthorn::ctl
