#include "chat/people/mentions.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posthorn::chat {
namespace {

/// `text` with the numbers of `names` behind its "@"s, in one pass: whoever wrote it may have named
/// a thousand people a hundred thousand times.
std::string with_numbers(std::string_view text,
                         const std::map<std::string, std::string, std::less<>>& names) {
  std::string out;
  std::size_t taken = 0;
  for (std::size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', taken)) {
    const std::size_t user = at + 1;
    const std::size_t end = std::min(text.find_first_not_of("0123456789", user), text.size());
    out += text.substr(taken, user - taken);
    const auto found = names.find(text.substr(user, end - user));
    out += found == names.end() ? text.substr(user, end - user) : std::string_view(found->second);
    taken = end;
  }
  out += text.substr(taken);
  return out;
}

}  // namespace

Result<void> name_mentioned(Names& names, Content& content) {
  std::map<std::string, std::string, std::less<>> numbers;  ///< by the LID's user
  std::vector<std::string> chats;
  for (const std::string& named : content.mentions) {
    const auto jid = wire::parse_jid(named);
    if (!jid || !jid->is_person()) continue;
    TRY(std::string chat, names.chat_id(jid->bare()));
    if (jid->is_lid()) numbers.emplace(jid->user, chat.substr(0, chat.find('@')));
    chats.push_back(std::move(chat));
  }
  auto* text = std::get_if<content::Text>(&content.what);
  if (text != nullptr && !numbers.empty()) text->body = with_numbers(text->body, numbers);
  content.mentions = std::move(chats);
  return {};
}

}  // namespace posthorn::chat
