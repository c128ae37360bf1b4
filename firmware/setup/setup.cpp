#include "setup/setup.h"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "setup/settings_file.h"

namespace posthorn::setup {

namespace {

namespace fs = std::filesystem;

constexpr const char* kSettings = "/posthorn.txt";
constexpr const char* kResult = "/posthorn-result.txt";
constexpr const char* kToml = "/etc/posthorn/posthorn.toml";
constexpr std::size_t kTomlAtMost = std::size_t{1} << 20;

class Run {
 public:
  Run(const Places& places, const RunProgram& run_program)
      : places_(places), run_program_(run_program) {}

  std::string run() {
    const Settings settings = take_settings();
    apply(settings);
    std::string text = verdict(settings);
    write_result(text);
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
    parsed_ = parse_settings(*text);
    Settings settings = merge(kept, parsed_);
    // Kept first: only then may the secrets go from the card.
    if (const auto saved = save_kept(places_.state, settings); !saved) {
      trouble("keeping the settings", saved.error().detail);
      return settings;
    }
    if (parsed_.secrets.empty()) return settings;
    if (auto gone = on_card([&] { return overwrite(path, without_secrets(*text, parsed_)); });
        !gone) {
      trouble("posthorn.txt", "the passwords could not be taken out: " + gone.error().detail);
    }
    return settings;
  }

  void apply(const Settings& settings) {
    const auto toml = read_file(places_.root + kToml, kTomlAtMost);
    const auto zone = settings.find("time_zone");
    const bool has_zone =
        zone != settings.end() &&
        fs::is_regular_file(places_.root + "/usr/share/zoneinfo/" + zone->second, ignored_);
    const Plan plan = make_plan(settings, toml.value_or(""), has_zone);
    for (const auto& [key, sentence] : plan.troubles) trouble(key, sentence);
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
      out += "  " + name + " = " + (secret ? "(set)" : value) + "\n";
    }
    if (settings.empty()) out += "  nothing: address by DHCP, everything at its default\n";
    return out;
  }

  void write_result(const std::string& text) {
    const std::string path = places_.boot + kResult;
    const auto before = read_file(path, kFileAtMost * 2);
    // An ordinary boot writes nothing to the card.
    if (before && *before == text) return;
    if (!before && parsed_.verdicts.empty() && troubles_.empty()) return;
    if (const auto written = on_card([&] { return write_durably(path, text, 0644); }); !written) {
      trouble("posthorn-result.txt", written.error().detail);
    }
  }

  /// The partition is mounted read-only between such moments.
  Result<void> on_card(const std::function<Result<void>()>& write) {
    if (access(places_.boot.c_str(), W_OK) == 0) return write();
    std::string said;
    run_program_({"mount", "-o", "remount,rw", places_.boot}, said);
    auto written = write();
    run_program_({"mount", "-o", "remount,ro", places_.boot}, said);
    return written;
  }

  void trouble(const std::string& what, const std::string& sentence) {
    troubles_.push_back(what + ": " + sentence);
  }

  const Places& places_;
  const RunProgram& run_program_;
  Parsed parsed_;
  std::vector<std::string> troubles_;
  std::error_code ignored_;
};

}  // namespace

std::string set_up(const Places& places, const RunProgram& run_program) {
  return Run(places, run_program).run();
}

}  // namespace posthorn::setup
