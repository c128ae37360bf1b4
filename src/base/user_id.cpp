#include "posthorn/base/user_id.h"

#include <algorithm>

namespace posthorn {

bool is_user_id(std::string_view text) {
  constexpr std::size_t kIdMax = 128;
  const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (text.size() < 4 || !upper(text[0]) || !upper(text[1]) || text[2] != '.') return false;
  text.remove_prefix(3);
  if (text.starts_with("ENT.")) text.remove_prefix(4);
  return !text.empty() && text.size() <= kIdMax &&
         std::all_of(text.begin(), text.end(), [&upper](char c) {
           return upper(c) || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
         });
}

std::string user_id_in(std::string_view chat) {
  if (!chat.ends_with(kUserIdChat)) return "";
  chat.remove_suffix(kUserIdChat.size());
  return std::string(chat);
}

}  // namespace posthorn
