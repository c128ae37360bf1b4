#include "chat/engine.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "chat/people/ids.h"
#include "chat/people/names.h"
#include "chat/receive/receipts.h"
#include "chat/send/typing.h"
#include "posthorn/base/log.h"

namespace posthorn::chat {
namespace {

using wire::Node;
using Status = store::MessageStore::Sent::Status;

constexpr int kNackRetry = 500;
constexpr int kNackUnparsable = 487;

std::optional<std::uint32_t> resend_count(const Envelope& envelope) {
  for (const EncPart& part : envelope.parts) {
    if (part.count) return part.count;
  }
  return std::nullopt;
}

struct StatusRow {
  IncomingReceipt::Kind incoming;
  Receipt::Kind event;
  Status status;
};
constexpr StatusRow kStatusRows[] = {
    {IncomingReceipt::Kind::delivered, Receipt::Kind::delivered, Status::delivered},
    {IncomingReceipt::Kind::read, Receipt::Kind::read, Status::read},
    {IncomingReceipt::Kind::played, Receipt::Kind::played, Status::played},
};

}  // namespace

MessageEngine::MessageEngine(session::Line& line, const EventSink& sink, Scheduler& scheduler,
                             const Clock& clock, Random& random, store::Store& store,
                             std::unique_ptr<store::MessageStore> messages)
    : messages_(std::move(messages)),
      names_(store, *messages_),
      context_{.line = line,
               .sink = sink,
               .scheduler = scheduler,
               .clock = clock,
               .random = random,
               .store = store,
               .messages = *messages_,
               .names = names_},
      keys_(store),
      protocol_(keys_, random),
      lane_(context_, keys_, [this] { names_.forget_cache(); }),
      receiver_(context_, protocol_),
      retries_(context_, protocol_, [this](const Node& stanza) { show_given_up(stanza); }),
      devices_(context_, lane_, protocol_),
      sessions_(context_, lane_, protocol_, devices_),
      tokens_(context_),
      resends_(SendTools{context_, lane_, protocol_, devices_, sessions_, tokens_}),
      numbers_(context_, lane_),
      reader_(context_),
      notices_(context_, keys_, devices_, tokens_, [this] { reader_.forget_privacy(); }) {}

MessageEngine::~MessageEngine() {
  *self_ = nullptr;
  *context_.alive = false;
  if (const auto flow = sending_.lock()) flow->cancel();
}

void MessageEngine::on_message(Node stanza) {
  lane_.push([this, stanza = std::move(stanza)](bool batch_open) {
    return take_message(stanza, batch_open);
  });
}

Result<LaneWork> MessageEngine::take_message(const Node& stanza, bool batch_open) {
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
                     key = reception.retry_key, changed = reception.changed_identity]() mutable {
    for (Node& reply : replies) context_.line.write(std::move(reply));
    if (failed) retries_.ask(std::move(*failed), key, count);
    if (changed) tokens_.on_identity_change(*changed);
  };
  const bool writes = reception.seen_key || reception.received || !reception.names.empty() ||
                      !reception.push_name_user.empty();
  if (writes) {
    work.write = [this, reception = std::move(reception)] { return write_reception(reception); };
  }
  return work;
}

/// Decides whether a message that could not be read is asked for (again) or given up.
void MessageEngine::ask_again(LaneWork& work, Reception& reception) {
  const Node& stanza = reception.failed->stanza;
  const session::Identity& self = context_.line.identity();
  const auto envelope = parse_envelope(stanza, self, context_.clock.now());
  const auto key = envelope ? seen_key_of(names_, *envelope) : fail(envelope.error(), "retry");
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

void MessageEngine::show_given_up(const Node& stanza) {
  lane_.push([this, stanza](bool) -> Result<LaneWork> {
    LaneWork work;
    TRY(Message event, undecryptable(stanza));
    work.events.emplace_back(std::move(event));
    return work;
  });
}

Result<Message> MessageEngine::undecryptable(const Node& stanza) {
  TRY(const auto envelope, parse_envelope(stanza, context_.line.identity(), context_.clock.now()));
  Message event;
  event.kind = Message::Kind::undecryptable;
  event.id = envelope.id;
  TRY(event.chat, names_.chat_id(envelope.chat));
  TRY(event.sender, names_.chat_id(envelope.sender));
  event.sender_name = envelope.push_name;
  event.from_me = envelope.from_me;
  event.timestamp = envelope.timestamp;
  return event;
}

Result<void> MessageEngine::write_reception(const Reception& reception) {
  for (const auto& [one, other] : reception.names) {
    TRY(names_.learn(one, other));
  }
  if (reception.seen_key) {
    TRY(messages_->save_seen(*reception.seen_key, context_.clock.now()));
  }
  if (reception.received) {
    TRY(messages_->save_received(*reception.received));
  }
  if (!reception.push_name_user.empty()) {
    TRY(messages_->save_push_name(reception.push_name_user, reception.push_name));
  }
  return {};
}

void MessageEngine::on_receipt(Node stanza) {
  lane_.push([this, stanza = std::move(stanza)](bool) { return take_receipt(stanza); });
}

Result<LaneWork> MessageEngine::take_receipt(const Node& stanza) {
  using Kind = IncomingReceipt::Kind;
  LaneWork work;
  const session::Identity& self = context_.line.identity();
  const auto receipt = parse_receipt(stanza, context_.clock.now());
  if (!receipt) {
    work.afterwards = [this, ack = build_ack(stanza, self, kNackUnparsable)]() mutable {
      context_.line.write(std::move(ack));
    };
    return work;
  }
  if (receipt->kind == Kind::retry) {
    // Answering needs the lane for itself, so it begins when this batch is through.
    work.afterwards = [this, stanza] { answer_retry(stanza); };
    return work;
  }
  Node ack = build_ack(stanza, self);
  if (receipt->kind != Kind::read_self) {
    TRY(take_status(*receipt, std::move(ack)));
    return work;
  }
  TRY(take_own_read(*receipt, work));
  work.afterwards = [this, ack = std::move(ack)]() mutable { context_.line.write(std::move(ack)); };
  return work;
}

/// One receipt whose events are on their way to the disk.
struct MessageEngine::ToldReceipt {
  Node ack;
  std::size_t open = 1;  ///< events not stored yet, and one while they are being told
  std::optional<Error> error;
};

/// A status changes no keys, so the lane does not wait for it: messages overtake it, and several
/// share one sync. Acknowledged when it is stored; else the server tells it again.
Result<void> MessageEngine::take_status(const IncomingReceipt& receipt, Node ack) {
  const auto* row = std::find_if(std::begin(kStatusRows), std::end(kStatusRows),
                                 [&](const StatusRow& r) { return r.incoming == receipt.kind; });
  const wire::Jid author = receipt.participant.value_or(receipt.from);
  if (row == std::end(kStatusRows) || is_own_user(context_.line.identity(), from_hosted(author))) {
    context_.line.write(std::move(ack));
    return {};
  }
  TRY(const std::string chat, names_.chat_id(from_hosted(receipt.from)));
  std::vector<Receipt> events;
  for (const std::string& id : receipt.ids) {
    // Every device of the customer sends its own; one event per step is what people expect.
    TRY(const bool raised, messages_->would_raise(id, row->status));
    if (!raised) continue;
    Receipt& event = events.emplace_back();
    event.kind = row->event;
    event.message_id = id;
    event.chat = chat;
    event.timestamp = receipt.when;
  }
  auto told = std::make_shared<ToldReceipt>();
  told->ack = std::move(ack);
  ++open_receipts_;
  for (Receipt& event : events) tell(std::move(event), row->status, told);
  finish(*told);
  return {};
}

void MessageEngine::tell(Receipt event, Status status, const std::shared_ptr<ToldReceipt>& told) {
  ++told->open;
  const std::string id = event.message_id;
  context_.sink(std::move(event), [self = self_, id, status, told](Result<void> stored) {
    if (*self == nullptr) return;
    if (stored) stored = (*self)->messages_->raise_status(id, status);
    if (!stored) told->error = stored.error();
    (*self)->finish(*told);
  });
}

void MessageEngine::finish(ToldReceipt& told) {
  if (--told.open > 0) return;
  --open_receipts_;
  if (told.error) return context_.line.drop(std::move(*told.error));
  context_.line.write(std::move(told.ack));
}

Result<void> MessageEngine::take_own_read(const IncomingReceipt& receipt, LaneWork& work) {
  const wire::Jid named = from_hosted(receipt.recipient.value_or(receipt.from)).bare();
  TRY(const wire::Jid chat, names_.preferred(named));
  work.write = [this, chat = to_string(chat), ids = receipt.ids] {
    return messages_->mark_read(chat, ids);
  };
  return {};
}

void MessageEngine::answer_retry(const Node& stanza) {
  Node ack = build_ack(stanza, context_.line.identity());
  auto request = parse_retry_request(stanza);
  if (!request) return context_.line.write(std::move(ack));
  resends_.add(std::move(*request),
               [this, ack = std::move(ack)]() mutable { context_.line.write(std::move(ack)); });
}

void MessageEngine::on_notification(Node stanza, Once<void()> handled) {
  if (!notices_.concerns(stanza)) return handled();
  lane_.push([this, stanza = std::move(stanza)](
                 bool batch_open) { return notices_.take(stanza, batch_open); },
             std::move(handled));
}

void MessageEngine::on_online() {
  // Our own two names are one account like any other.
  const session::Identity& self = context_.line.identity();
  if (self.lid.empty()) return;
  lane_.exclusive([this, &self] { return names_.learn(self.pn.bare(), self.lid.bare()); },
                  [](Result<void> result) {
                    if (!result) log::error("messages", "own names", {{"why", result.error()}});
                  });
}

void MessageEngine::on_offline() {
  lane_.forget_waiting();
  retries_.forget_waiting();
  resends_.forget_waiting();
}

void MessageEngine::on_logged_out() {
  on_offline();
  if (const auto flow = sending_.lock()) flow->cancel();
  numbers_.forget_all();
  reader_.forget_privacy();
  names_.forget_cache();
  if (auto cleared = messages_->clear(); !cleared) {
    log::error("messages", "message tables could not be cleared", {{"why", cleared.error()}});
  }
}

void MessageEngine::show_typing(const std::string& chat, bool on) {
  if (!context_.line.online()) return;
  const auto jid = parse_chat_id(chat);
  const auto named = jid ? names_.preferred(*jid) : fail(jid.error(), "typing");
  if (!named) return log::debug("messages", "typing is not shown", {{"why", named.error()}});
  for (wire::Node& stanza : build_typing(context_.line.identity(), *named, on)) {
    context_.line.write(std::move(stanza));
  }
}

void MessageEngine::send(const Job& job, Once<void(throttle::SendOutcome)> done) {
  if (send_open_) {
    throttle::SendOutcome outcome;
    outcome.kind = throttle::SendOutcome::Kind::not_sent;
    outcome.detail = "busy: another message is being sent";
    return done(std::move(outcome));
  }
  send_open_ = true;
  sending_ =
      SendFlow::start(SendTools{context_, lane_, protocol_, devices_, sessions_, tokens_}, job,
                      [this, done = std::move(done)](throttle::SendOutcome outcome) mutable {
                        send_open_ = false;
                        done(std::move(outcome));
                      });
}

}  // namespace posthorn::chat
