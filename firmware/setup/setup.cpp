#include "setup/setup.h"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "posthorn/base/json.h"
#include "setup/settings_file.h"
#include "setup/trial.h"
#include "setup/zones.h"

namespace posthorn::setup {

namespace {

namespace fs = std::filesystem;

constexpr const char* kSettings = "/posthorn.txt";
constexpr const char* kResult = "/posthorn-result.txt";
/// In the state folder while that is in memory only; its text says why.
constexpr const char* kVolatile = "/volatile";
constexpr const char* kToml = "/etc/posthorn/posthorn.toml";
constexpr const char* kHostName = "/etc/hostname";
constexpr const char* kZones = "/usr/share/zoneinfo";
constexpr const char* kAccess = "/access.json";
constexpr const char* kRun = "/run/posthorn";
constexpr std::size_t kWhyAtMost = 200;
constexpr std::size_t kTomlAtMost = std::size_t{1} << 20;
constexpr std::size_t kAccessAtMost = std::size_t{16} << 10;
constexpr std::string_view kForTheTill = "\nWhat a till is given:\n";
constexpr std::string_view kNothingYet = "posthorn.txt on this card sets nothing yet.\n";

/// The FAT partition is mounted read-only between moments like this one.
Result<void> on_card(const Places& places, const RunProgram& run_program,
                     const std::function<Result<void>()>& write) {
  if (access(places.boot.c_str(), W_OK) == 0) return write();
  std::string said;
  run_program({"mount", "-o", "remount,rw", places.boot}, said);
  auto written = write();
  run_program({"mount", "-o", "remount,ro", places.boot}, said);
  return written;
}

/// How the box is reached and by what, as the daemon left it. for_screens: without secrets.
std::string access_text(const Places& places, bool for_screens) {
  const auto text = read_file(places.data + kAccess, kAccessAtMost);
  const auto access = text ? json::parse(*text) : json::parse("");
  if (!access) return "";
  std::string host = read_file(places.root + kHostName, 256).value_or("posthorn");
  host = host.substr(0, host.find_first_of(" \t\r\n"));
  const auto line = [](const char* name, const std::string& value) {
    return value.empty() ? "" : "  " + std::string(name) + " = " + value + "\n";
  };
  std::string out(kForTheTill);
  out += line("apiUrl", "http://" + (host.empty() ? "posthorn" : host) + ".local");
  out += line("idInstance", json::text_of(json::at(*access, "idInstance")).value_or(""));
  if (for_screens) return out + "  the token stands in posthorn-result.txt on the card\n";
  out += line("apiTokenInstance", json::string_at(*access, "apiTokenInstance").value_or(""));
  const std::string care = line("careToken", json::string_at(*access, "careToken").value_or(""));
  if (care.empty()) return out;
  return out + "\nThe technician's own, for backup, restore, update and reset; not for a till:\n" +
         care;
}

class Run {
 public:
  Run(const Places& places, const RunProgram& run_program)
      : places_(places), run_program_(run_program) {}

  std::string run() {
    if (const auto why = read_file(places_.state + kVolatile, kWhyAtMost)) tell_of_lost_data(*why);
    tell_of_imager();
    end_cut_trial();
    const Settings settings = take_settings();
    apply(settings);
    if (const auto told = tell_network(places_.root + kRun, settings, parsed_); !told) {
      trouble("network.json", told.error().detail);
    }
    std::string text = verdict(settings);
    write_result(text, settings.empty());
    return text;
  }

 private:
  Settings take_settings() {
    const Settings kept = load_kept(places_.state);
    const std::string path = places_.boot + kSettings;
    const auto text = read_file(path, kFileAtMost + 1);
    if (!text) {
      if (text.error().code != Errc::not_found) trouble("posthorn.txt", text.error().detail);
      return kept;
    }
    parsed_ = parse_settings(
        *text, [this](const std::string& name) { return find_zone(places_.root + kZones, name); });
    Settings settings = merge(kept, parsed_);
    // Kept first: only then may the secrets go from the card.
    if (const auto saved = save_kept(places_.state, settings); !saved) {
      trouble("keeping the settings", saved.error().detail);
      return settings;
    }
    if (volatile_ || parsed_.secrets.empty()) return settings;
    if (auto gone = on_card(places_, run_program_,
                            [&] { return overwrite(path, without_secrets(*text, parsed_)); });
        !gone) {
      trouble("posthorn.txt", "the passwords could not be taken out: " + gone.error().detail);
    }
    return settings;
  }

  /// Raspberry Pi Imager offers to set name, Wi-Fi and password, and writes them into files that
  /// are other systems' (its 1.x also for images that ask for none).
  void tell_of_imager() {
    for (const char* name : {"firstrun.sh", "user-data", "network-config"}) {
      if (access((places_.boot + "/" + name).c_str(), F_OK) != 0) continue;
      trouble(name,
              "what Raspberry Pi Imager was told to set up is not used here: write it into "
              "posthorn.txt, and delete this file, which may hold a password");
    }
  }

  /// A change of the network that nobody had confirmed when the box was restarted.
  void end_cut_trial() {
    const std::string run = places_.root + kRun;
    if (!trial_was_cut(places_.state, run)) return;
    const auto back = give_up_trial(places_.state, run);
    if (!back) return trouble("network settings on trial", back.error().detail);
    (void)tell_trial(run, {"back", "the box was restarted before the new settings were kept"});
  }

  void tell_of_lost_data(std::string_view why) {
    volatile_ = true;
    why = why.substr(0, why.find('\n'));
    trouble(
        "the data partition cannot be used",
        std::string(why) +
            ". Settings hold until the next restart only, passwords stay in posthorn.txt. "
            "Start the box once more; if this note comes again, put an empty file new-data.txt "
            "beside this one: the box makes a new data partition at its next start, and waiting "
            "messages and the phone's link on the old one are gone");
  }

  void apply(const Settings& settings) {
    const auto toml = read_file(places_.root + kToml, kTomlAtMost);
    const auto zone = settings.find("time_zone");
    const bool has_zone =
        zone != settings.end() && find_zone(places_.root + kZones, zone->second) == zone->second;
    const Plan plan = make_plan(settings, toml.value_or(""), has_zone);
    for (const Plan::Trouble& one : plan.troubles) tell_of(one);
    for (const std::string& path : plan.stale) fs::remove(places_.root + path, ignored_);
    for (const PlannedFile& file : plan.files) write_planned(file);
    for (const auto& [path, target] : plan.links) {
      const std::string link = places_.root + path;
      fs::remove(link, ignored_);
      std::error_code error;
      fs::create_symlink(target, link, error);
      if (error) trouble(path, error.message());
    }
    for (const auto& command : plan.commands) {
      std::string said;
      if (run_program_(command, said) != 0) trouble(command.front(), said);
    }
  }

  void write_planned(const PlannedFile& file) {
    const std::string path = places_.root + file.path;
    fs::create_directories(fs::path(path).parent_path(), ignored_);
    if (const auto written = write_durably(path, file.text, file.mode); !written) {
      return trouble(file.path, written.error().detail);
    }
    if (!file.for_posthorn) return;
    const group* ours = getgrnam("posthorn");
    if (ours == nullptr || chown(path.c_str(), 0, ours->gr_gid) != 0) {
      trouble(file.path, "cannot be given to the group posthorn");
    }
  }

  /// Where a line of the file is about it, that line says it; else a note does. What has no effect
  /// is not said to hold.
  void tell_of(const Plan::Trouble& one) {
    if (!one.used) without_effect_[one.key] = one.sentence;
    for (LineVerdict& line : parsed_.verdicts) {
      if (line.key != one.key || !line.good) continue;
      line.good = one.used;
      line.sentence = one.used ? line.sentence + ", but " + one.sentence : one.sentence;
      return;
    }
    trouble(one.key, one.sentence);
  }

  /// For people: what became of each line, then what holds now.
  [[nodiscard]] std::string verdict(const Settings& settings) const {
    std::string out = "What Posthorn made of posthorn.txt:\n";
    for (const LineVerdict& line : parsed_.verdicts) {
      out += "  line " + std::to_string(line.line) + (line.key.empty() ? "" : ", " + line.key) +
             ": " + (line.good ? "" : "NOT USED: ") + line.sentence + "\n";
    }
    if (parsed_.verdicts.empty()) out += "  nothing is set in it\n";
    for (const std::string& line : troubles_) out += "  note: " + line + "\n";
    out += "\nWhat holds now (also without posthorn.txt; \"none\" takes a setting back):\n";
    for (const auto& [name, value] : settings) {
      const Key* key = find_key(name);
      const bool secret = key == nullptr || key->kind == Kind::secret;
      const auto idle = without_effect_.find(name);
      out += "  " + name + " = " + (secret ? "(set)" : value) +
             (idle == without_effect_.end() ? "" : " (no effect: " + idle->second + ")") + "\n";
    }
    if (settings.empty()) out += "  nothing: address by DHCP, everything at its default\n";
    return out + access_text(places_, false);
  }

  void write_result(const std::string& text, bool nothing_set) {
    const std::string path = places_.boot + kResult;
    const auto before = read_file(path, kFileAtMost * 2);
    // An ordinary boot writes nothing to the card.
    if (before && *before == text) return;
    const bool told_enough = before ? nothing_set && before->starts_with(kNothingYet) : true;
    if (told_enough && parsed_.verdicts.empty() && troubles_.empty()) return;
    if (const auto written =
            on_card(places_, run_program_, [&] { return write_durably(path, text, 0644); });
        !written) {
      trouble("posthorn-result.txt", written.error().detail);
    }
  }

  void trouble(const std::string& what, const std::string& sentence) {
    troubles_.push_back(what + ": " + sentence);
  }

  const Places& places_;
  const RunProgram& run_program_;
  Parsed parsed_;
  std::vector<std::string> troubles_;
  std::map<std::string, std::string> without_effect_;
  bool volatile_ = false;  ///< what is kept goes with the next restart
  std::error_code ignored_;
};

}  // namespace

std::string set_up(const Places& places, const RunProgram& run_program) {
  return Run(places, run_program).run();
}

std::string tell_access(const Places& places, const RunProgram& run_program) {
  const std::string access = access_text(places, false);
  if (access.empty()) return "";
  const std::string path = places.boot + kResult;
  const std::string before = read_file(path, kFileAtMost * 2).value_or("");
  std::string text = before.substr(0, before.find(kForTheTill));
  if (text.empty()) text = kNothingYet;
  text += access;
  if (text != before) {
    const auto written =
        on_card(places, run_program, [&] { return write_durably(path, text, 0644); });
    if (!written) return "posthorn-result.txt: " + written.error().detail + "\n";
  }
  return access_text(places, true);
}

}  // namespace posthorn::setup
