#include "chat/people/block_list.h"

#include <optional>
#include <utility>
#include <vector>

#include "chat/people/ids.h"
#include "chat/people/names.h"
#include "posthorn/base/log.h"

namespace posthorn::chat {
namespace {

using wire::Jid;
using wire::Node;

constexpr milliseconds kTimeout{20'000};
/// JIDs, two a person: half a megabyte. No owner has blocked so many; a server that says so is not
/// to cost more.
constexpr std::size_t kMost = 10'000;
/// At once; nobody blocks more between two lists.
constexpr std::size_t kToldMost = 20;

}  // namespace

void BlockList::ask() {
  Node iq("iq", {{"to", Jid{"", std::string(wire::kServerUser), 0}},
                 {"type", "get"},
                 {"xmlns", "blocklist"}});
  context_.line.ask(std::move(iq), kTimeout, [this, alive = context_.alive](Result<Node> reply) {
    if (!*alive) return;
    // Without an answer what was known stays.
    if (const Node* list = reply ? reply->child("list") : nullptr) take(*list);
  });
}

void BlockList::take(const Node& list) {
  const std::set<std::string> before = std::exchange(people_, {});
  const bool compare = std::exchange(known_, true);
  std::vector<Jid> added;
  for (const Node& item : list.children()) {
    std::optional<Jid> person;
    bool is_new = true;
    for (const char* name : {"jid", "pn_jid"}) {
      const auto jid = item.jid_attr(name);
      if (!jid || !jid->is_person() || people_.size() >= kMost) continue;
      person = from_hosted(*jid).bare();
      is_new = is_new && !before.contains(to_string(*person));
      people_.insert(to_string(*person));
    }
    if (person && is_new && compare && added.size() < kToldMost) added.push_back(*person);
  }
  for (const Jid& person : added) tell(person);
}

void BlockList::tell(const Jid& person) const {
  const auto chat = context_.names.chat_id(person);
  if (!chat) return;
  context_.sink(Blocked{*chat, context_.clock.now()}, [](const Result<void>& stored) {
    if (!stored) log::warn("people", "a block was not told", {{"why", stored.error()}});
  });
}

Result<bool> BlockList::holds(const Jid& person) const {
  if (people_.empty()) return false;
  if (people_.contains(to_string(person.bare()))) return true;
  TRY(const auto other, context_.names.other(person.bare()));
  return other && people_.contains(to_string(other->bare()));
}

}  // namespace posthorn::chat
