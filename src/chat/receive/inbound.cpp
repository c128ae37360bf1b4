#include "chat/receive/inbound.h"

#include <iterator>
#include <memory>
#include <utility>

#include "chat/people/names.h"
#include "chat/receive/envelope.h"
#include "chat/receive/receipts.h"

namespace posthorn::chat {
namespace {

using wire::Node;

constexpr int kNackUnparsable = 487;
constexpr int kNackRetry = 500;
constexpr std::size_t kRefusedMax = 64;

/// Trouble that is ours and passes: the message is wanted again.
bool is_storage(Errc code) {
  return code == Errc::io || code == Errc::full || code == Errc::cancelled;
}

std::optional<std::uint32_t> resend_count(const Envelope& envelope) {
  for (const EncPart& part : envelope.parts) {
    if (part.count) return part.count;
  }
  return std::nullopt;
}

}  // namespace

Inbound::Inbound(const MessageContext& context, ReceiveLane& lane, signal::Protocol& protocol,
                 Tokens& tokens, OwnDeviceNews& own_devices, store::AwaitedStore& awaited,
                 Awaited::AskPhone ask_phone)
    : context_(context),
      lane_(lane),
      tokens_(tokens),
      own_devices_(own_devices),
      receiver_(context, protocol),
      retries_(context, protocol),
      awaited_(context, awaited, std::move(ask_phone),
               [this](std::uint64_t key, const Node& stanza) { show_given_up(key, stanza); }) {}

void Inbound::forget_waiting() {
  for (const std::uint64_t key : retries_.forget_waiting()) awaited_.pause(key);
}

Result<LaneWork> Inbound::take(const Node& stanza, bool batch_open) {
  const std::string id = stanza.text_attr("id");
  if (refused_.contains(id)) return refuse(stanza);
  auto work = read(stanza, batch_open);
  // The connection is dropped with whatever this one had changed. While the store is well, it was
  // the message: the server sends it again, and the second time it must not stand in the way.
  if (!work && context_.store.healthy() && !is_storage(work.error().code)) {
    if (refused_.size() >= kRefusedMax) refused_.clear();
    refused_.insert(id);
  }
  return work;
}

/// A message that cannot be handled: told as one that could not be read, and acknowledged.
LaneWork Inbound::refuse(const Node& stanza) {
  LaneWork work;
  tell_undecryptable(work, stanza);
  work.afterwards = [this,
                     ack = build_ack(stanza, context_.line.identity(), kNackUnparsable)]() mutable {
    context_.line.write(std::move(ack));
  };
  return work;
}

Result<LaneWork> Inbound::read(const Node& stanza, bool batch_open) {
  TRY(auto reception, receiver_.receive(stanza, batch_open));
  LaneWork work;
  work.after_commit = reception.after_commit;
  if (work.after_commit) return work;
  if (reception.failed) {
    TRY(ask_again(work, reception));
  } else if (reception.ask_phone) {
    await(work, reception, stanza, Awaited::From::phone);
  } else if (reception.seen_key) {
    end_waiting(reception);
  }
  LaneWork rest = work_of(std::move(reception), stanza.text_attr("id"));
  rest.events.insert(rest.events.begin(), std::make_move_iterator(work.events.begin()),
                     std::make_move_iterator(work.events.end()));
  if (rest.message_id.empty()) rest.message_id = std::move(work.message_id);
  return rest;
}

/// Event, writes and answers of what was received.
LaneWork Inbound::work_of(Reception reception, const std::string& id) {
  LaneWork work;
  if (reception.event) {
    work.message_id = reception.event->id;
    work.events.emplace_back(std::move(*reception.event));
  }
  // Shared: written first, then asked for.
  auto shared = std::make_shared<Reception>(std::move(reception));
  const Reception& known = *shared;
  const bool writes = known.seen_key || known.received || !known.names.empty() ||
                      !known.push_name_user.empty() || known.changed_identity ||
                      known.from_own_device || known.awaited || !known.ended.empty();
  if (writes) work.write = [this, shared, id] { return write_reception(*shared, id); };
  work.afterwards = [this, shared, id] {
    for (Node& reply : shared->replies) context_.line.write(std::move(reply));
    for (const std::uint64_t key : shared->ended) awaited_.take(key);
    if (shared->from_own_device) own_devices_.afterwards(id, *shared->from_own_device);
    if (shared->failed || shared->awaited) ask_for(*shared);
    if (shared->changed_identity) tokens_.on_identity_change(*shared->changed_identity);
    const bool phone = shared->from_own_device && shared->own_device.device == 0;
    if (phone && shared->from_own_device->has_peerdataoperationrequestresponsemessage())
      take_copies(shared->from_own_device->peerdataoperationrequestresponsemessage());
  };
  return work;
}

/// Decides whether a message that could not be read is asked for (again) or given up.
Result<void> Inbound::ask_again(LaneWork& work, Reception& reception) {
  const Node& stanza = reception.failed->stanza;
  TRY(const auto envelope, parse_envelope(stanza, context_.line.identity(), context_.clock.now()));
  // What our own devices tell each other comes again when it is needed; nobody waits to read it.
  if (envelope.category == "peer") reception.failed->hide_failure = true;
  TRY(const wire::Jid sender, context_.names.preferred(envelope.sender.bare()));
  const bool may = envelope.from_me || retries_.may_ask(to_string(sender));
  const auto count =
      may ? retries_.next_count(reception.keys.front(), resend_count(envelope)) : std::nullopt;
  if (!count) {
    give_up(work, reception);
    return {};
  }
  reception.retry_count = *count;
  if (!reception.failed->hide_failure) await(work, reception, stanza, Awaited::From::sender);
  return {};
}

void Inbound::give_up(LaneWork& work, Reception& reception) {
  const Node& stanza = reception.failed->stanza;
  reception.replies.push_back(build_ack(stanza, context_.line.identity(), kNackRetry));
  for (const std::uint64_t key : reception.keys) {
    if (awaited_.take(key)) reception.ended.push_back(key);
  }
  if (!reception.failed->hide_failure) tell_undecryptable(work, stanza);
  reception.failed.reset();
}

/// One too many is told at once, and may still come.
void Inbound::await(LaneWork& work, Reception& reception, const Node& stanza, Awaited::From from) {
  const std::uint64_t key = reception.keys.front();
  for (const std::uint64_t earlier : reception.keys) {
    if (earlier != key && awaited_.take(earlier)) reception.ended.push_back(earlier);
  }
  if (awaited_.full(key)) {
    // Without an ack it comes again, and is told then.
    if (!reception.failed || retries_.has_room()) tell_undecryptable(work, stanza);
    return;
  }
  awaited_.add(key, stanza, from);
  reception.awaited = true;
}

/// Under each of its names: it may have been awaited before its sender's LID was known.
void Inbound::end_waiting(Reception& reception) {
  for (const std::uint64_t key : reception.keys) {
    retries_.forget(key);
    if (awaited_.take(key)) reception.ended.push_back(key);
  }
}

void Inbound::ask_for(const Reception& reception) {
  const std::uint64_t key = reception.keys.front();
  const bool asked =
      !reception.failed || retries_.ask(*reception.failed, key, reception.retry_count);
  if (reception.awaited && asked) awaited_.start(key);
  if (!asked) awaited_.pause(key);
}

void Inbound::tell_undecryptable(LaneWork& work, const Node& stanza) {
  auto event = undecryptable(stanza);
  if (!event) return;
  work.message_id = event->id;
  work.events.emplace_back(std::move(*event));
}

void Inbound::show_given_up(std::uint64_t key, const Node& stanza) {
  lane_.push([this, key, stanza](bool) -> Result<LaneWork> {
    LaneWork work;
    work.write = [this, key] { return awaited_.drop(key); };
    work.afterwards = [this, key] { awaited_.take(key); };  // a new login has read its row again
    if (context_.messages.was_seen(key)) return work;       // it came a moment ago
    TRY(Message event, undecryptable(stanza));
    work.events.emplace_back(std::move(event));
    return work;
  });
}

/// What the phone has of the messages that it was asked for, each for itself: what a crash takes
/// of them is awaited still.
void Inbound::take_copies(const wa::Message::PeerDataOperationRequestResponseMessage& answer) {
  for (const auto& result : answer.peerdataoperationresult()) {
    const std::string& bytes = result.placeholdermessageresendresponse().webmessageinfobytes();
    wa::WebMessageInfo info;
    if (bytes.empty() || !info.ParseFromString(bytes) || !info.has_message()) continue;
    lane_.push([this, info = std::move(info)](bool) { return read_copy(info); });
  }
}

Result<LaneWork> Inbound::read_copy(const wa::WebMessageInfo& info) {
  TRY(const Node* found, awaited_.find(info.key()));
  if (found == nullptr) return LaneWork();
  const Node stanza = *found;
  TRY(auto reception, receiver_.receive_copy(stanza, info));
  end_waiting(reception);
  return work_of(std::move(reception), stanza.text_attr("id"));
}

Result<Message> Inbound::undecryptable(const Node& stanza) {
  TRY(const auto envelope, parse_envelope(stanza, context_.line.identity(), context_.clock.now()));
  Message event;
  event.content.what = content::Undecryptable{};
  event.id = envelope.id;
  TRY(event.chat, context_.names.chat_id(envelope.chat));
  TRY(event.sender, context_.names.chat_id(envelope.sender));
  event.sender_name = envelope.push_name;
  event.from_me = envelope.from_me;
  event.timestamp = envelope.timestamp;
  return event;
}

Result<void> Inbound::write_reception(const Reception& reception, const std::string& id) {
  for (const auto& [one, other] : reception.names) {
    TRY(context_.names.learn(one, other));
  }
  if (reception.from_own_device) {
    TRY(own_devices_.write(reception.own_device, id, *reception.from_own_device));
  }
  if (reception.changed_identity) {
    TRY(const wire::Jid sender, context_.names.preferred(reception.changed_identity->bare()));
    TRY(context_.groups.drop_user(to_string(sender)));
  }
  if (reception.awaited) {
    TRY(awaited_.write(reception.keys.front()));
  }
  for (const std::uint64_t key : reception.ended) {
    TRY(awaited_.drop(key));
  }
  if (reception.seen_key) {
    TRY(context_.messages.save_seen(*reception.seen_key, context_.clock.now()));
  }
  if (reception.received) {
    TRY(context_.messages.save_received(*reception.received));
  }
  if (reception.file) {
    TRY(context_.media.save_received(*reception.file));
  }
  if (reception.poll) {
    TRY(context_.messages.polls().save(*reception.poll, context_.clock.now()));
  }
  if (reception.vote) {
    TRY(context_.messages.polls().note(*reception.vote));
  }
  if (reception.timer) {
    TRY(context_.messages.timers().save(reception.timer->first, reception.timer->second));
  }
  if (!reception.push_name_user.empty()) {
    TRY(context_.messages.save_push_name(reception.push_name_user, reception.push_name));
  }
  return {};
}

}  // namespace posthorn::chat
