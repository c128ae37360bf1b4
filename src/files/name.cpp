#include "files/name.h"

#include <charconv>

#include "files/type.h"

namespace posthorn::files {

namespace {

constexpr std::size_t kDigits = 10;
constexpr std::size_t kHash = 64;

}  // namespace

std::string name_of(const File& file) {
  std::string number = std::to_string(file.number);
  if (number.size() < kDigits) number.insert(0, kDigits - number.size(), '0');
  return number + "-" + file.ref + "." + std::string(suffix_of(file.type));
}

std::optional<File> parse_name(const Disk::Entry& entry) {
  std::string_view name = entry.name;
  File file;
  const char* const end = name.data() + name.size();
  const auto [next, error] = std::from_chars(name.data(), end, file.number);
  if (error != std::errc() || next == end || *next != '-') return std::nullopt;
  name.remove_prefix(static_cast<std::size_t>(next - name.data()) + 1);
  if (name.size() < kHash + 2 || name[kHash] != '.') return std::nullopt;
  file.ref = name.substr(0, kHash);
  if (file.ref.find_first_not_of("0123456789abcdef") != std::string::npos) return std::nullopt;
  file.type = type_of_suffix(name.substr(kHash + 1));
  file.size = entry.size;
  file.stored_at = entry.modified;
  return file;
}

}  // namespace posthorn::files
