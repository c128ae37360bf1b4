#include <algorithm>
#include <set>

#include "api/errors.h"
#include "api/fields.h"
#include "api/http_url.h"
#include "api/sending/kinds.h"
#include "api/utf8.h"

// sendPoll, sendInteractiveButtons, sendInteractiveButtonsReply.
namespace posthorn::api {
namespace {

constexpr std::size_t kPollNameMax = 255;
constexpr std::size_t kOptionMax = 100;
constexpr unsigned kOptionsMin = 2;
constexpr unsigned kOptionsMax = 12;
constexpr std::size_t kBodyMax = 20'000;
constexpr std::size_t kButtonTextMax = 25;
constexpr unsigned kButtonsMax = 3;

Result<std::string> bounded_text(const json::Value& object, const char* name, std::size_t most) {
  TRY(std::string text, required_text(object, name));
  if (code_points(text) > most) {
    return invalid(
        name, "length must be less than or equal to " + std::to_string(most) + " characters long");
  }
  return text;
}

/// The line of a button, behind its number.
Result<std::string> line_of(const json::Value& button, ButtonsAsked asked) {
  TRY(std::string line, bounded_text(button, "buttonText", kButtonTextMax));
  if (asked == ButtonsAsked::replies) return line;
  TRY(const std::string type, required_text(button, "type"));
  if (type == "copy") {
    TRY(const std::string code, bounded_text(button, "copyCode", kBodyMax));
    return line + ": " + code;
  }
  if (type == "call") {
    TRY(const std::string number, bounded_text(button, "phoneNumber", kButtonTextMax));
    return line + ": " + (number.starts_with('+') ? "" : "+") + number;
  }
  if (type == "url") {
    TRY(const std::string url, bounded_text(button, "url", kBodyMax));
    if (!is_http_url(url)) {
      return invalid("url", "must be a valid uri with a scheme matching the http|https pattern");
    }
    return line + ": " + url;
  }
  return invalid("type", "must be one of [copy, call, url]");
}

Result<std::string> lines_of(const json::Value& body, ButtonsAsked asked) {
  const json::Value& buttons = json::at(body, "buttons");
  if (buttons.isNull()) return invalid("buttons", "is required");
  if (!buttons.isArray()) return invalid("buttons", "must be an array");
  if (buttons.empty() || buttons.size() > kButtonsMax) {
    return invalid("buttons", "must contain 1 to 3 items");
  }
  std::set<std::string> ids;
  std::string lines;
  for (const json::Value& button : buttons) {
    if (!button.isObject()) return invalid("buttons", "must be an array of objects");
    TRY(std::string id, required_text(button, "buttonId"));
    if (!ids.insert(std::move(id)).second) {
      return invalid("buttons", "must have a buttonId of its own in each item");
    }
    TRY(const std::string line, line_of(button, asked));
    lines += "\n" + std::to_string(ids.size()) + ". " + line;
  }
  return lines;
}

}  // namespace

Result<content::Poll> parse_poll(const json::Value& body) {
  content::Poll kind;
  TRY(kind.name, bounded_text(body, "message", kPollNameMax));
  const json::Value& options = json::at(body, "options");
  if (options.isNull()) return invalid("options", "is required");
  if (!options.isArray()) return invalid("options", "must be an array");
  if (options.size() < kOptionsMin || options.size() > kOptionsMax) {
    return invalid("options", "must contain 2 to 12 items");
  }
  for (const json::Value& option : options) {
    if (!option.isObject()) return invalid("options", "must be an array of objects");
    TRY(std::string name, bounded_text(option, "optionName", kOptionMax));
    if (std::find(kind.options.begin(), kind.options.end(), name) != kind.options.end()) {
      return invalid("options", "contains a duplicate value");
    }
    kind.options.push_back(std::move(name));
  }
  TRY(const auto multiple, optional_bool(body, "multipleAnswers"));
  kind.multiple = multiple.value_or(false);
  return kind;
}

void show_request(const content::Poll& kind, json::Value& item) {
  item["type"] = "sendPoll";
  json::Value& body = item["body"];
  body["message"] = kind.name;
  for (const std::string& option : kind.options) {
    json::Value one;
    one["optionName"] = option;
    body["options"].append(std::move(one));
  }
  body["multipleAnswers"] = kind.multiple;
}

Result<content::Text> parse_buttons(const json::Value& body, ButtonsAsked asked) {
  TRY(const std::string text, bounded_text(body, "body", kBodyMax));
  TRY(const auto header, optional_text(body, "header"));
  TRY(const auto footer, optional_text(body, "footer"));
  TRY(const std::string lines, lines_of(body, asked));
  content::Text kind;
  kind.link_preview = false;
  if (header && !header->empty()) kind.body = "*" + *header + "*\n\n";
  kind.body += text + "\n" + lines;
  if (footer && !footer->empty()) kind.body += "\n\n_" + *footer + "_";
  if (code_points(kind.body) > kBodyMax) {
    return invalid("body",
                   "is too long: with header, footer and buttons it must have at most 20000 "
                   "characters");
  }
  return kind;
}

// No method sends these: they only come in.

void show_request(const content::PollVote&, json::Value&) {}

void show_request(const content::Buttons&, json::Value&) {}

void show_request(const content::Choice&, json::Value&) {}

}  // namespace posthorn::api
