#include "system/network_change.h"

#include <algorithm>

#include "setup/plan.h"
#include "setup/settings_file.h"
#include "setup/trial.h"

namespace posthorn::system_side {

namespace {

using setup::Settings;

/// The settings with the change on top. Errors: refused, in words for whoever asked.
Result<Settings> wanted_settings(const Paths& paths, const Settings& before,
                                 const std::string& text) {
  const auto on_card = setup::keys_on_card(paths.run);
  if (!on_card) return fail(Errc::refused, "the network is set by the operating system");
  const setup::Parsed parsed = setup::parse_settings(text);
  if (parsed.verdicts.empty()) return fail(Errc::refused, "nothing is asked for");
  for (const setup::LineVerdict& line : parsed.verdicts) {
    if (!line.good) return fail(Errc::refused, line.key + ": " + line.sentence);
    if (!setup::is_tried(line.key)) {
      return fail(Errc::refused, line.key + ": is set in posthorn.txt on the card only");
    }
    if (std::find(on_card->begin(), on_card->end(), line.key) != on_card->end()) {
      return fail(Errc::refused,
                  line.key + ": stands in posthorn.txt on the card and is changed there");
    }
  }
  Settings wanted = setup::merge(before, parsed);
  for (const setup::Plan::Trouble& one : setup::make_plan(wanted, "", false).troubles) {
    if (setup::is_tried(one.key)) return fail(Errc::refused, one.key + ": " + one.sentence);
  }
  return wanted;
}

/// Makes the system's files anew and has them read.
Result<void> apply(const RunProgram& run_program) {
  std::string said;
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"systemctl", "restart", "posthorn-setup.service"},
        // Not networkctl: later ones refuse to be asked from a network namespace like ours.
        {"busctl", "call", "org.freedesktop.network1", "/org/freedesktop/network1",
         "org.freedesktop.network1.Manager", "Reload"},
        {"systemctl", "try-restart", "systemd-timesyncd.service"}}) {
    if (run_program(command, said) != 0) {
      return fail(Errc::io, command[0] + " " + command[1] + ": " + said);
    }
  }
  return {};
}

std::string tell(const Paths& paths, const setup::TrialStatus& status) {
  const auto told = setup::tell_trial(paths.run, status);
  return "network: " + status.state + (status.detail.empty() ? "" : ": " + status.detail) +
         (told ? "" : " (" + told.error().detail + ")");
}

std::string go_back(const Paths& paths, const RunProgram& run_program, const std::string& why) {
  std::string detail = why;
  if (auto back = setup::give_up_trial(paths.state, paths.run); !back) {
    detail += "; " + back.error().detail;
  }
  if (auto applied = apply(run_program); !applied) detail += "; " + applied.error().detail;
  return tell(paths, {"back", detail});
}

}  // namespace

std::string change_network(const Paths& paths, const RunProgram& run_program, const Wait& wait,
                           const std::string& text, const std::function<bool()>& confirmed,
                           const std::function<bool()>& hurried) {
  const Settings before = setup::load_kept(paths.state);
  const auto wanted = wanted_settings(paths, before, text);
  if (!wanted) return tell(paths, {"refused", wanted.error().detail});
  if (*wanted == before) return tell(paths, {"kept", "nothing was changed"});
  if (auto begun = setup::begin_trial(paths.state, paths.run, before, *wanted); !begun) {
    return go_back(paths, run_program, begun.error().detail);
  }
  tell(paths, {"waiting", "", setup::since_boot() + setup::kTrialSeconds});
  if (auto applied = apply(run_program); !applied) {
    return go_back(paths, run_program, applied.error().detail);
  }
  for (int round = 0; round < setup::kTrialSeconds; ++round) {
    if (confirmed()) {
      if (auto settled = setup::settle_trial(paths.state, paths.run); !settled) {
        return go_back(paths, run_program, settled.error().detail);
      }
      return tell(paths, {"kept"});
    }
    if (hurried()) return go_back(paths, run_program, "something else was asked for meanwhile");
    wait();
  }
  return go_back(paths, run_program, "nobody confirmed the new settings");
}

}  // namespace posthorn::system_side
