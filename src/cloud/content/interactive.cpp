#include <set>

#include "cloud/content/kinds.h"
#include "cloud/fields.h"

// {"type": "button" | "list" | "cta_url" | "location_request_message", "header", "body", "footer",
// "action"}. Linked devices cannot send buttons, so they go as numbered lines.
namespace posthorn::cloud {
namespace {

constexpr std::size_t kShortBody = 1024;
constexpr std::size_t kListBody = 4096;
constexpr std::size_t kSmall = 60;  // header and footer
constexpr std::size_t kTitle = 20;
constexpr std::size_t kRowTitle = 24;
constexpr std::size_t kRowText = 72;
constexpr std::size_t kIdMax = 256;
constexpr std::size_t kRowIdMax = 200;
constexpr std::size_t kUrlMax = 2000;
constexpr unsigned kButtonsMax = 3;
constexpr unsigned kRowsMax = 10;
constexpr const char* kAction = "interactive.action";

using Lines = Result<std::vector<std::string>>;

Lines button_lines(const json::Value& action) {
  TRY(const json::Value* buttons, list_in(action, "buttons", kAction, 1, kButtonsMax));
  std::vector<std::string> lines;
  std::set<std::string> ids;
  for (const json::Value& button : *buttons) {
    const std::string where = std::string(kAction) + ".buttons.reply";
    TRY(const json::Value* reply,
        required_object_in(button, "reply", "interactive.action.buttons"));
    TRY(std::string id, required_text_in(*reply, "id", where, kIdMax));
    TRY(std::string title, required_text_in(*reply, "title", where, kTitle));
    if (!ids.insert(std::move(id)).second) return bad(where, "id", "must differ in each button");
    if (std::find(lines.begin(), lines.end(), title) != lines.end()) {
      return bad(where, "title", "must differ in each button");
    }
    lines.push_back(std::move(title));
  }
  return lines;
}

Lines list_lines(const json::Value& action) {
  TRY([[maybe_unused]] const auto button, required_text_in(action, "button", kAction, kTitle));
  TRY(const json::Value* sections, list_in(action, "sections", kAction, 1, kRowsMax));
  std::vector<std::string> lines;
  std::set<std::string> ids;
  for (const json::Value& section : *sections) {
    const std::string where = std::string(kAction) + ".sections";
    TRY(const std::string title, text_in(section, "title", where, kRowTitle));
    if (title.empty() && sections->size() > 1) return missing(where, "title");
    TRY(const json::Value* rows, list_in(section, "rows", where, 1, kRowsMax));
    for (const json::Value& row : *rows) {
      const std::string path = where + ".rows";
      TRY(std::string id, required_text_in(row, "id", path, kRowIdMax));
      TRY(std::string line, required_text_in(row, "title", path, kRowTitle));
      TRY(const std::string more, text_in(row, "description", path, kRowText));
      if (!ids.insert(std::move(id)).second) return bad(path, "id", "must differ in each row");
      if (!more.empty()) line += " - " + more;
      lines.push_back(std::move(line));
    }
  }
  if (lines.size() > kRowsMax) return bad(kAction, "sections", "must have 10 rows in all at most");
  return lines;
}

Lines link_line(const json::Value& action) {
  const std::string where = std::string(kAction) + ".parameters";
  TRY(const json::Value* parameters, required_object_in(action, "parameters", kAction));
  TRY(const std::string text, required_text_in(*parameters, "display_text", where, kTitle));
  TRY(const std::string url, required_text_in(*parameters, "url", where, kUrlMax));
  if (!url.starts_with("http://") && !url.starts_with("https://")) {
    return bad(where, "url", "must begin with https:// or http://");
  }
  return std::vector<std::string>{text + ": " + url};
}

Lines lines_of(const std::string& type, const json::Value& object) {
  if (type == "location_request_message") return std::vector<std::string>();
  TRY(const json::Value* action, required_object_in(object, "action", "interactive"));
  if (type == "button") return button_lines(*action);
  if (type == "list") return list_lines(*action);
  return link_line(*action);
}

struct Header {
  std::string text;
  std::optional<MediaAsked> file;
};

Result<Header> parse_header(const json::Value& object, const std::string& type) {
  Header out;
  const json::Value& header = json::at(object, "header");
  if (header.isNull()) return out;
  TRY(const std::string kind, required_text_in(header, "type", "interactive.header", kTitle));
  if (kind == "text") {
    TRY(out.text, required_text_in(header, "text", "interactive.header", kSmall));
    return out;
  }
  if (!is_media_type(kind) || type == "list") {
    return bad("interactive.header", "type",
               "must be text, image, video or document, of a list text");
  }
  TRY(const json::Value* media, required_object_in(header, kind.c_str(), "interactive.header"));
  TRY(auto file, parse_media(*media, kind));
  out.file = std::move(file);
  return out;
}

}  // namespace

std::string text_with_choices(const std::string& header, const std::string& body,
                              const std::vector<std::string>& lines, const std::string& footer) {
  std::string text;
  if (!header.empty()) text += "*" + header + "*\n\n";
  text += body;
  if (!lines.empty()) text += "\n";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    text += "\n" + std::to_string(i + 1) + ". " + lines[i];
  }
  if (!footer.empty()) text += "\n\n_" + footer + "_";
  return text;
}

Result<InteractiveAsked> parse_interactive(const json::Value& object) {
  TRY(const std::string type, required_text_in(object, "type", "interactive", kRowIdMax));
  if (type != "button" && type != "list" && type != "cta_url" &&
      type != "location_request_message") {
    return fail(Errc::unsupported,
                "interactive.type " + type +
                    " needs a business account of the official service; this box takes button, "
                    "list, cta_url and location_request_message");
  }
  TRY(const Header header, parse_header(object, type));
  TRY(const json::Value* body, required_object_in(object, "body", "interactive"));
  TRY(const std::string text,
      required_text_in(*body, "text", "interactive.body", type == "list" ? kListBody : kShortBody));
  TRY(const std::string footer,
      text_in(json::at(object, "footer"), "text", "interactive.footer", kSmall));
  TRY(const auto lines, lines_of(type, object));
  InteractiveAsked out;
  out.header = header.file;
  // One link needs no number in front of it.
  if (type == "cta_url") {
    out.text = text_with_choices(header.text, text + "\n\n" + lines.front(), {}, footer);
  } else {
    out.text = text_with_choices(header.text, text, lines, footer);
  }
  return out;
}

}  // namespace posthorn::cloud
