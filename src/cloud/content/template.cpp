#include "cloud/content/template.h"

#include <algorithm>

#include "cloud/fields.h"

#include "posthorn/base/ascii.h"

// {"name", "language": {"code"}, "components": [{"type": "body", "parameters": [{"type": "text", …
namespace posthorn::cloud {
namespace {

constexpr std::size_t kNameMax = 512;
constexpr std::size_t kLanguageMax = 20;
constexpr std::size_t kBodyMax = 1024;
constexpr std::size_t kSmallMax = 60;
constexpr std::size_t kParameterMax = 1024;
constexpr unsigned kComponentsMax = 20;
constexpr unsigned kButtonsMax = 10;
constexpr unsigned kParametersMax = 100;
constexpr const char* kCodeBody = "*{{1}}* is your verification code.";

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return text;
}

bool is_name(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

/// The component of that type, or null. types are written in any case.
const json::Value& component(const json::Value& components, const char* type) {
  static const json::Value kNone;
  for (const json::Value& one : components) {
    if (upper(json::string_at(one, "type").value_or("")) == type) return one;
  }
  return kNone;
}

Result<void> check_component(const json::Value& one) {
  TRY(const std::string type, required_text_in(one, "type", "components", kLanguageMax));
  const std::string kind = upper(type);
  if (kind == "BODY") {
    TRY([[maybe_unused]] const auto text, text_in(one, "text", "components", kBodyMax));
  } else if (kind == "FOOTER" || kind == "HEADER") {
    TRY([[maybe_unused]] const auto text, text_in(one, "text", "components", kSmallMax));
  } else if (kind == "BUTTONS") {
    TRY(const json::Value* buttons, list_in(one, "buttons", "components", 1, kButtonsMax));
    for (const json::Value& button : *buttons) {
      TRY([[maybe_unused]] const auto text,
          text_in(button, "text", "components.buttons", kSmallMax));
    }
  } else {
    return bad("components", "type", "must be HEADER, BODY, FOOTER or BUTTONS");
  }
  return {};
}

/// Texts of the parameters of one component, by position and by name.
struct Values {
  struct One {
    std::string name, text;
  };
  std::vector<One> list;
  std::size_t used = 0;
};

Result<Values> values_of(const json::Value& sent) {
  Values out;
  TRY(const json::Value* list,
      list_in(sent, "parameters", "template.components", 0, kParametersMax));
  for (const json::Value& one : *list) {
    const std::string type = ascii_lower(json::string_at(one, "type").value_or("text"));
    Values::One value;
    value.name = json::string_at(one, "parameter_name").value_or("");
    const bool fallback = type == "currency" || type == "date_time";
    const json::Value& from = fallback ? json::at(one, type.c_str()) : one;
    const char* member = fallback                ? "fallback_value"
                         : type == "payload"     ? "payload"
                         : type == "coupon_code" ? "coupon_code"
                                                 : "text";
    TRY(value.text, text_in(from, member, "template.components.parameters", kParameterMax));
    out.list.push_back(std::move(value));
  }
  return out;
}

/// The text with its {{…}} replaced. Errors: malformed (too few, or a name that is not given).
Result<std::string> filled(std::string_view text, Values& values) {
  std::string out;
  std::vector<std::string> seen;
  while (!text.empty()) {
    const std::size_t begin = text.find("{{");
    const std::size_t end = begin == std::string_view::npos ? begin : text.find("}}", begin);
    if (end == std::string_view::npos) {
      out += text;
      break;
    }
    out += text.substr(0, begin);
    std::string key(text.substr(begin + 2, end - begin - 2));
    std::erase(key, ' ');
    const auto again = std::find(seen.begin(), seen.end(), key);
    const auto place = static_cast<std::size_t>(again - seen.begin());
    if (again == seen.end()) seen.push_back(key);
    const auto named = std::find_if(values.list.begin(), values.list.end(),
                                    [&key](const Values::One& one) { return one.name == key; });
    if (named != values.list.end()) {
      out += named->text;
    } else if (place < values.list.size()) {
      out += values.list[place].text;
    } else {
      return fail(Errc::malformed, "no parameter for {{" + key + "}}");
    }
    text.remove_prefix(end + 2);
  }
  values.used = seen.size();
  return out;
}

/// The same, and every parameter has a place. where: for messages.
Result<std::string> filled_whole(const std::string& text, const json::Value& sent,
                                 const char* where) {
  TRY(Values values, values_of(sent));
  TRY(std::string out, filled(text, values));
  if (values.used != values.list.size()) {
    return fail(Errc::malformed, std::string(where) + ": number of localizable_params (" +
                                     std::to_string(values.list.size()) +
                                     ") does not match the expected number of params (" +
                                     std::to_string(values.used) + ")");
  }
  return out;
}

/// The component of a message for the button at that place, or null.
const json::Value& sent_button(const json::Value& sent, unsigned index) {
  static const json::Value kNone;
  for (const json::Value& one : sent) {
    if (upper(json::string_at(one, "type").value_or("")) != "BUTTON") continue;
    if (whole_number(json::at(one, "index")).value_or(0) == static_cast<std::int64_t>(index)) {
      return one;
    }
  }
  return kNone;
}

Result<std::vector<std::string>> button_lines(const json::Value& buttons, const json::Value& sent) {
  std::vector<std::string> lines;
  for (::Json::ArrayIndex i = 0; i < buttons.size(); ++i) {
    const json::Value& button = buttons[i];
    const std::string type = upper(json::string_at(button, "type").value_or(""));
    std::string line = json::string_at(button, "text").value_or("");
    const json::Value& given = sent_button(sent, i);
    TRY(Values values, values_of(given));
    if (type == "URL") {
      const std::string url = json::string_at(button, "url").value_or("");
      TRY(const std::string whole, filled(url, values));
      line += ": " + whole;
    } else if (type == "PHONE_NUMBER") {
      line += ": " + json::string_at(button, "phone_number").value_or("");
    } else if (type == "COPY_CODE" || type == "OTP") {
      // The code stands in the text; a button of its own would say it twice.
      if (values.list.empty() || type == "OTP") continue;
      line += (line.empty() ? "" : ": ") + values.list.front().text;
    }
    if (!line.empty()) lines.push_back(std::move(line));
  }
  return lines;
}

/// The header of a message: its text, or its file.
struct Header {
  std::string text;
  std::optional<MediaAsked> file;
};

Result<Header> header_of(const json::Value& header, const json::Value& sent) {
  Header out;
  if (header.isNull()) return out;
  const std::string format = upper(json::string_at(header, "format").value_or("TEXT"));
  if (format == "TEXT") {
    TRY(out.text, filled_whole(json::string_at(header, "text").value_or(""), sent, "header"));
    return out;
  }
  const std::string type = ascii_lower(format);
  const json::Value& parameters = json::at(sent, "parameters");
  if (!parameters.isArray() || parameters.size() != 1) {
    return fail(Errc::malformed, "header: needs one parameter, the " + type);
  }
  if (type == "location") {
    const json::Value& place = json::at(parameters[0], "location");
    out.text = json::text_of(json::at(place, "name")).value_or("");
    return out;
  }
  if (!is_media_type(type)) return fail(Errc::malformed, "header: format " + format);
  TRY(auto file, parse_media(json::at(parameters[0], type.c_str()), type));
  out.file = std::move(file);
  return out;
}

}  // namespace

Result<Template> parse_template(const json::Value& body) {
  Template out;
  TRY(out.name, required_text_in(body, "name", "", kNameMax));
  if (!is_name(out.name)) return bad("", "name", "may only have a-z, 0-9 and _");
  TRY(out.language, required_text_in(body, "language", "", kLanguageMax));
  TRY(const std::string category, required_text_in(body, "category", "", kLanguageMax));
  out.category = upper(category);
  if (out.category != "UTILITY" && out.category != "MARKETING" &&
      out.category != "AUTHENTICATION") {
    return bad("", "category", "must be UTILITY, MARKETING or AUTHENTICATION");
  }
  TRY(const std::string format, text_in(body, "parameter_format", "", kLanguageMax));
  out.parameter_format = upper(format) == "NAMED" ? "NAMED" : "POSITIONAL";
  TRY(const json::Value* components, list_in(body, "components", "", 1, kComponentsMax));
  for (const json::Value& one : *components) TRY(check_component(one));
  const json::Value& text = component(*components, "BODY");
  if (text.isNull()) return missing("components", "BODY");
  if (json::string_at(text, "text").value_or("").empty() && out.category != "AUTHENTICATION") {
    return missing("components.BODY", "text");
  }
  out.components = *components;
  return out;
}

Result<InteractiveAsked> fill_template(const Template& one, const json::Value& message) {
  TRY(const json::Value* sent, list_in(message, "components", "template", 0, kComponentsMax));
  const json::Value& body = component(one.components, "BODY");
  std::string pattern = json::string_at(body, "text").value_or("");
  if (pattern.empty()) pattern = kCodeBody;
  TRY(const std::string text, filled_whole(pattern, component(*sent, "BODY"), "body"));
  TRY(const Header header,
      header_of(component(one.components, "HEADER"), component(*sent, "HEADER")));
  TRY(const auto lines,
      button_lines(json::at(component(one.components, "BUTTONS"), "buttons"), *sent));
  const std::string footer =
      json::string_at(component(one.components, "FOOTER"), "text").value_or("");
  return InteractiveAsked{text_with_choices(header.text, text, lines, footer), header.file};
}

}  // namespace posthorn::cloud
