#include "posthorn/cloud/wamid.h"

#include <algorithm>

#include "posthorn/base/bytes.h"
#include "posthorn/base/user_id.h"

namespace posthorn::cloud {
namespace {

constexpr std::string_view kPrefix = "wamid.";
constexpr std::string_view kPerson = "@c.us";
constexpr std::size_t kLongest = 127;  // one byte tells the length

/// Field headers of the compact protocol: a struct, text, a number, text.
constexpr std::string_view kBegin = "\x1C\x18";
constexpr std::string_view kBetween("\x15\x02\x00", 3);
constexpr char kText = '\x18';

std::string length_and(std::string_view text) {
  std::string out(1, static_cast<char>(text.size()));
  out += text;
  return out;
}

/// Takes a length byte and so many characters.
std::optional<std::string_view> take_text(std::string_view& from) {
  if (from.empty()) return std::nullopt;
  const auto size = static_cast<std::size_t>(static_cast<unsigned char>(from.front()));
  if (size > kLongest || from.size() < size + 1) return std::nullopt;
  const std::string_view text = from.substr(1, size);
  from.remove_prefix(size + 1);
  return text;
}

bool take(std::string_view& from, std::string_view wanted) {
  if (!from.starts_with(wanted)) return false;
  from.remove_prefix(wanted.size());
  return true;
}

}  // namespace

bool is_wamid(std::string_view text) { return text.starts_with(kPrefix); }

std::string encode_wamid(const Wamid& wamid) {
  std::string_view chat = wamid.chat;
  if (chat.ends_with(kPerson)) chat.remove_suffix(kPerson.size());
  std::string record(kBegin);
  record += length_and(chat.substr(0, kLongest));
  record += kBetween;
  record += static_cast<char>(wamid.direction);
  record += kText;
  record += length_and(std::string_view(wamid.id).substr(0, kLongest));
  record += '\0';
  return std::string(kPrefix) + base64_encode(as_bytes(record));
}

std::optional<Wamid> decode_wamid(std::string_view text) {
  if (!take(text, kPrefix)) return std::nullopt;
  const auto bytes = base64_decode(text);
  if (!bytes) return std::nullopt;
  std::string_view record = as_text(*bytes);
  if (!take(record, kBegin)) return std::nullopt;
  const auto chat = take_text(record);
  if (!chat || !take(record, kBetween) || record.empty()) return std::nullopt;
  Wamid out;
  const auto direction = static_cast<unsigned char>(record.front());
  if (direction != static_cast<unsigned char>(Direction::from_business) &&
      direction != static_cast<unsigned char>(Direction::to_business)) {
    return std::nullopt;
  }
  out.direction = static_cast<Direction>(direction);
  record.remove_prefix(1);
  if (record.empty() || record.front() != kText) return std::nullopt;
  record.remove_prefix(1);
  const auto id = take_text(record);
  if (!id || record != std::string_view("\0", 1)) return std::nullopt;
  out.id = *id;
  out.chat = *chat;
  if (chat->find('@') == std::string_view::npos) out.chat += kPerson;
  return out;
}

bool has_number(std::string_view chat) { return chat.ends_with(kPerson); }

std::string user_of_chat(std::string_view chat) {
  return std::string(chat.substr(0, chat.find('@')));
}

std::string user_id_of_chat(std::string_view chat) {
  if (chat.ends_with(kUserIdChat)) return user_of_chat(chat);
  return (has_number(chat) ? "ZZ.N" : "ZZ.") + user_of_chat(chat);
}

std::optional<std::string> chat_of_user_id(std::string_view id) {
  constexpr std::size_t kDigitsMax = 20;
  if (!take(id, "ZZ.")) return std::nullopt;
  const bool number = take(id, "N");
  const bool digits =
      std::all_of(id.begin(), id.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || id.size() < 5 || id.size() > kDigitsMax || id.front() == '0') return std::nullopt;
  return std::string(id) + (number ? "@c.us" : "@lid");
}

}  // namespace posthorn::cloud
