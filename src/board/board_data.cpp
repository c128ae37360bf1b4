#include "posthorn/board/board_data.h"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
// What breaks the language is told as an error, not by an assertion that ends the process.
#define TOML_ASSERT(expr) static_assert(true)
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "posthorn/base/folder.h"

namespace posthorn::board {

namespace {

constexpr std::string_view kGeneric = "generic.toml";

Error at(std::string_view file, const toml::node& node, std::string_view what) {
  return {Errc::malformed, std::string(file) + ":" + std::to_string(node.source().begin.line) +
                               ": " + std::string(what)};
}

Result<std::vector<std::string>> texts(std::string_view file, const toml::node& node) {
  const toml::array* list = node.as_array();
  if (list == nullptr) return tl::unexpected(at(file, node, "must be a list of strings"));
  std::vector<std::string> out;
  for (const toml::node& entry : *list) {
    const auto text = entry.value_exact<std::string>();
    if (!text) return tl::unexpected(at(file, entry, "must be a string"));
    out.push_back(*text);
  }
  return out;
}

Result<BoardData::Line> line(std::string_view file, const toml::node& node) {
  const toml::table* table = node.as_table();
  if (table == nullptr) {
    return tl::unexpected(at(file, node, "must be { chip = \"gpiochip0\", line = 3 }"));
  }
  const auto chip = (*table)["chip"].value_exact<std::string>();
  const auto offset = (*table)["line"].value_exact<std::int64_t>();
  if (!chip || !offset || *offset < 0 || *offset > 1023) {
    return tl::unexpected(at(file, node, "needs chip and line (0 to 1023)"));
  }
  BoardData::Line out{*chip, static_cast<std::uint32_t>(*offset), true};
  out.active_low = (*table)["active_low"].value_or(true);
  return out;
}

Result<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) return fail(Errc::not_found, path.string() + ": cannot be read");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> strings_of(std::string_view device_tree) {
  std::vector<std::string> out;
  while (!device_tree.empty()) {
    const std::size_t end = std::min(device_tree.find('\0'), device_tree.size());
    if (end > 0) out.emplace_back(device_tree.substr(0, end));
    device_tree.remove_prefix(std::min(end + 1, device_tree.size()));
  }
  return out;
}

}  // namespace

Result<BoardData> parse_board(std::string_view text, std::string_view file) {
  const toml::parse_result parsed = toml::parse(text, file);
  if (!parsed) {
    return fail(Errc::malformed, std::string(file) + ":" +
                                     std::to_string(parsed.error().source().begin.line) + ": " +
                                     std::string(parsed.error().description()));
  }
  BoardData board;
  for (const auto& [key, node] : parsed.table()) {
    const std::string_view name = key.str();
    const auto take_text = [&, &value = node](std::string& out) -> Result<void> {
      const auto found = value.value_exact<std::string>();
      if (!found) return tl::unexpected(at(file, value, "must be a string"));
      out = *found;
      return {};
    };
    if (name == "name") {
      TRY(take_text(board.name));
    } else if (name == "dtb") {
      TRY(take_text(board.dtb));
    } else if (name == "watchdog") {
      TRY(take_text(board.watchdog));
    } else if (name == "update") {
      TRY(take_text(board.update));
    } else if (name == "compatible") {
      TRY(board.compatible, texts(file, node));
    } else if (name == "leds") {
      TRY(board.leds, texts(file, node));
    } else if (name == "button") {
      TRY(board.button, line(file, node));
    } else {
      return tl::unexpected(
          at(file, node,
             "unknown key " + std::string(name) +
                 "; known: name, compatible, dtb, leds, button, watchdog, update"));
    }
  }
  if (board.name.empty()) return fail(Errc::malformed, std::string(file) + ": name is missing");
  if (board.update.empty()) board.update = "none";
  return board;
}

Result<BoardData> find_board(const std::string& folder, std::string_view device_tree) {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (auto& path : list_folder(folder, error)) {
    if (path.extension() == ".toml") files.push_back(std::move(path));
  }
  if (error) return fail(Errc::not_found, folder + ": " + error.message());
  std::sort(files.begin(), files.end());
  std::vector<BoardData> boards;
  std::optional<BoardData> generic;
  for (const auto& path : files) {
    TRY(const std::string text, read_file(path));
    TRY(auto board, parse_board(text, path.string()));
    if (path.filename() == kGeneric) generic = board;
    boards.push_back(std::move(board));
  }
  for (const std::string& wanted : strings_of(device_tree)) {
    for (const BoardData& board : boards) {
      if (std::find(board.compatible.begin(), board.compatible.end(), wanted) !=
          board.compatible.end()) {
        return board;
      }
    }
  }
  if (generic) return *generic;
  return fail(Errc::not_found, folder + ": no file for this board, and no generic.toml");
}

}  // namespace posthorn::board
