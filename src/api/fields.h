#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "posthorn/base/json.h"
#include "posthorn/base/result.h"

/// Members of a request's body with the cloud's words for what is wrong with them. Every Error is
/// malformed and its detail is the whole message of the 400 answer.
namespace posthorn::api {

/// "Validation failed. Details: 'chatId' is required"
[[nodiscard]] tl::unexpected<Error> invalid(std::string_view field, std::string_view what);

/// A string that is there and not empty. Numbers count as text (ids and phones come both ways).
[[nodiscard]] Result<std::string> required_text(const json::Value& body, const char* field);
/// Absent and null: nullopt.
[[nodiscard]] Result<std::optional<std::string>> optional_text(const json::Value& body,
                                                               const char* field);
/// true, false, "true", "false", "yes", "no".
[[nodiscard]] Result<std::optional<bool>> optional_bool(const json::Value& body, const char* field);
/// A whole number, or text that is one.
[[nodiscard]] Result<std::optional<std::int64_t>> optional_int(const json::Value& body,
                                                               const char* field);

/// Any number, or text that is one ("52.5208").
[[nodiscard]] Result<std::optional<double>> optional_number(const json::Value& body,
                                                            const char* field);

/// A whole number, and not beyond these.
[[nodiscard]] Result<std::optional<std::int64_t>> number_between(const json::Value& body,
                                                                 const char* field,
                                                                 std::int64_t low,
                                                                 std::int64_t high);

/// The chat a call is about: chatId, or phoneNumber as old clients send it. Normalised.
[[nodiscard]] Result<std::string> required_chat(const json::Value& body);

/// The same where statuses are a chat too: what reads of messages and sends none.
[[nodiscard]] Result<std::string> required_chat_or_statuses(const json::Value& body);

/// An idMessage: at least 16 characters, else "'message id' must be at least 16 symbols".
[[nodiscard]] Result<std::string> check_message_id(std::string id);

/// With strictValidation on: every member must be one of these.
[[nodiscard]] Result<void> check_known(const json::Value& body,
                                       std::span<const std::string_view> known);

}  // namespace posthorn::api
