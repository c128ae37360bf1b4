#include "setup/settings.h"

#include <algorithm>
#include <array>

namespace posthorn::setup {

namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";
constexpr std::string_view kZone = "time_zone";
constexpr std::size_t kShownAtMost = 40;

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

/// Well-formed UTF-8 without control characters: what an editor shows is what is there.
bool is_clean_text(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    if (first < 0x20 || first == 0x7F) return false;
    const std::size_t more = first < 0x80   ? 0
                             : first < 0xC2 ? 9
                             : first < 0xE0 ? 1
                             : first < 0xF0 ? 2
                             : first < 0xF5 ? 3
                                            : 9;
    if (more == 9 || i + more >= text.size()) return false;
    for (std::size_t k = 1; k <= more; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return false;
    }
    i += more + 1;
  }
  return true;
}

/// What keyboards and editors put around a value.
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kQuotes{
    {{"\"", "\""},
     {"'", "'"},
     {"\u201C", "\u201D"},
     {"\u201E", "\u201C"},
     {"\u2018", "\u2019"},
     {"\u00AB", "\u00BB"},
     {"\u00BB", "\u00AB"}}};

/// Without one pair of quotes, if it stands in one.
std::string_view without_quotes(std::string_view value) {
  for (const auto& [open, close] : kQuotes) {
    if (value.size() > open.size() + close.size() && value.starts_with(open) &&
        value.ends_with(close)) {
      value.remove_prefix(open.size());
      value.remove_suffix(close.size());
      return value;
    }
  }
  return value;
}

/// A key of the file that is none of ours, cut and cleaned for the verdict.
std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kShownAtMost)) out += c >= 0x20 && c < 0x7F ? c : '?';
  return out;
}

std::string key_names() {
  std::string out;
  for (const Key& key : known_keys()) out += (out.empty() ? "" : ", ") + std::string(key.name);
  return out;
}

class Parser {
 public:
  Parser(std::string_view text, const FindZone& find_zone) : text_(text), find_zone_(find_zone) {}

  Parsed run() {
    std::size_t at = text_.starts_with(kBom) ? kBom.size() : 0;
    for (std::size_t number = 1; at < text_.size(); ++number) {
      const std::size_t end = std::min(text_.find('\n', at), text_.size());
      take_line(number, text_.substr(at, end - at));
      at = end + 1;
    }
    return std::move(out_);
  }

 private:
  void take_line(std::size_t number, std::string_view whole) {
    const std::string_view line = trim(whole);
    if (line.empty() || line.front() == '#') return;
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      return say(number, "", false, "is no setting: write key = value");
    }
    const std::string_view name = trim(line.substr(0, equals));
    const std::string_view value = trim(line.substr(equals + 1));
    const Key* key = find_key(name);
    if (key == nullptr) {
      return say(number, shown(name), false, "unknown; known are " + key_names());
    }
    if (!value.empty()) take(number, *key, value);
  }

  void take(std::size_t number, const Key& key, std::string_view value) {
    const std::string name(key.name);
    if (!is_clean_text(value)) {
      return say(number, name, false, "has characters that are not UTF-8: save the file as UTF-8");
    }
    if (value == kApplied) return say(number, name, true, "was applied before and stays");
    if (value == kNone) {
      forget_earlier(number, name);
      out_.taken_back.push_back(name);
      return say(number, name, true, "is taken back");
    }
    const std::string_view bare = without_quotes(value);
    auto checked = key.check(bare);
    if (checked && name == kZone) checked = known_zone(*checked);
    if (!checked) return say(number, name, false, checked.error().detail);
    forget_earlier(number, name);
    out_.set[name] = std::move(*checked);
    if (key.kind == Kind::secret) {
      out_.secrets.emplace_back(static_cast<std::size_t>(value.data() - text_.data()),
                                value.size());
    }
    say(number, name, true,
        bare.size() == value.size() ? "is applied" : "is applied, without the quotes around it");
  }

  [[nodiscard]] Result<std::string> known_zone(const std::string& name) const {
    if (!find_zone_) return name;
    if (auto known = find_zone_(name)) return std::move(*known);
    return fail(Errc::malformed,
                "this system knows no such zone: it must be a name like Europe/Berlin");
  }

  /// The last line of a key counts.
  void forget_earlier(std::size_t number, const std::string& name) {
    for (LineVerdict& earlier : out_.verdicts) {
      if (earlier.key != name || !earlier.good) continue;
      earlier.good = false;
      earlier.sentence = "stands again in line " + std::to_string(number) + ", which counts";
    }
    out_.set.erase(name);
    std::erase(out_.taken_back, name);
  }

  void say(std::size_t line, std::string key, bool good, std::string sentence) {
    out_.verdicts.push_back({line, std::move(key), good, std::move(sentence)});
  }

  std::string_view text_;
  const FindZone& find_zone_;
  Parsed out_;
};

}  // namespace

Parsed parse_settings(std::string_view text, const FindZone& find_zone) {
  const auto refuse = [](const char* why) {
    Parsed out;
    out.verdicts.push_back({1, "", false, why});
    return out;
  };
  if (text.size() > kFileAtMost) return refuse("the file is larger than 64 KiB and was not read");
  // An editor's "Unicode" may be UTF-16, of which not one line would be understood.
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    return refuse("the file is UTF-16 and was not read: save it as UTF-8");
  }
  return Parser(text, find_zone).run();
}

std::string without_secrets(std::string_view text, const Parsed& parsed) {
  std::string out;
  std::size_t at = 0;
  for (const auto& [offset, length] : parsed.secrets) {
    out += text.substr(at, offset - at);
    out += kApplied;
    at = offset + length;
  }
  return out += text.substr(std::min(at, text.size()));
}

Settings merge(Settings kept, const Parsed& parsed) {
  for (const std::string& key : parsed.taken_back) kept.erase(key);
  for (const auto& [key, value] : parsed.set) kept[key] = value;
  return kept;
}

std::string write_settings(const Settings& settings) {
  std::string out = "# Kept by posthorn-setup; the file to change is posthorn.txt on the card.\n";
  for (const auto& [key, value] : settings) {
    // What would be read as something else than itself stands in quotes.
    const bool plain = trim(value) == value && without_quotes(value) == value && value != kNone &&
                       value != kApplied;
    out += key + " = " + (plain ? value : "\"" + value + "\"") + "\n";
  }
  return out;
}

}  // namespace posthorn::setup
