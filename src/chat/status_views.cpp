#include "chat/status_views.h"

#include <utility>

#include "chat/people/names.h"

namespace posthorn::chat {

Result<std::vector<StatusView>> StoredViews::of(const std::string& message_id) {
  TRY(const auto views, context_.views.views(message_id));
  std::vector<StatusView> out;
  for (const store::ViewStore::View& view : views) {
    const auto user = wire::parse_jid(view.user);
    if (!user) continue;
    TRY(std::string chat, context_.names.chat_id(*user));
    out.push_back({std::move(chat), view.seen, Wall::from_unix(view.at)});
  }
  return out;
}

}  // namespace posthorn::chat
