#include "receipts/tokens.h"

#include <algorithm>

namespace posthorn::receipts {

namespace {

constexpr std::string_view kAlphabet = "123456789ABCDEFGHJKLMNPQRSTVWXYZ";
constexpr std::size_t kLength = 5;
constexpr hours kForgotten{1};

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

}  // namespace

std::string make_token(Random& random) {
  std::string out = "R-";
  for (std::size_t i = 0; i < kLength; ++i) {
    out += kAlphabet[static_cast<std::size_t>(random.between(0, kAlphabet.size() - 1))];
  }
  return out;
}

std::optional<std::string> parse_token(std::string_view message) {
  constexpr std::size_t kLongest = 32;
  std::string letters;
  if (message.size() > kLongest) return std::nullopt;
  for (const char c : message) {
    if (c == ' ' || c == '-' || c == '\n' || c == '\r' || c == '.') continue;
    letters += upper(c);
  }
  if (letters.size() != kLength + 1 || letters[0] != 'R') return std::nullopt;
  const bool ours = std::all_of(letters.begin() + 1, letters.end(),
                                [](char c) { return kAlphabet.find(c) != std::string_view::npos; });
  // Words of six letters that begin with R are no tokens; a token has a digit or its "-".
  const bool marked =
      message.find('-') != std::string_view::npos ||
      std::any_of(letters.begin(), letters.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!ours || !marked) return std::nullopt;
  return "R-" + letters.substr(1);
}

bool Guesses::allows(const std::string& chat, Mono now) {
  forget(now);
  const auto found = chats_.find(chat);
  return found == chats_.end() ? all_.wrong < kAllWrong : found->second.wrong < kWrong;
}

bool Guesses::on_wrong(const std::string& chat, Mono now) {
  forget(now);
  if (all_.wrong++ == 0) all_.since = now;
  const auto [found, fresh] = chats_.try_emplace(chat, Count{now, 0});
  ++found->second.wrong;
  if (chats_.size() > kMostChats) {
    chats_.erase(std::min_element(chats_.begin(), chats_.end(), [](const auto& a, const auto& b) {
      return a.second.since < b.second.since;
    }));
  }
  return fresh;
}

void Guesses::forget(Mono now) {
  std::erase_if(chats_, [now](const auto& one) { return now - one.second.since >= kForgotten; });
  if (all_.wrong > 0 && now - all_.since >= kForgotten) all_ = {};
}

}  // namespace posthorn::receipts
