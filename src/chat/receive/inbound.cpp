#include "chat/receive/inbound.h"

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
                 Tokens& tokens, OwnDeviceNews& own_devices)
    : context_(context),
      lane_(lane),
      tokens_(tokens),
      own_devices_(own_devices),
      receiver_(context, protocol),
      retries_(context, protocol, [this](const Node& stanza) { show_given_up(stanza); }) {}

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
  if (auto event = undecryptable(stanza)) {
    work.message_id = event->id;
    work.events.emplace_back(std::move(*event));
  }
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
    ask_again(work, reception);
  } else if (reception.seen_key) {
    retries_.forget(*reception.seen_key);
  }
  if (reception.event) {
    work.message_id = reception.event->id;
    work.events.emplace_back(std::move(*reception.event));
  }
  work.afterwards = [this, replies = std::move(reception.replies),
                     failed = std::move(reception.failed), count = reception.retry_count,
                     key = reception.retry_key, changed = reception.changed_identity,
                     news = reception.from_own_device, id = stanza.text_attr("id")]() mutable {
    for (Node& reply : replies) context_.line.write(std::move(reply));
    if (news) own_devices_.afterwards(id, *news);
    if (failed) retries_.ask(std::move(*failed), key, count);
    if (changed) tokens_.on_identity_change(*changed);
  };
  const bool writes = reception.seen_key || reception.received || !reception.names.empty() ||
                      !reception.push_name_user.empty() || reception.changed_identity ||
                      reception.from_own_device;
  if (writes) {
    work.write = [this, reception = std::move(reception), id = stanza.text_attr("id")] {
      return write_reception(reception, id);
    };
  }
  return work;
}

/// Decides whether a message that could not be read is asked for (again) or given up.
void Inbound::ask_again(LaneWork& work, Reception& reception) {
  const Node& stanza = reception.failed->stanza;
  const session::Identity& self = context_.line.identity();
  const auto envelope = parse_envelope(stanza, self, context_.clock.now());
  const auto key =
      envelope ? seen_key_of(context_.names, *envelope) : fail(envelope.error(), "retry");
  if (!key) return;
  if (const auto count = retries_.next_count(*key, resend_count(*envelope))) {
    reception.retry_count = *count;
    reception.retry_key = *key;
    return;
  }
  reception.replies.push_back(build_ack(stanza, self, envelope->is_status() ? 0 : kNackRetry));
  retries_.stop_awaiting(*key);
  if (!reception.failed->hide_failure) {
    if (auto event = undecryptable(stanza)) {
      work.message_id = event->id;
      work.events.emplace_back(std::move(*event));
    }
  }
  reception.failed.reset();
}

void Inbound::show_given_up(const Node& stanza) {
  lane_.push([this, stanza](bool) -> Result<LaneWork> {
    LaneWork work;
    TRY(Message event, undecryptable(stanza));
    work.events.emplace_back(std::move(event));
    return work;
  });
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
