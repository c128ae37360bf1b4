#include "api/chat_id.h"

#include <algorithm>

namespace posthorn::api {

namespace {

constexpr std::size_t kUserMin = 5;
constexpr std::size_t kUserMax = 20;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

bool is_number(std::string_view text) {
  return all_digits(text) && text.size() >= kUserMin && text.size() <= kUserMax;
}

/// "120363000000000001", or the older "{creator}-{unix}".
bool is_group(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return is_number(text);
  return is_number(text.substr(0, dash)) && is_number(text.substr(dash + 1));
}

tl::unexpected<Error> bad_chat_id() {
  return fail(Errc::malformed,
              "Validation failed. Details: 'chatId' must be one of the next formats: "
              "'phone_number@c.us' or 'group_id@g.us'");
}

}  // namespace

Result<std::string> parse_chat_id(std::string_view text) {
  std::string id(text);
  std::erase_if(id, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
  const std::size_t at = std::min(id.find('@'), id.size());
  std::string user = id.substr(0, at);
  const std::string server = at == id.size() ? "@c.us" : id.substr(at);
  if (server == "@g.us") return is_group(user) ? Result<std::string>(id) : bad_chat_id();
  if (server == "@lid") return is_number(user) ? Result<std::string>(id) : bad_chat_id();
  if (server != "@c.us" && server != "@s.whatsapp.net") return bad_chat_id();
  if (user.starts_with('+')) user.erase(0, 1);
  if (!is_number(user)) return bad_chat_id();
  return user + "@c.us";
}

Result<std::string> parse_phone(std::string_view text) {
  std::string digits;
  for (char c : text) {
    if (is_digit(c)) {
      digits.push_back(c);
    } else if (c != '+' && c != ' ' && c != '-' && c != '(' && c != ')') {
      return fail(Errc::malformed, "bad phone number, valid 11 or 12 digits");
    }
  }
  if (!is_number(digits)) return fail(Errc::malformed, "bad phone number, valid 11 or 12 digits");
  return digits;
}

}  // namespace posthorn::api
