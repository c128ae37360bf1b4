#include "posthorn/chat/chat.h"

#include <utility>

#include "chat/files/carrier.h"
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
#include "posthorn/store/media_store.h"
#include "posthorn/store/message_store.h"
#include "posthorn/store/store.h"

namespace posthorn::chat {

using wire::Node;

/// The parts, in the order in which they need each other, and what each stanza is for.
class Chat::Parts final : public session::Listener {
 public:
  Parts(session::Line& line, const Outside& outside, EventSink sink,
        std::unique_ptr<store::MessageStore> messages, std::unique_ptr<store::AliasStore> aliases,
        std::unique_ptr<store::MediaStore> media);
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
  SendTools send_tools() {
    return {context_,  lane_,   protocol_, devices_,
            sessions_, tokens_, numbers_,  files_ ? &files_->uploads() : nullptr};
  }
  void answer_retry(const Node& stanza);

  EventSink sink_;
  std::unique_ptr<store::MessageStore> messages_;
  std::unique_ptr<store::AliasStore> aliases_;
  std::unique_ptr<store::MediaStore> media_;
  Names names_;
  Addressing addressing_;
  MessageContext context_;
  std::unique_ptr<FileCarrier> files_;  ///< null: without what files need
  StagedKeys keys_;
  signal::Protocol protocol_;
  ReceiveLane lane_;
  Devices devices_;
  SessionBuilder sessions_;
  Tokens tokens_;
  Numbers numbers_;
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
                   std::unique_ptr<store::MediaStore> media)
    : sink_(std::move(sink)),
      messages_(std::move(messages)),
      aliases_(std::move(aliases)),
      media_(std::move(media)),
      names_(outside.store, *messages_, *aliases_),
      addressing_(line, outside.clock, outside.store),
      context_{.line = line,
               .sink = sink_,
               .scheduler = outside.scheduler,
               .clock = outside.clock,
               .random = outside.random,
               .store = outside.store,
               .messages = *messages_,
               .media = *media_,
               .names = names_,
               .addressing = addressing_},
      files_(outside.files ? std::make_unique<FileCarrier>(context_, *outside.files, *media_)
                           : nullptr),
      keys_(outside.store),
      protocol_(keys_, outside.random),
      lane_(context_, keys_, [this] { names_.forget_cache(); }),
      devices_(context_, lane_, protocol_),
      sessions_(context_, lane_, protocol_, devices_),
      tokens_(context_),
      numbers_(context_, lane_),
      inbound_(context_, lane_, protocol_, tokens_),
      statuses_(context_, [this](const Node& stanza) { answer_retry(stanza); }),
      resends_(send_tools()),
      reader_(context_, lane_),
      notices_(context_, keys_, devices_, tokens_, [this] { reader_.forget_privacy(); }),
      presence_(context_),
      sender_(send_tools(), presence_) {
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
  if (files_ && stanza.text_attr("type") == "mediaretry") files_->on_media_retry(stanza);
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
  if (files_) files_->on_online();
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
  if (files_) files_->on_logged_out();
  numbers_.forget_all();
  reader_.forget_privacy();
  names_.forget_cache();
  addressing_.forget();
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
  TRY(auto media, store::MediaStore::open(outside.store.database()));
  return std::unique_ptr<Chat>(new Chat(std::make_unique<Parts>(
      line, outside, std::move(sink), std::move(messages), std::move(aliases), std::move(media))));
}

Chat::Chat(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Chat::~Chat() = default;

session::Listener& Chat::listener() { return *parts_; }

throttle::Sender& Chat::sender() { return parts_->sender_; }

Files* Chat::files() { return parts_->files_.get(); }

Quotes& Chat::quotes() { return parts_->quotes_; }

People& Chat::people() { return parts_->numbers_; }

Identities& Chat::identities() { return parts_->names_; }

Presence& Chat::presence() { return parts_->presence_; }

ReadMarks& Chat::read_marks() { return parts_->reader_; }

}  // namespace posthorn::chat
