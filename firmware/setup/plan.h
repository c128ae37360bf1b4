#pragma once

#include <string>
#include <vector>

#include "setup/settings.h"

/// What the settings mean for the system, as files and programs to run: pure, so that a test reads
/// it. Everything lands in places that are volatile on the box (/run, and /etc under the overlay),
/// and is made anew from the kept settings at each boot.
namespace posthorn::setup {

struct PlannedFile {
  std::string path;
  std::string text;
  unsigned mode = 0644;
  bool for_posthorn = false;  ///< group posthorn may read it
};

struct Plan {
  std::vector<PlannedFile> files;
  std::vector<std::pair<std::string, std::string>> links;  ///< path, target
  /// Ours of a time before, which nothing asks for any more.
  std::vector<std::string> stale;
  std::vector<std::vector<std::string>> commands;
  /// What a setting's value comes to together with the others: goes into the verdict.
  struct Trouble {
    std::string key;
    std::string sentence;
    bool used = false;  ///< false: the setting has no effect
  };
  std::vector<Trouble> troubles;
};

/// toml: the installation's posthorn.toml, onto which the box's own keys are laid; the result goes
/// to /run/posthorn/posthorn.toml, and only when there is such a key.
/// has_zone: whether the system knows a time zone of that name.
[[nodiscard]] Plan make_plan(const Settings& settings, const std::string& toml, bool has_zone);

}  // namespace posthorn::setup
