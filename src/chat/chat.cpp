#include "posthorn/chat/chat.h"

#include <utility>

#include "chat/calls.h"
#include "chat/files/carrier.h"
#include "chat/groups/cache.h"
#include "chat/groups/desk.h"
#include "chat/groups/flow.h"
#include "chat/groups/service.h"
#include "chat/groups/stories.h"
#include "chat/history/history.h"
#include "chat/history/on_demand.h"
#include "chat/lane/context.h"
#include "chat/lane/lane.h"
#include "chat/lane/staged_keys.h"
#include "chat/own_devices.h"
#include "chat/people/addressing.h"
#include "chat/people/block_list.h"
#include "chat/people/bundles_fetch.h"
#include "chat/people/devices.h"
#include "chat/people/ids.h"
#include "chat/people/names.h"
#include "chat/people/numbers.h"
#include "chat/people/profiles.h"
#include "chat/people/tokens.h"
#include "chat/receive/inbound.h"
#include "chat/receive/notices.h"
#include "chat/receive/statuses.h"
#include "chat/send/earlier.h"
#include "chat/send/peer_messages.h"
#include "chat/send/presence.h"
#include "chat/send/quotes.h"
#include "chat/send/read_marks.h"
#include "chat/send/resend.h"
#include "chat/send/sender.h"
#include "chat/state/app_state.h"
#include "chat/state/effects.h"
#include "chat/state/keyring.h"
#include "chat/status_views.h"
#include "posthorn/base/log.h"
#include "posthorn/store/awaited_store.h"
#include "posthorn/store/history_store.h"
#include "posthorn/store/media_store.h"
#include "posthorn/store/message_store.h"
#include "posthorn/store/people_store.h"
#include "posthorn/store/store.h"
#include "posthorn/store/sync_store.h"

namespace posthorn::chat {

using wire::Node;

namespace {

/// Where nothing can be fetched: no HTTP client was given.
class NoBlobs final : public BlobSource {
 public:
  void fetch(BlobRef, std::uint64_t, std::function<Result<void>(ByteView)>,
             Once<void(Result<void>)> done) override {
    done(fail(Errc::not_found, "no way to the media hosts"));
  }
};

}  // namespace

/// What is kept on disk, opened.
struct Chat::Stores {
  std::unique_ptr<store::MessageStore> messages;
  std::unique_ptr<store::AliasStore> aliases;
  std::unique_ptr<store::MediaStore> media;
  std::unique_ptr<store::GroupStore> groups;
  std::unique_ptr<store::ViewStore> views;
  std::unique_ptr<store::SyncStore> sync;
  std::unique_ptr<store::PeopleStore> people;
  std::unique_ptr<store::HistoryStore> history;
  std::unique_ptr<store::AwaitedStore> awaited;
};

/// The parts, in the order in which they need each other, and what each stanza is for.
class Chat::Parts final : public session::Listener {
 public:
  Parts(session::Line& line, const Outside& outside, EventSink sink, Stores stores);
  ~Parts() override;

  void on_message(Node stanza) override;
  void on_receipt(Node stanza) override;
  void on_notification(Node stanza, Once<void()> handled) override;
  void on_call(Node stanza, Once<void()> handled) override {
    calls_.take(stanza, std::move(handled));
  }
  void on_online() override;
  void on_offline(const Error& why) override;
  void on_logged_out() override;
  [[nodiscard]] std::size_t unfinished() const override {
    return lane_.unfinished() + statuses_.open();
  }

 private:
  friend class Chat;
  SendTools send_tools() {
    return {context_,
            lane_,
            protocol_,
            devices_,
            sessions_,
            tokens_,
            numbers_,
            files_ ? &files_->uploads() : nullptr,
            files_ ? &files_->previews() : nullptr};
  }
  BlobSource& blobs() { return files_ ? files_->blobs() : static_cast<BlobSource&>(no_blobs_); }
  void answer_retry(const Node& stanza);
  void note_chat(const Message& message);

  EventSink sink_;
  Stores stores_;
  Names names_;
  Addressing addressing_;
  MessageContext context_;
  std::unique_ptr<FileCarrier> files_;  ///< null: without what files need
  NoBlobs no_blobs_;
  StagedKeys keys_;
  signal::Protocol protocol_;
  ReceiveLane lane_;
  Devices devices_;
  SessionBuilder sessions_;
  Tokens tokens_;
  Numbers numbers_;
  GroupCache groups_;
  Desk desk_;
  BlockList blocked_{context_};
  Stories stories_{context_, *stores_.people, blocked_};
  GroupService group_service_{context_, groups_};
  PeerMessages peers_;
  Keyring keyring_;
  Effects effects_;
  Collections collections_;
  AppState state_;
  History history_;
  OnDemandHistory on_demand_;
  OwnDevices own_devices_;
  Profiles profiles_;
  Inbound inbound_;
  Statuses statuses_;
  Resends resends_;
  ReadMarker reader_;
  Notices notices_;
  PresenceShown presence_;
  MessageSender sender_;
  QuoteFinder quotes_{context_};
  EarlierFinder earlier_{context_};
  CallWatch calls_{context_};
  StoredViews views_{context_};
};

Chat::Parts::Parts(session::Line& line, const Outside& outside, EventSink sink, Stores stores)
    : sink_([this, told = std::move(sink)](Event event, Once<void(Result<void>)> stored) {
        if (const auto* message = std::get_if<Message>(&event)) note_chat(*message);
        told(std::move(event), std::move(stored));
      }),
      stores_(std::move(stores)),
      names_(outside.store, *stores_.messages, *stores_.aliases),
      addressing_(line, outside.clock, outside.store),
      context_{.line = line,
               .sink = sink_,
               .scheduler = outside.scheduler,
               .clock = outside.clock,
               .random = outside.random,
               .store = outside.store,
               .messages = *stores_.messages,
               .groups = *stores_.groups,
               .media = *stores_.media,
               .views = *stores_.views,
               .names = names_,
               .addressing = addressing_},
      files_(outside.files ? std::make_unique<FileCarrier>(context_, *outside.files, *stores_.media)
                           : nullptr),
      keys_(outside.store),
      protocol_(keys_, outside.random),
      lane_(context_, keys_, [this] { names_.forget_cache(); }),
      devices_(context_, lane_, protocol_),
      sessions_(context_, lane_, protocol_, devices_),
      tokens_(context_),
      numbers_(context_, lane_),
      groups_(context_, lane_, protocol_),
      desk_(context_, groups_, protocol_),
      peers_(context_, lane_, protocol_, devices_, sessions_),
      keyring_(context_, *stores_.sync, peers_),
      effects_(context_, *stores_.people, [this](ByteView salt) { return tokens_.set_salt(salt); }),
      collections_(context_, *stores_.sync, keyring_, effects_),
      state_(context_, lane_, collections_, *stores_.sync, keyring_, blobs()),
      history_(context_, lane_, tokens_, *stores_.history, *stores_.people, blobs()),
      on_demand_(context_, peers_, blobs(), history_),
      own_devices_(keyring_, state_, history_, on_demand_),
      profiles_(context_, *stores_.people, tokens_, blocked_),
      inbound_(context_, lane_, protocol_, tokens_, own_devices_, *stores_.awaited,
               [this](wa::Message question, Once<void(Result<void>)> done) {
                 peers_.send(std::move(question), PeerMessages::To::phone, std::move(done));
               }),
      statuses_(context_, [this](const Node& stanza) { answer_retry(stanza); }),
      resends_(send_tools(), desk_, outside.unsure),
      reader_(context_, lane_),
      notices_(context_, keys_, devices_, tokens_,
               {.privacy = [this] { reader_.forget_privacy(); },
                .blocked = [this] { blocked_.ask(); },
                .state = [this](const Node& stanza) { state_.on_notification(stanza); }}),
      presence_(context_),
      sender_(send_tools(), presence_, blocked_,
              [this](const Job& job, Once<void(throttle::SendOutcome)> done) {
                return GroupFlow::start({send_tools(), groups_, stories_}, job, std::move(done));
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
  if (stanza.text_attr("type") == "picture") {
    if (const auto whose = stanza.jid_attr("from")) profiles_.forget_picture(from_hosted(*whose));
  }
  if (files_ && stanza.text_attr("type") == "mediaretry") files_->on_media_retry(stanza);
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

/// For the order of the list of chats.
void Chat::Parts::note_chat(const Message& message) {
  const auto jid = names_.addressed(message.chat);
  const auto named = jid ? names_.preferred(*jid) : jid;
  const auto noted =
      named ? stores_.people->touch(to_string(named->bare()), message.timestamp.unix_seconds())
            : fail(named.error(), "chat");
  if (!noted) log::debug("messages", "chat not noted", {{"why", noted.error()}});
}

void Chat::Parts::on_online() {
  presence_.on_online();
  state_.on_online();
  history_.on_online();
  inbound_.on_online();
  if (files_) files_->on_online();
  groups_.ask_names();
  blocked_.ask();
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
  state_.on_offline();
  history_.on_offline();
  on_demand_.on_offline();
  lane_.forget_waiting();
  inbound_.forget_waiting();
  resends_.forget_waiting();
}

void Chat::Parts::on_logged_out() {
  on_offline({Errc::disconnected, "logged out"});
  sender_.cancel();
  if (files_) files_->on_logged_out();
  numbers_.forget_all();
  profiles_.forget_all();
  blocked_.forget_all();
  state_.on_logged_out();
  history_.on_logged_out();
  reader_.forget_account();
  names_.forget_cache();
  addressing_.forget();
  groups_.forget_all();
  const auto clear = [this]() -> Result<void> {
    TRY(stores_.groups->clear());
    TRY(stores_.aliases->clear());
    TRY(stores_.messages->clear());
    TRY(stores_.sync->clear());
    TRY(stores_.people->clear());
    TRY(stores_.views->clear());
    TRY(stores_.history->clear());
    TRY(inbound_.on_logged_out());
    return tokens_.set_salt({});
  };
  if (auto cleared = clear(); !cleared) {
    log::error("messages", "what was known of the account could not be cleared",
               {{"why", cleared.error()}});
  }
}

Result<std::unique_ptr<Chat>> Chat::open(session::Line& line, Outside outside, EventSink sink) {
  store::Database& database = outside.store.database();
  Stores stores;
  TRY(stores.messages, store::MessageStore::open(database, outside.clock.now()));
  TRY(stores.aliases, store::AliasStore::open(database));
  TRY(stores.media, store::MediaStore::open(database));
  TRY(stores.groups, store::GroupStore::open(database));
  TRY(stores.views, store::ViewStore::open(database));
  TRY(stores.sync, store::SyncStore::open(database));
  TRY(stores.people, store::PeopleStore::open(database));
  TRY(stores.history, store::HistoryStore::open(database));
  TRY(stores.awaited, store::AwaitedStore::open(database));
  return std::unique_ptr<Chat>(
      new Chat(std::make_unique<Parts>(line, outside, std::move(sink), std::move(stores))));
}

Chat::Chat(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Chat::~Chat() = default;

session::Listener& Chat::listener() { return *parts_; }

throttle::Sender& Chat::sender() { return parts_->sender_; }

Files* Chat::files() { return parts_->files_.get(); }

Quotes& Chat::quotes() { return parts_->quotes_; }

Earlier& Chat::earlier() { return parts_->earlier_; }

Calls& Chat::calls() { return parts_->calls_; }

StatusViews& Chat::status_views() { return parts_->views_; }

PhoneHistory& Chat::phone_history() { return parts_->on_demand_; }

People& Chat::people() { return parts_->numbers_; }

Identities& Chat::identities() { return parts_->names_; }

Presence& Chat::presence() { return parts_->presence_; }

Groups& Chat::groups() { return parts_->group_service_; }

void Chat::on_group(std::function<void(const std::string& chat, Wall since)> heard) {
  parts_->groups_.on_joined(std::move(heard));
}

void Chat::member_since(const std::string& group, Once<void(Result<std::optional<Wall>>)> done) {
  const auto jid = parse_chat_id(group);
  if (!jid) return done(tl::unexpected(jid.error()));
  GroupCache& groups = parts_->groups_;
  groups.get(*jid, [&groups, done = std::move(done)](Result<GroupCache::Info> info) mutable {
    const bool gone = !info && info.error().code == Errc::not_found;
    if (!info && !gone) return done(tl::unexpected(info.error()));
    done(gone ? std::nullopt : groups.member_since(**info));
  });
}

void Chat::is_there(const std::string& lid, Once<void(Result<bool>)> done) {
  const auto jid = parse_chat_id(lid);
  if (!jid) return done(tl::unexpected(jid.error()));
  const auto number = parts_->names_.other(*jid);
  if (number && *number) return done(true);
  parts_->devices_.get({*jid},
                       [done = std::move(done)](Result<std::vector<UserDevices>> lists) mutable {
                         if (!lists) return done(tl::unexpected(lists.error()));
                         done(!lists->empty() && lists->front().found);
                       });
}

ReadMarks& Chat::read_marks() { return parts_->reader_; }

Contacts& Chat::contacts() { return parts_->profiles_; }

ChatState& Chat::chat_state() { return parts_->state_; }

}  // namespace posthorn::chat
