#include "chat/calls.h"

#include <utility>

#include "chat/people/ids.h"
#include "chat/people/names.h"
#include "posthorn/base/log.h"

namespace posthorn::chat {
namespace {

using wire::Jid;
using wire::Node;
using Status = Call::Status;

constexpr std::size_t kMaxCallId = 128;

bool is_offer(const Node& what) { return what.tag == "offer" || what.tag == "offer_notice"; }

bool is_video(const Node& what) {
  return what.child("video") != nullptr || what.text_attr("media") == "video";
}

}  // namespace

void CallWatch::take(const Node& stanza, Once<void()> handled) {
  const auto from = stanza.jid_attr("from");
  if (!from || stanza.children().empty()) return handled();
  const Node& what = stanza.children().front();
  const std::string id = what.text_attr("call-id");
  // What we or our phone call out is no call that comes in.
  const auto creator = what.jid_attr("call-creator");
  const bool ours = is_own_user(context_.line.identity(), creator.value_or(*from));
  if (id.empty() || id.size() > kMaxCallId || ours) return handled();
  const bool known_step =
      is_offer(what) || what.tag == "accept" || what.tag == "reject" || what.tag == "terminate";
  if (!known_step) return handled();
  Known& known = known_.at(id);
  if (known.call.id.empty()) {
    known.call.id = id;
    known.call.chat = caller(stanza, what);
    known.call.video = is_video(what);
  }
  const auto status = step(known, stanza, what);
  if (!status) return handled();
  known.call.status = *status;
  const auto at = stanza.int_attr("t");
  known.call.timestamp = at && *at > 0 ? Wall::from_unix(*at) : context_.clock.now();
  const bool refuse = *status == Status::offer && reject_;
  if (!refuse) return tell(known.call, std::move(handled));
  Call declined = known.call;
  declined.status = Status::declined;
  known.over = true;
  // Both steps are told, in their order.
  tell(known.call, [this, declined = std::move(declined), alive = context_.alive,
                    handled = std::move(handled)]() mutable {
    if (!*alive) return handled();
    tell(std::move(declined), std::move(handled));
  });
  reject(stanza, what);
}

/// What this stanza adds to what was told of the call; nullopt: nothing.
std::optional<Status> CallWatch::step(Known& known, const Node& stanza, const Node& what) {
  if (known.over) return std::nullopt;
  if (is_offer(what)) {
    if (std::exchange(known.ringing, true)) return std::nullopt;
    // Out of the backlog: it does not ring any more.
    known.over = stanza.has_attr("offline");
    return known.over ? Status::missed : Status::offer;
  }
  const std::string reason = what.tag == "terminate" ? what.text_attr("reason") : "";
  if (what.tag == "accept" || reason == "accepted_elsewhere") {
    if (std::exchange(known.taken, true)) return std::nullopt;
    return Status::pick_up;
  }
  known.over = true;
  if (what.tag == "reject" || reason == "rejected_elsewhere") return Status::declined;
  // The end of a call whose beginning was missed as well.
  if (!known.ringing && stanza.has_attr("offline")) return Status::missed;
  return Status::hung_up;
}

/// The chatId of who calls; the stanza may say the number behind a LID.
std::string CallWatch::caller(const Node& stanza, const Node& what) const {
  const Jid creator = what.jid_attr("call-creator").value_or(*stanza.jid_attr("from")).bare();
  const auto number = what.jid_attr("caller_pn");
  auto chat = context_.names.chat_id(number && number->is_pn() ? number->bare() : creator);
  return chat ? std::move(*chat) : to_string(creator);
}

void CallWatch::reject(const Node& stanza, const Node& offer) {
  Node rejection("reject", {{"call-id", offer.text_attr("call-id")}, {"count", "0"}});
  rejection.set_attr("call-creator",
                     offer.jid_attr("call-creator").value_or(*stanza.jid_attr("from")));
  Node call("call", {{"id", "3EB0" + hex_encode(context_.random.bytes(9))}});
  call.set_attr("from", context_.line.identity().pn.bare());
  call.set_attr("to", *stanza.jid_attr("from"));
  call.content = std::vector{std::move(rejection)};
  context_.line.write(std::move(call));
}

void CallWatch::tell(Call call, Once<void()> handled) {
  context_.sink(std::move(call), [handled = std::move(handled)](Result<void> stored) mutable {
    // The ringing is over before the server would say it again.
    if (!stored) log::warn("calls", "a call could not be told", {{"why", stored.error()}});
    handled();
  });
}

}  // namespace posthorn::chat
