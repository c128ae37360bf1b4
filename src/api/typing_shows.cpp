#include "api/typing_shows.h"

#include <algorithm>

namespace posthorn::api {

bool TypingShows::start(const std::string& chat, chat::Typing what, milliseconds lasts) {
  auto running = std::find_if(running_.begin(), running_.end(),
                              [&chat](const Running& each) { return each.chat == chat; });
  if (running == running_.end()) {
    if (running_.size() >= kMost) return false;
    running = running_.emplace(running_.end(), scheduler_, chat);
  }
  presence_.show_typing(chat, what);
  running->end.start(lasts, [this, chat] { end(chat); });
  return true;
}

void TypingShows::end(const std::string& chat) {
  presence_.show_typing(chat, chat::Typing::none);
  std::erase_if(running_, [&chat](const Running& each) { return each.chat == chat; });
}

}  // namespace posthorn::api
