#include "chat/send/typing.h"

#include "posthorn/wire/names.h"

namespace posthorn::chat {

namespace names = wire::names;

wire::Node build_presence(const session::Identity& self, bool available) {
  std::string name = self.push_name;
  std::erase(name, '@');
  return wire::Node(names::kPresence,
                    {{names::kType, available ? "available" : "unavailable"}, {"name", name}});
}

wire::Node build_typing(const wire::Jid& to, Typing what) {
  wire::Node state(what == Typing::none ? "paused" : "composing");
  if (what == Typing::recording) state.set_attr("media", std::string("audio"));
  return wire::Node(names::kChatstate, {{names::kTo, to}}, std::vector{std::move(state)});
}

}  // namespace posthorn::chat
