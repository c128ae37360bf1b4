#include "throttle/chat_key.h"

#include <charconv>
#include <optional>

#include "posthorn/base/crypto.h"
#include "posthorn/base/job.h"

namespace posthorn::throttle {
namespace {

/// A number that prints as the same digits: no sign, no leading zero, fits.
template <class T>
std::optional<T> exact_number(std::string_view digits) {
  if (digits.empty() || digits.front() == '0') return std::nullopt;
  T value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

ChatKey hashed(std::string_view chat) {
  const crypto::Sha256 digest = crypto::sha256(as_bytes(chat));
  ChatKey key{.kind = ChatKey::Kind::other};
  for (std::size_t i = 0; i < 8; ++i)
    key.number = (key.number << 8) | static_cast<std::uint64_t>(digest[i]);
  for (std::size_t i = 8; i < 12; ++i)
    key.extra = (key.extra << 8) | static_cast<std::uint32_t>(digest[i]);
  return key;
}

}  // namespace

ChatKey parse_chat(std::string_view chat) {
  if (chat.empty()) return {};
  if (chat == kStoryChat) return kStories;
  const std::size_t at = chat.find('@');
  if (at == std::string_view::npos) return hashed(chat);
  const std::string_view user = chat.substr(0, at);
  const std::string_view server = chat.substr(at);
  if (const auto number = exact_number<std::uint64_t>(user)) {
    if (server == "@c.us") return {*number, 0, ChatKey::Kind::phone};
    if (server == "@lid") return {*number, 0, ChatKey::Kind::lid};
    if (server == "@g.us") return {*number, 0, ChatKey::Kind::group};
    return hashed(chat);
  }
  const std::size_t dash = user.find('-');
  if (server == "@g.us" && dash != std::string_view::npos) {
    const auto creator = exact_number<std::uint64_t>(user.substr(0, dash));
    const auto made = exact_number<std::uint32_t>(user.substr(dash + 1));
    if (creator && made) return {*creator, *made, ChatKey::Kind::old_group};
  }
  return hashed(chat);
}

bool is_possible(const ChatKey& key) {
  constexpr std::uint64_t kLeast = 1'000'000;              // 7 digits
  constexpr std::uint64_t kMost = 999'999'999'999'999ULL;  // 15: E.164
  if (key.kind == ChatKey::Kind::phone) return key.number >= kLeast && key.number <= kMost;
  return key.kind != ChatKey::Kind::none && key.kind != ChatKey::Kind::other;
}

std::string build_chat(const ChatKey& key) {
  if (key == kStories) return kStoryChat;
  const std::string number = std::to_string(key.number);
  switch (key.kind) {
    case ChatKey::Kind::none:
      return {};
    case ChatKey::Kind::phone:
      return number + "@c.us";
    case ChatKey::Kind::lid:
      return number + "@lid";
    case ChatKey::Kind::group:
      return number + "@g.us";
    case ChatKey::Kind::old_group:
      return number + "-" + std::to_string(key.extra) + "@g.us";
    case ChatKey::Kind::other:
      return "?" + number;
  }
  return {};
}

}  // namespace posthorn::throttle
