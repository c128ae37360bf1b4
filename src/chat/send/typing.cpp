#include "chat/send/typing.h"

#include "posthorn/wire/names.h"

namespace posthorn::chat {

namespace {

namespace names = wire::names;

wire::Node build_presence(const session::Identity& self, bool available) {
  std::string name = self.push_name;
  std::erase(name, '@');
  return wire::Node(names::kPresence,
                    {{names::kType, available ? "available" : "unavailable"}, {"name", name}});
}

}  // namespace

std::vector<wire::Node> build_typing(const session::Identity& self, const wire::Jid& to, bool on) {
  if (self.push_name.empty()) return {};
  wire::Node state(names::kChatstate, {{names::kTo, to}},
                   std::vector{wire::Node(on ? "composing" : "paused")});
  std::vector<wire::Node> stanzas;
  if (on) stanzas.push_back(build_presence(self, true));
  stanzas.push_back(std::move(state));
  if (!on) stanzas.push_back(build_presence(self, false));
  return stanzas;
}

}  // namespace posthorn::chat
