#include "simulator/calls.h"

#include <algorithm>
#include <cctype>

#include "posthorn/wire/names.h"
#include "simulator/world.h"

namespace posthorn::simulator {

namespace names = wire::names;
using wire::Node;

/// A <call> about `about` for every device of the account but one.
void Calls::tell(Account& account, const Account& about, const std::string& call_id,
                 const Account& creator, Node what, const Device* but) {
  what.set_attr("call-id", call_id);
  what.set_attr("call-creator", creator.lid());
  for (const auto& [number, device] : account.devices) {
    if (device.get() == but) continue;
    Node call(names::kCall, {{"id", world_.next_id()}, {"t", world_.now_text()}});
    call.set_attr(names::kFrom, about.lid());
    call.content = std::vector{what};
    world_.relay.deliver(*device, std::move(call));
  }
}

Result<std::string> Calls::ring(Account& from, Account& to, bool video) {
  std::string id = hex_encode(world_.random.bytes(16));
  std::transform(id.begin(), id.end(), id.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  calls_[id] = {from.phone, to.phone, false};
  Node offer("offer", {{"caller_country_code", "DE"}});
  offer.set_attr("caller_pn", from.pn());
  std::vector<Node> media{Node("audio", {{"enc", "opus"}, {"rate", "16000"}})};
  if (video) media.emplace_back("video");
  offer.content = std::move(media);
  tell(to, from, id, from, std::move(offer));
  return id;
}

Result<void> Calls::end(std::string_view call_id, Simulator::CallEnd end) {
  const auto found = calls_.find(call_id);
  if (found == calls_.end() || found->second.over) return fail(Errc::not_found, "no such call");
  Account* caller = world_.directory.find(found->second.caller);
  Account* called = world_.directory.find(found->second.called);
  if (caller == nullptr || called == nullptr) return fail(Errc::not_found, "no such account");
  Node over("terminate");
  if (end == Simulator::CallEnd::take) over.set_attr("reason", "accepted_elsewhere");
  if (end == Simulator::CallEnd::decline) over.set_attr("reason", "rejected_elsewhere");
  found->second.over = end != Simulator::CallEnd::take;
  tell(*called, *caller, found->first, *caller, std::move(over));
  return {};
}

void Calls::on_call(Device& from, const Node& call) {
  const Node* rejection = call.child("reject");
  const auto to = call.jid_attr(names::kTo);
  const Account* target = to ? world_.directory.find(*to) : nullptr;
  const auto found =
      rejection != nullptr ? calls_.find(rejection->text_attr("call-id")) : calls_.end();
  if (found == calls_.end() || target == nullptr || target->phone != found->second.caller ||
      found->second.called != from.account.phone) {
    return world_.violation(from, "call " + call.text_attr("id") + " rejects nothing that rings");
  }
  const auto creator = rejection->jid_attr("call-creator");
  if (!creator || world_.directory.find(*creator) != target) {
    return world_.violation(from, "call-creator of the rejection is not who calls");
  }
  found->second.over = true;
  Account* caller = world_.directory.find(found->second.caller);
  tell(*caller, from.account, found->first, *caller, Node("reject"));
  Node over("terminate", {{"reason", "rejected_elsewhere"}});
  tell(from.account, *caller, found->first, *caller, std::move(over), &from);
}

}  // namespace posthorn::simulator
