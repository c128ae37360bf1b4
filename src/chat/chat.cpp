#include "posthorn/chat/chat.h"

#include <utility>

#include "chat/groups/cache.h"
#include "chat/groups/desk.h"
#include "chat/groups/flow.h"
#include "chat/groups/service.h"
#include "chat/lane/context.h"
#include "chat/lane/lane.h"
#include "chat/lane/staged_keys.h"
#include "chat/people/addressing.h"
#include "chat/people/bundles_fetch.h"
#include "chat/people/devices.h"
#include "chat/people/names.h"
#include "chat/people/numbers.h"
#include "chat/people/tokens.h"
#include "chat/receive/inbound.h"
#include "chat/receive/notices.h"
#include "chat/receive/statuses.h"
#include "chat/send/presence.h"
#include "chat/send/quotes.h"
#include "chat/send/read_marks.h"
#include "chat/send/resend.h"
#include "chat/send/sender.h"
#include "posthorn/base/log.h"
#include "posthorn/store/message_store.h"
#include "posthorn/store/store.h"

namespace posthorn::chat {

using wire::Node;

/// The parts, in the order in which they need each other, and what each stanza is for.
class Chat::Parts final : public session::Listener {
 public:
  Parts(session::Line& line, const Outside& outside, EventSink sink,
        std::unique_ptr<store::MessageStore> messages, std::unique_ptr<store::AliasStore> aliases,
        std::unique_ptr<store::GroupStore> groups);
  ~Parts() override;

  void on_message(Node stanza) override;
  void on_receipt(Node stanza) override;
  void on_notification(Node stanza, Once<void()> handled) override;
  void on_online() override;
  void on_offline(const Error& why) override;
  void on_logged_out() override;
  [[nodiscard]] std::size_t unfinished() const override {
    return lane_.unfinished() + statuses_.open();
  }

 private:
  friend class Chat;
  void answer_retry(const Node& stanza);

  EventSink sink_;
  std::unique_ptr<store::MessageStore> messages_;
  std::unique_ptr<store::AliasStore> aliases_;
  std::unique_ptr<store::GroupStore> group_rows_;
  Names names_;
  Addressing addressing_;
  MessageContext context_;
  StagedKeys keys_;
  signal::Protocol protocol_;
  ReceiveLane lane_;
  Devices devices_;
  SessionBuilder sessions_;
  Tokens tokens_;
  Numbers numbers_;
  GroupCache groups_;
  Desk desk_;
  GroupService group_service_{context_, groups_};
  Inbound inbound_;
  Statuses statuses_;
  Resends resends_;
  ReadMarker reader_;
  Notices notices_;
  PresenceShown presence_;
  MessageSender sender_;
  QuoteFinder quotes_{context_};
};

Chat::Parts::Parts(session::Line& line, const Outside& outside, EventSink sink,
                   std::unique_ptr<store::MessageStore> messages,
                   std::unique_ptr<store::AliasStore> aliases,
                   std::unique_ptr<store::GroupStore> groups)
    : sink_(std::move(sink)),
      messages_(std::move(messages)),
      aliases_(std::move(aliases)),
      group_rows_(std::move(groups)),
      names_(outside.store, *messages_, *aliases_),
      addressing_(line, outside.clock, outside.store),
      context_{.line = line,
               .sink = sink_,
               .scheduler = outside.scheduler,
               .clock = outside.clock,
               .random = outside.random,
               .store = outside.store,
               .messages = *messages_,
               .groups = *group_rows_,
               .names = names_,
               .addressing = addressing_},
      keys_(outside.store),
      protocol_(keys_, outside.random),
      lane_(context_, keys_, [this] { names_.forget_cache(); }),
      devices_(context_, lane_, protocol_),
      sessions_(context_, lane_, protocol_, devices_),
      tokens_(context_),
      numbers_(context_, lane_),
      groups_(context_, lane_, protocol_),
      desk_(context_, groups_, protocol_),
      inbound_(context_, lane_, protocol_, tokens_),
      statuses_(context_, [this](const Node& stanza) { answer_retry(stanza); }),
      resends_(SendTools{context_, lane_, protocol_, devices_, sessions_, tokens_, numbers_},
               desk_),
      reader_(context_, lane_),
      notices_(context_, keys_, devices_, tokens_, [this] { reader_.forget_privacy(); }),
      presence_(context_),
      sender_(SendTools{context_, lane_, protocol_, devices_, sessions_, tokens_, numbers_},
              presence_, [this](const Job& job, Once<void(throttle::SendOutcome)> done) {
                return GroupFlow::start(
                    {{context_, lane_, protocol_, devices_, sessions_, tokens_, numbers_}, groups_},
                    job, std::move(done));
              }) {
  lane_.known_recent(outside.told);
}

Chat::Parts::~Parts() { *context_.alive = false; }

void Chat::Parts::on_message(Node stanza) {
  lane_.push([this, stanza = std::move(stanza)](bool batch_open) {
    return inbound_.take(stanza, batch_open);
  });
}

void Chat::Parts::on_receipt(Node stanza) { statuses_.push(std::move(stanza), lane_); }

void Chat::Parts::on_notification(Node stanza, Once<void()> handled) {
  const Node* dirty = stanza.child("dirty");
  if (dirty != nullptr && dirty->text_attr("type") == "groups") {
    groups_.forget_all();
    groups_.ask_names();
    return handled();
  }
  if (GroupCache::concerns(stanza)) {
    return lane_.push([this, stanza = std::move(stanza)](
                          bool batch_open) { return groups_.take(stanza, batch_open); },
                      std::move(handled));
  }
  if (!notices_.concerns(stanza)) return handled();
  lane_.push([this, stanza = std::move(stanza)](
                 bool batch_open) { return notices_.take(stanza, batch_open); },
             std::move(handled));
}

void Chat::Parts::answer_retry(const Node& stanza) {
  Node ack = build_ack(stanza, context_.line.identity());
  auto request = parse_retry_request(stanza);
  if (!request) return context_.line.write(std::move(ack));
  resends_.add(std::move(*request),
               [this, ack = std::move(ack)]() mutable { context_.line.write(std::move(ack)); });
}

void Chat::Parts::on_online() {
  presence_.on_online();
  groups_.ask_names();
  // Our own two names are one account like any other.
  const session::Identity& self = context_.line.identity();
  if (self.lid.empty()) return;
  lane_.exclusive([this, &self] { return names_.learn(self.pn.bare(), self.lid.bare()); },
                  [](Result<void> result) {
                    if (!result) log::error("messages", "own names", {{"why", result.error()}});
                  });
}

void Chat::Parts::on_offline(const Error&) {
  presence_.on_offline();
  lane_.forget_waiting();
  inbound_.forget_waiting();
  resends_.forget_waiting();
}

void Chat::Parts::on_logged_out() {
  on_offline({Errc::disconnected, "logged out"});
  sender_.cancel();
  numbers_.forget_all();
  reader_.forget_privacy();
  names_.forget_cache();
  addressing_.forget();
  groups_.forget_all();
  if (auto cleared = group_rows_->clear(); !cleared) {
    log::error("messages", "groups could not be cleared", {{"why", cleared.error()}});
  }
  if (auto cleared = aliases_->clear(); !cleared) {
    log::error("messages", "numbers could not be cleared", {{"why", cleared.error()}});
  }
  if (auto cleared = messages_->clear(); !cleared) {
    log::error("messages", "message tables could not be cleared", {{"why", cleared.error()}});
  }
}

Result<std::unique_ptr<Chat>> Chat::open(session::Line& line, Outside outside, EventSink sink) {
  TRY(auto messages, store::MessageStore::open(outside.store.database(), outside.clock.now()));
  TRY(auto aliases, store::AliasStore::open(outside.store.database()));
  TRY(auto groups, store::GroupStore::open(outside.store.database()));
  return std::unique_ptr<Chat>(new Chat(std::make_unique<Parts>(
      line, outside, std::move(sink), std::move(messages), std::move(aliases), std::move(groups))));
}

Chat::Chat(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Chat::~Chat() = default;

session::Listener& Chat::listener() { return *parts_; }

throttle::Sender& Chat::sender() { return parts_->sender_; }

Quotes& Chat::quotes() { return parts_->quotes_; }

People& Chat::people() { return parts_->numbers_; }

Identities& Chat::identities() { return parts_->names_; }

Presence& Chat::presence() { return parts_->presence_; }

Groups& Chat::groups() { return parts_->group_service_; }

void Chat::on_group(std::function<void(const std::string& chat, Wall since)> heard) {
  parts_->groups_.on_joined(std::move(heard));
}

ReadMarks& Chat::read_marks() { return parts_->reader_; }

}  // namespace posthorn::chat
