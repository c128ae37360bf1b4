#include "setup/zones.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace posthorn::setup {

namespace {

namespace fs = std::filesystem;

/// Compiled zones begin so; a folder like "Europe" or the text file "zone.tab" does not.
bool is_zone(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return false;
  std::ifstream file(path, std::ios::binary);
  std::array<char, 4> magic{};
  return file.read(magic.data(), magic.size()) &&
         std::string_view(magic.data(), magic.size()) == "TZif";
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

bool same_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::optional<std::string> find_zone(const std::string& folder, const std::string& name) {
  if (name.find("..") != std::string::npos || name.empty()) return std::nullopt;
  fs::path at = folder;
  std::string known;
  std::string_view rest = name;
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    std::error_code error;
    std::string found;
    for (fs::directory_iterator entry(at, error), end; !error && entry != end;
         entry.increment(error)) {
      const std::string one = entry->path().filename();
      if (one == part || (found.empty() && same_letters(one, part))) found = one;
      if (found == part) break;
    }
    if (found.empty()) return std::nullopt;
    at /= found;
    known += (known.empty() ? "" : "/") + found;
  }
  return is_zone(at) ? std::optional(known) : std::nullopt;
}

}  // namespace posthorn::setup
