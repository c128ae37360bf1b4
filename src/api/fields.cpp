#include "api/fields.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "api/utf8.h"
#include "posthorn/api/chat_id.h"
#include "posthorn/base/job.h"

namespace posthorn::api {

namespace {
constexpr std::size_t kMessageIdMin = 16;
constexpr std::size_t kMessageIdMax = 128;
}  // namespace

tl::unexpected<Error> invalid(std::string_view field, std::string_view what) {
  return fail(Errc::malformed,
              "Validation failed. Details: '" + std::string(field) + "' " + std::string(what));
}

Result<std::optional<std::string>> optional_text(const json::Value& body, const char* field) {
  const json::Value& value = json::at(body, field);
  if (value.isNull()) return std::optional<std::string>();
  auto text = json::text_of(value);
  if (!text) return invalid(field, "must be a string");
  return text;
}

Result<std::string> required_text(const json::Value& body, const char* field) {
  TRY(auto text, optional_text(body, field));
  if (!text) return invalid(field, "is required");
  if (text->empty()) return invalid(field, "is not allowed to be empty");
  return std::move(*text);
}

Result<std::optional<bool>> optional_bool(const json::Value& body, const char* field) {
  const json::Value& value = json::at(body, field);
  if (value.isNull()) return std::optional<bool>();
  if (value.isBool()) return json::bool_at(body, field);
  const auto text = json::string_at(body, field);
  if (text == "yes" || text == "true") return std::optional(true);
  if (text == "no" || text == "false") return std::optional(false);
  return invalid(field, "must be a boolean");
}

Result<std::optional<std::int64_t>> optional_int(const json::Value& body, const char* field) {
  const json::Value& value = json::at(body, field);
  if (value.isNull()) return std::optional<std::int64_t>();
  if (const auto number = json::int_of(value)) return number;
  const std::string text = json::string_at(body, field).value_or("");
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return invalid(field, "must be a number");
  }
  return std::optional(number);
}

Result<std::optional<double>> optional_number(const json::Value& body, const char* field) {
  const json::Value& value = json::at(body, field);
  if (value.isNull()) return std::optional<double>();
  if (const auto number = json::double_of(value)) return number;
  const std::string text = json::string_at(body, field).value_or("");
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() ||
      !std::isfinite(number)) {
    return invalid(field, "must be a number");
  }
  return std::optional(number);
}

Result<std::optional<std::int64_t>> number_between(const json::Value& body, const char* key,
                                                   std::int64_t low, std::int64_t high) {
  TRY(const auto value, optional_int(body, key));
  if (!value) return value;
  if (*value < low) {
    return invalid(key, "must be larger than or equal to " + std::to_string(low));
  }
  if (*value > high) {
    return invalid(key, "must be less than or equal to " + std::to_string(high));
  }
  return value;
}

Result<std::string> required_chat(const json::Value& body) {
  if (json::at(body, "chatId").isNull() && !json::at(body, "phoneNumber").isNull()) {
    TRY(const std::string phone, required_text(body, "phoneNumber"));
    return parse_chat_id(phone);
  }
  const json::Value& value = json::at(body, "chatId");
  if (!value.isNull() && !value.isString()) return invalid("chatId", "must be a string");
  TRY(const std::string text, required_text(body, "chatId"));
  return parse_chat_id(text);
}

Result<std::string> required_chat_or_statuses(const json::Value& body) {
  if (json::string_at(body, "chatId") == kStoryChat) return std::string(kStoryChat);
  return required_chat(body);
}

Result<std::string> check_message_id(std::string id) {
  if (id.size() < kMessageIdMin) return invalid("message id", "must be at least 16 symbols");
  if (id.size() > kMessageIdMax) return invalid("message id", "must be at most 128 symbols");
  return id;
}

Result<void> check_known(const json::Value& body, std::span<const std::string_view> known) {
  for (const std::string& name : body.getMemberNames()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return invalid(clean_utf8(name), "is not allowed");
    }
  }
  return {};
}

}  // namespace posthorn::api
