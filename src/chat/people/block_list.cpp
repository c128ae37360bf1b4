#include "chat/people/block_list.h"

#include <utility>

#include "chat/people/ids.h"
#include "chat/people/names.h"

namespace posthorn::chat {
namespace {

using wire::Jid;
using wire::Node;

constexpr milliseconds kTimeout{20'000};
/// JIDs, two a person: half a megabyte. No owner has blocked so many; a server that says so is not
/// to cost more.
constexpr std::size_t kMost = 10'000;

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
  people_.clear();
  for (const Node& item : list.children()) {
    for (const char* name : {"jid", "pn_jid"}) {
      const auto jid = item.jid_attr(name);
      if (jid && jid->is_person() && people_.size() < kMost) {
        people_.insert(to_string(from_hosted(*jid).bare()));
      }
    }
  }
}

Result<bool> BlockList::holds(const Jid& person) const {
  if (people_.empty()) return false;
  if (people_.contains(to_string(person.bare()))) return true;
  TRY(const auto other, context_.names.other(person.bare()));
  return other && people_.contains(to_string(other->bare()));
}

}  // namespace posthorn::chat
