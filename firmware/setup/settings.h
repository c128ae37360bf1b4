#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/result.h"

/// posthorn.txt, the technician's file on the card's FAT partition: "key = value" lines. Pure: text
/// in, settings and one sentence per line out.
namespace posthorn::setup {

/// What a key is, for whoever resets or hides it.
enum class Kind : unsigned char { plain, secret };
enum class Belongs : unsigned char { to_the_network, to_the_box };

struct Key {
  std::string_view name;
  Kind kind;
  Belongs belongs;
  /// Gives the value as it is kept; the error says what is allowed and never repeats a secret.
  Result<std::string> (*check)(std::string_view value);
};
[[nodiscard]] std::span<const Key> known_keys();
/// Null: no such key. Case, "-" and " " for "_" do not matter.
[[nodiscard]] const Key* find_key(std::string_view name);

/// Checked values by key.
using Settings = std::map<std::string, std::string, std::less<>>;

/// Stands in place of a secret that has been taken over.
inline constexpr std::string_view kApplied = "(applied)";
/// As a value it takes a setting back.
inline constexpr std::string_view kNone = "none";
inline constexpr std::size_t kFileAtMost = std::size_t{64} << 10;

/// What became of one line.
struct LineVerdict {
  std::size_t line = 0;
  std::string key;
  bool good = false;
  std::string sentence;
};

struct Parsed {
  Settings set;                         ///< what the file asks for
  std::vector<std::string> taken_back;  ///< keys with "none"
  std::vector<LineVerdict> verdicts;    ///< for lines with a key, in order
  /// Where secrets that were understood stand in the text: offset and length.
  std::vector<std::pair<std::size_t, std::size_t>> secrets;
};

/// The name under which the system knows a time zone, "europe/berlin" -> "Europe/Berlin"; nullopt:
/// it knows none.
using FindZone = std::function<std::optional<std::string>(const std::string& name)>;

/// Never fails: a line that is wrong is told and left out. Accepts a BOM, CR LF, any bytes, and
/// quotes around a value. find_zone: empty: zones are taken as they are.
[[nodiscard]] Parsed parse_settings(std::string_view text, const FindZone& find_zone = {});

/// The text with every secret that was taken over replaced by kApplied.
[[nodiscard]] std::string without_secrets(std::string_view text, const Parsed& parsed);

/// Kept settings with the file's on top.
[[nodiscard]] Settings merge(Settings kept, const Parsed& parsed);

/// The kept settings as text, "key = value" lines, and back (lines that are wrong are left out).
[[nodiscard]] std::string write_settings(const Settings& settings);

}  // namespace posthorn::setup
