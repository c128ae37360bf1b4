#include "chat/send/presence.h"

#include <utility>

#include "chat/people/names.h"
#include "chat/send/typing.h"
#include "posthorn/base/log.h"

namespace posthorn::chat {

void PresenceShown::show_typing(const std::string& chat, Typing what) {
  const session::Identity& self = context_.line.identity();
  if (!context_.line.online() || self.push_name.empty()) return;
  const auto jid = context_.names.addressed(chat);
  const auto named = jid ? context_.names.preferred(*jid) : fail(jid.error(), "typing");
  if (!named) return log::debug("messages", "typing is not shown", {{"why", named.error()}});
  const bool was_available = available();
  if (what == Typing::none) {
    typed_to_.erase(to_string(*named));
  } else {
    typed_to_.insert(to_string(*named));
  }
  if (available() && !was_available) announce(true);
  context_.line.write(build_typing(*named, what));
  if (!available() && was_available) announce(false);
}

void PresenceShown::keep_online(bool on) {
  const bool was_available = available();
  keep_online_ = on;
  const session::Identity& self = context_.line.identity();
  if (available() == was_available || !context_.line.online() || self.push_name.empty()) return;
  announce(on);
}

void PresenceShown::on_online() {
  const session::Identity& self = context_.line.identity();
  if (keep_online_ && !self.push_name.empty()) announce(true);
}

void PresenceShown::on_offline() {
  typed_to_.clear();
  *context_.available = false;
}

void PresenceShown::announce(bool there) {
  context_.line.write(build_presence(context_.line.identity(), there));
  *context_.available = there;
}

}  // namespace posthorn::chat
