#include "posthorn/api/chat_id.h"

#include <algorithm>

#include "posthorn/base/ascii.h"
#include "posthorn/base/phone_number.h"
#include "posthorn/base/user_id.h"

namespace posthorn::api {

namespace {

constexpr std::size_t kUserMin = 5;
constexpr std::size_t kUserMax = 20;
constexpr const char* kBadChat =
    "Validation failed. Details: 'chatId' must be one of the next formats: 'phone_number@c.us' or "
    "'group_id@g.us'";
constexpr const char* kBadPhone = "bad phone number, valid 11 or 12 digits";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// As WhatsApp counts: no number of its own begins with 0.
bool is_number(std::string_view text) {
  return text.size() >= kUserMin && text.size() <= kUserMax && text.front() != '0' &&
         std::all_of(text.begin(), text.end(), is_digit);
}

/// "120363000000000001", or the older "{creator}-{unix}".
bool is_group(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return is_number(text);
  return is_number(text.substr(0, dash)) && is_number(text.substr(dash + 1));
}

/// The cloud's text; the sentence is for a number with a slip, not for what is no number at all.
tl::unexpected<Error> bad(const char* text, std::string_view given, const Error& why) {
  const bool number = std::any_of(given.begin(), given.end(), is_digit);
  return fail(Errc::malformed, number ? std::string(text) + ": " + why.detail : text);
}

}  // namespace

bool is_group_chat(std::string_view chat_id) { return chat_id.ends_with("@g.us"); }

Result<std::string> parse_chat_id(std::string_view text) {
  const std::string id = without_invisible(text);
  const std::size_t at = std::min(id.find('@'), id.size());
  const std::string user = id.substr(0, at);
  const std::string server = at == id.size() ? "@c.us" : ascii_lower(id.substr(at));
  if (server == "@g.us" && is_group(user)) return user + server;
  if (server == "@lid" && is_number(user)) return user + server;
  // Somebody whom the official number knows without a number.
  if (server == kUserIdChat && is_user_id(user)) return user + server;
  if (server != "@c.us" && server != "@s.whatsapp.net") return fail(Errc::malformed, kBadChat);
  const auto digits = parse_phone_number(user);
  if (!digits) return bad(kBadChat, user, digits.error());
  return *digits + "@c.us";
}

Result<std::string> parse_phone(std::string_view text) {
  const std::string given = without_invisible(text);
  const std::size_t at = std::min(given.find('@'), given.size());
  const std::string user = given.substr(0, at);
  const std::string server = ascii_lower(given.substr(at));
  // An @lid is digits too, but of no telephone.
  if (!server.empty() && server != "@c.us" && server != "@s.whatsapp.net") {
    return fail(Errc::malformed, kBadPhone);
  }
  auto digits = parse_phone_number(user);
  if (!digits) return bad(kBadPhone, user, digits.error());
  return digits;
}

}  // namespace posthorn::api
