#include "posthorn/store/timer_store.h"

namespace posthorn::store {

Result<TimerStore::ChatTimer> TimerStore::find(std::string_view chat) {
  ChatTimer timer;
  Query query = find_.query(chat);
  TRY(const bool found, query.next());
  if (!found) return timer;
  timer.seconds = static_cast<std::uint32_t>(query.integer(0));
  timer.set_at = query.integer(1);
  return timer;
}

Result<void> TimerStore::save(std::string_view chat, const ChatTimer& timer) {
  TRY(const ChatTimer known, find(chat));
  // Every message of the chat says it again, most of them without its time.
  if (known.seconds == timer.seconds || timer.set_at < known.set_at) return {};
  TRY(save_.run(chat, static_cast<std::int64_t>(timer.seconds), timer.set_at));
  return prune_.run(kMost);
}

Result<void> TimerStore::move_user(std::string_view from, std::string_view to) {
  TRY(move_.run(from, to));
  return drop_.run(from);
}

}  // namespace posthorn::store
