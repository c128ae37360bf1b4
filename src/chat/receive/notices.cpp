#include "chat/receive/notices.h"

#include <utility>
#include <vector>

#include "chat/people/ids.h"
#include "chat/people/names.h"
#include "posthorn/base/log.h"

namespace posthorn::chat {
namespace {

using wire::Jid;
using wire::Node;

bool is_user_identity(const Node& stanza, const Jid& from) {
  return stanza.text_attr("type") == "encrypt" && stanza.child("identity") != nullptr &&
         from.is_person();
}

bool is_dirty(const Node& stanza, std::string_view type) {
  const Node* dirty = stanza.tag == "ib" ? stanza.child("dirty") : nullptr;
  return dirty != nullptr && dirty->text_attr("type") == type;
}

/// The devices that a <remove> names.
std::vector<Jid> removed_devices(const Node& stanza, const Jid& from) {
  std::vector<Jid> removed;
  for (const Node& operation : stanza.children()) {
    if (operation.tag != "remove") continue;
    for (const DeviceEntry& entry : parse_devices(operation)) {
      if (entry.id != 0) removed.push_back(from.with_device(entry.id));
    }
  }
  return removed;
}

}  // namespace

bool Notices::concerns(const Node& stanza) {
  const std::string type = stanza.text_attr("type");
  const auto from = stanza.jid_attr("from");
  if (stanza.tag == "ib") return stanza.child("dirty") != nullptr;
  if (type == "devices" || type == "account_sync") return true;
  if (type == "privacy_token" || type == "contacts" || type == "server_sync") return true;
  return from && is_user_identity(stanza, *from);
}

Result<LaneWork> Notices::take(const Node& stanza, bool batch_open) {
  const std::string type = stanza.text_attr("type");
  if (type == "server_sync" || is_dirty(stanza, "syncd_app_state")) {
    LaneWork work;
    work.afterwards = [this, stanza] { on_change_.state(stanza); };
    return work;
  }
  if (stanza.tag == "ib" || type == "account_sync") return take_account(stanza);
  const auto from = stanza.jid_attr("from");
  if (!from) return LaneWork{};
  const Jid user = from_hosted(*from);
  if (type == "devices") return take_devices(stanza, user.bare(), batch_open);
  if (type == "encrypt") return take_identity(stanza, user, batch_open);
  if (type == "contacts") return take_contacts(stanza);
  LaneWork work;
  work.write = [this, stanza] { return tokens_.on_notification(stanza); };
  return work;
}

/// A new name moves sessions past the staged ones: only when nothing is staged.
Result<bool> Notices::is_news(const Jid& from, const std::optional<Jid>& lid) {
  if (!lid) return false;
  return context_.names.is_news(from, *lid);
}

Result<void> Notices::forget_device(const Jid& device) {
  TRY(keys_.delete_session(address_of(device)));
  TRY(const auto other, context_.names.other(device));
  if (!other) return {};
  return keys_.delete_session(address_of(other->with_device(device.device)));
}

Result<LaneWork> Notices::take_devices(const Node& stanza, const Jid& from, bool batch_open) {
  LaneWork work;
  const auto lid = stanza.jid_attr("lid");
  TRY(const bool news, is_news(from, lid));
  work.after_commit = news && batch_open;
  if (work.after_commit) return work;
  if (news) {
    TRY(context_.names.learn(from, *lid));
  }
  for (const Jid& device : removed_devices(stanza, from)) {
    TRY(forget_device(device));
  }
  // The next send asks for the list anew: cheaper than a patch that could be wrong.
  work.write = [this, from] { return devices_.drop(from); };
  return work;
}

Result<LaneWork> Notices::take_identity(const Node& stanza, const Jid& from, bool batch_open) {
  LaneWork work;
  if (from.device != 0 || is_own_user(context_.line.identity(), from)) return work;
  const auto lid = stanza.jid_attr("lid");
  TRY(const bool news, is_news(from, lid));
  work.after_commit = news && batch_open;
  if (work.after_commit) return work;
  if (news) {
    TRY(context_.names.learn(from, *lid));
  }
  log::info("messages", "a contact has a new identity");
  TRY(const auto other, context_.names.other(from));
  for (const Jid& name : {from, other.value_or(from)}) {
    TRY(keys_.forget_peer(signal::make_name(name.user, name.server)));
  }
  work.write = [this, from, other]() -> Result<void> {
    // He has lost our sender keys with his own.
    for (const Jid& name : {from, other.value_or(from)}) {
      TRY(context_.groups.drop_user(to_string(name.bare())));
    }
    return devices_.drop(from);
  };
  work.afterwards = [this, from] { tokens_.on_identity_change(from); };
  return work;
}

LaneWork Notices::take_account(const Node& stanza) {
  LaneWork work;
  const Node* dirty = stanza.child("dirty");
  if (dirty != nullptr && dirty->text_attr("type") != "account_sync") return work;
  const Node& scope = dirty != nullptr ? *dirty : stanza;
  if (scope.child("privacy") != nullptr) on_change_.privacy();
  if (scope.child("blocklist") != nullptr) on_change_.blocked();
  if (scope.child("devices") == nullptr) return work;
  work.write = [this]() -> Result<void> {
    const session::Identity& self = context_.line.identity();
    TRY(devices_.drop(self.pn.bare()));
    if (self.lid.empty()) return {};
    return devices_.drop(self.lid.bare());
  };
  return work;
}

LaneWork Notices::take_contacts(const Node& stanza) {
  LaneWork work;
  const Node* modify = stanza.child("modify");
  if (modify == nullptr) return work;
  work.write = [this, modify = *modify]() -> Result<void> {
    for (const auto& [pn, lid] : {std::pair("old", "old_lid"), std::pair("new", "new_lid")}) {
      const auto number = modify.jid_attr(pn);
      const auto hidden = modify.jid_attr(lid);
      if (number && hidden) {
        TRY(context_.names.learn(*number, *hidden));
      }
    }
    return {};
  };
  return work;
}

}  // namespace posthorn::chat
