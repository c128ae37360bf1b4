#include "posthorn/api/notifier.h"

#include "api/notification/shown.h"
#include "api/utf8.h"

namespace posthorn::api::test {
namespace {

/// A Notifier with what it told.
struct Told {
  posthorn::test::FakeScheduler scheduler;
  posthorn::test::MemoryBlobStore blobs{scheduler};
  Clock clock{scheduler, kNow};
  SettingsStore settings{blobs};
  Instance who = kInstance;
  std::vector<std::pair<NotificationKind, json::Value>> stored;
  std::vector<std::string> chats;  ///< whose room each takes
  std::optional<Error> failure;
  std::size_t limit_bytes = std::size_t{256} << 10;
  std::vector<MessageStatus> counted;
  std::map<std::string, std::string> names;  ///< of chats
  std::unique_ptr<Notifier> notifier = make();

  std::unique_ptr<Notifier> make() {
    return std::make_unique<Notifier>(
        Notifier::Outside{scheduler,
                          clock,
                          blobs,
                          settings,
                          [this] { return who; },
                          [this](const InboxItem& item, Once<void(Result<void>)> done) {
                            if (failure) return done(tl::unexpected(*failure));
                            stored.emplace_back(item.kind, *json::parse(item.body));
                            chats.push_back(item.chat);
                            done({});
                          },
                          limit_bytes,
                          {},
                          {},
                          [this](MessageStatus status) { counted.push_back(status); },
                          {},
                          [this](const std::string& chat) { return names[chat]; }});
  }
  template <class Event>
  Result<void> event(const Event& event) {
    Result<void> result = fail(Errc::timeout, "not answered");
    notifier->on_event(event, [&result](Result<void> r) { result = std::move(r); });
    return result;
  }
  Result<void> job(const std::string& id, MessageStatus status, Wall at = kNow) {
    Job done;
    done.id = id;
    done.chat = "4915550007777@c.us";
    Result<void> result = fail(Errc::timeout, "not answered");
    notifier->on_job(done, status, "why", at, [&result](Result<void> r) { result = std::move(r); });
    return result;
  }
  void state(session::State state) {
    session::StateChanged changed;
    changed.state = state;
    EXPECT_TRUE(event(changed));
  }
  [[nodiscard]] std::vector<std::string> values(const char* key) const {
    std::vector<std::string> out;
    for (const auto& [kind, body] : stored) {
      if (body.isMember(key)) out.push_back(body[key].asString());
    }
    return out;
  }
};

TEST(Notifier, TellsAMessageOnlyWhenItIsStored) {
  Told told;
  EXPECT_TRUE(told.event(incoming(text("x"))));
  EXPECT_EQ(told.stored.size(), 1U);
  EXPECT_EQ(told.stored[0].first, NotificationKind::message);
  told.failure = Error{Errc::full, "inbox"};
  EXPECT_FALSE(told.event(incoming(text("x")))) << "the server must send it again";
}

TEST(Notifier, NamesTheChatOfTheApisOwnMessages) {
  Told told;
  Settings settings = everything();
  told.settings.replace(settings, [](Result<void>) {});
  told.scheduler.run_posted();
  told.names["4915550007777@c.us"] = "Ida K.";
  EXPECT_TRUE(told.job("3EB0C0FFEE0123456789AB", MessageStatus::sent));
  ASSERT_FALSE(told.stored.empty());
  EXPECT_EQ(told.stored[0].second["senderData"]["chatName"], "Ida K.");
}

TEST(Notifier, TellsARebootAsStartingAndThenThePreviousState) {
  Told told;
  told.state(session::State::online);
  session::StateChanged reboot;
  reboot.state = session::State::offline;
  reboot.cause = session::kReboot;
  EXPECT_TRUE(told.event(reboot));
  told.state(session::State::connecting);
  told.state(session::State::online);
  EXPECT_EQ(told.values("stateInstance"),
            (std::vector<std::string>{"authorized", "starting", "authorized"}));
}

TEST(Notifier, KeepsTheHistoryOfStates) {
  Told told;
  told.who.wid = "";
  told.state(session::State::pairing);
  told.who = kInstance;
  told.state(session::State::online);
  told.scheduler.advance(minutes(1));
  told.state(session::State::backing_off);
  told.scheduler.advance(minutes(2));  // "starting" is no state to look back at
  told.state(session::State::online);
  const auto changes = told.notifier->history().newest(10);
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].state, "authorized");
  EXPECT_EQ(changes[0].phone, kInstance.wid.substr(0, kInstance.wid.find('@')));
  EXPECT_EQ(changes[1].state, "notAuthorized");
  EXPECT_EQ(changes[1].phone, "");
}

TEST(Notifier, AcknowledgesWhatBecomesNoNotification) {
  Told told;
  EXPECT_TRUE(told.event(incoming(content::Album{2, 0})));
  EXPECT_TRUE(told.event(session::Restriction{}));
  EXPECT_TRUE(told.stored.empty());
  EXPECT_TRUE(told.event(incoming(content::Other{"stickerPackMessage", ""})));
  EXPECT_EQ(told.stored.size(), 1U);
  EXPECT_EQ(told.notifier->skipped(), 1U);
}

TEST(Notifier, TellsEachStatusOfAMessageOnce) {
  Told told;
  EXPECT_TRUE(told.job("3EB0C0FFEE0123456789AB", MessageStatus::sent));
  Receipt receipt;
  receipt.message_id = "3EB0C0FFEE0123456789AB";
  receipt.chat = "4915550007777@c.us";
  for (int device = 0; device < 3; ++device) EXPECT_TRUE(told.event(receipt));
  receipt.kind = Receipt::Kind::read;
  EXPECT_TRUE(told.event(receipt));
  receipt.kind = Receipt::Kind::played;
  EXPECT_TRUE(told.event(receipt));
  EXPECT_TRUE(told.job("3EB0C0FFEE0123456789AB", MessageStatus::sent));
  EXPECT_EQ(told.values("status"), (std::vector<std::string>{"sent", "delivered", "read"}));
}

TEST(Notifier, TellsAStatusAgainThatCouldNotBeStored) {
  Told told;
  Receipt receipt;
  receipt.message_id = "3EB0C0FFEE0123456789AB";
  receipt.chat = "4915550007777@c.us";
  told.failure = Error{Errc::full, "inbox"};
  EXPECT_FALSE(told.event(receipt));
  told.failure.reset();
  EXPECT_TRUE(told.event(receipt));
  EXPECT_EQ(told.values("status"), std::vector<std::string>{"delivered"});
}

TEST(Notifier, CountsEachStatusOfATillsMessageOnceWhenItIsStored) {
  Told told;
  EXPECT_TRUE(told.job("3EB0C0FFEE0123456789AB", MessageStatus::sent));
  Receipt receipt;
  receipt.message_id = "3EB0C0FFEE0123456789AB";
  receipt.chat = "4915550007777@c.us";
  receipt.by_api = true;
  receipt.kind = Receipt::Kind::read;
  told.failure = Error{Errc::full, "inbox"};
  EXPECT_FALSE(told.event(receipt));
  EXPECT_EQ(told.counted, std::vector<MessageStatus>{MessageStatus::sent});
  told.failure.reset();
  for (int device = 0; device < 2; ++device) EXPECT_TRUE(told.event(receipt));
  // Whoever has read it has got it.
  EXPECT_EQ(told.counted, (std::vector<MessageStatus>{MessageStatus::sent, MessageStatus::delivered,
                                                      MessageStatus::read}));
  receipt.message_id = "3EB0C0FFEE0123456789AC";
  receipt.by_api = false;
  EXPECT_TRUE(told.event(receipt));
  EXPECT_EQ(told.counted.size(), 3U);
}

TEST(Notifier, DoesNotRepeatStatusesToldBeforeARestart) {
  Told told;
  EXPECT_TRUE(told.job("3EB0C0FFEE0123456789AB", MessageStatus::sent));
  Receipt receipt;
  receipt.message_id = "3EB0C0FFEE0123456789AB";
  EXPECT_TRUE(told.event(receipt));
  told.notifier = told.make();
  for (const auto& [kind, body] : told.stored) told.notifier->remember(json::write(body));
  for (const char* other : {"", "{", "\"outgoingMessageStatus\"", "[\"outgoingMessageStatus\"]",
                            R"({"typeWebhook":"outgoingMessageStatus","idMessage":7})"}) {
    told.notifier->remember(other);
  }
  told.stored.clear();
  EXPECT_TRUE(told.event(receipt));
  EXPECT_TRUE(told.stored.empty());
  receipt.kind = Receipt::Kind::read;
  EXPECT_TRUE(told.event(receipt));
  EXPECT_EQ(told.values("status"), std::vector<std::string>{"read"});
}

TEST(Notifier, KnowsWhoSentWhat) {
  Told told;
  EXPECT_TRUE(told.job("3EB0C0FFEE0123456789AB", MessageStatus::sent));
  Receipt ours;
  ours.message_id = "3EB0C0FFEE0123456789AB";
  ours.by_api = true;
  Receipt phones;
  phones.message_id = "AC0123456789ABCDEF0123456789ABCD";
  EXPECT_TRUE(told.event(ours));
  EXPECT_TRUE(told.event(phones));
  ASSERT_EQ(told.stored.size(), 3U);
  EXPECT_TRUE(told.stored[1].second["sendByApi"].asBool());
  EXPECT_FALSE(told.stored[2].second["sendByApi"].asBool());
}

Receipt receipt_for(const std::string& id, Receipt::Kind kind, bool before_ack = false) {
  Receipt receipt;
  receipt.kind = kind;
  receipt.message_id = id;
  receipt.chat = "4915550007777@c.us";
  receipt.by_api = true;
  receipt.before_ack = before_ack;
  receipt.timestamp = kNow;
  return receipt;
}

TEST(Notifier, AReceiptThatOvertakesTheAckTellsThatTheMessageWasSent) {
  Told told;
  EXPECT_TRUE(told.event(receipt_for("A", Receipt::Kind::delivered, true)));
  EXPECT_TRUE(told.event(receipt_for("A", Receipt::Kind::read)));
  EXPECT_TRUE(told.job("A", MessageStatus::sent));
  EXPECT_EQ(told.values("status"), (std::vector<std::string>{"sent", "delivered", "read"}));
}

TEST(Notifier, StatusesOnlyGoForward) {
  Told told;
  EXPECT_TRUE(told.event(receipt_for("A", Receipt::Kind::read)));
  EXPECT_TRUE(told.event(receipt_for("A", Receipt::Kind::delivered)));
  EXPECT_TRUE(told.job("A", MessageStatus::sent));
  EXPECT_TRUE(told.job("A", MessageStatus::yellow_card));
  EXPECT_TRUE(told.job("A", MessageStatus::failed));
  EXPECT_EQ(told.values("status"), std::vector<std::string>{"read"});
  EXPECT_TRUE(told.job("B", MessageStatus::yellow_card));
  EXPECT_TRUE(told.job("B", MessageStatus::sent));
  EXPECT_TRUE(told.job("C", MessageStatus::failed));
  EXPECT_TRUE(told.event(receipt_for("C", Receipt::Kind::delivered))) << "it arrived after all";
  EXPECT_EQ(told.values("status"),
            (std::vector<std::string>{"read", "yellowCard", "sent", "failed", "delivered"}));
}

/// As Meta does: taken at first, and refused a second later.
TEST(Notifier, AFailureThatComesLaterIsToldUnlessItArrived) {
  Told told;
  const auto late = [&told](const std::string& id, MessageStatus status) {
    bool stored = false;
    told.notifier->on_late_failure({id, "4915550007777@c.us", status, "why", kNow},
                                   [&stored](const Result<void>& r) { stored = r.has_value(); });
    EXPECT_TRUE(stored);
  };
  EXPECT_TRUE(told.job("A", MessageStatus::sent));
  late("A", MessageStatus::no_account);
  late("A", MessageStatus::no_account);
  EXPECT_TRUE(told.event(receipt_for("B", Receipt::Kind::delivered, true)));
  late("B", MessageStatus::failed);
  EXPECT_EQ(told.values("status"),
            (std::vector<std::string>{"sent", "noAccount", "sent", "delivered"}));
  // Meta's word may overtake its own answer.
  told.stored.clear();
  late("C", MessageStatus::failed);
  EXPECT_TRUE(told.job("C", MessageStatus::sent));
  EXPECT_EQ(told.values("status"), std::vector<std::string>{"failed"});
}

TEST(Notifier, EveryStatusHasATime) {
  Told told;
  for (const MessageStatus status :
       {MessageStatus::failed, MessageStatus::no_account, MessageStatus::yellow_card}) {
    EXPECT_TRUE(told.job(std::string(to_string(status)), status, Wall{}));
  }
  ASSERT_EQ(told.stored.size(), 3U);
  for (const auto& [kind, body] : told.stored) EXPECT_GE(body["timestamp"].asInt64(), kTime);
}

TEST(Notifier, SaysWhoseRoomANotificationTakes) {
  Told told;
  EXPECT_TRUE(told.event(incoming(text("x"))));
  EXPECT_TRUE(told.event(receipt_for("A", Receipt::Kind::read)));
  told.state(session::State::online);
  EXPECT_EQ(told.chats, (std::vector<std::string>{"4915550007777@c.us", "4915550007777@c.us", ""}));
}

TEST(Notifier, WhatIsTooLongForTheInboxIsKeptCutAndMarked) {
  Told told;
  for (const std::string& piece : {std::string("\xF0\x9F\xA7\xBE"), std::string("\x01"),
                                   std::string("\"\"\""), std::string("\xFF\xFF")}) {
    told.stored.clear();
    std::string long_text;
    for (int i = 0; i < 65'536; ++i) long_text += piece;
    EXPECT_TRUE(told.event(incoming(text(long_text))));
    ASSERT_EQ(told.stored.size(), 1U);
    const json::Value& body = told.stored[0].second;
    const std::string kept = body["messageData"]["textMessageData"]["textMessage"].asString();
    EXPECT_LE(json::write(body).size(), told.limit_bytes);
    EXPECT_GT(json::write(body).size(), told.limit_bytes - 100) << "no more than necessary";
    EXPECT_TRUE(kept.ends_with("[cut: too long for the box]"));
    EXPECT_EQ(body["idMessage"].asString(), "3EB0AA11BB22CC33DD44");
  }
}

TEST(Notifier, WhateverIsLongFitsASmallInbox) {
  Told told;
  told.limit_bytes = 3584;
  told.notifier = told.make();
  Message message = incoming(text(std::string(5'000, 'x')));
  message.sender_name = std::string(100'000, '\\');
  message.chat_name = std::string(3'000, '\x02');
  message.id = std::string(9'000, 'A');
  message.content.quote = Quote{std::string(8'000, 'B'),
                                std::string(8'000, '\xFE'),
                                std::string(100'000, 'q'),
                                "textMessage",
                                {},
                                {}};
  EXPECT_TRUE(told.event(message));
  ASSERT_EQ(told.stored.size(), 1U);
  EXPECT_LE(json::write(told.stored[0].second).size(), told.limit_bytes);
}

TEST(Notifier, EveryStringOfANotificationIsText) {
  Told told;
  told.settings.replace(everything(), [](Result<void>) {});
  Message message = incoming(text("\xC3"));
  const std::string bad = "a\xFF\xFE";
  message.id = message.chat = message.sender = message.sender_name = message.chat_name = bad;
  message.content.quote = Quote{bad, bad, bad, bad, {}, {}};
  EXPECT_TRUE(told.event(message));
  ASSERT_EQ(told.stored.size(), 1U);
  const std::string written = json::write(told.stored[0].second);
  EXPECT_FALSE(find_bad_utf8(written)) << written;
  EXPECT_NE(written.find("\xEF\xBF\xBD"), std::string::npos);
  told.scheduler.run_posted();
}

TEST(Notifier, AStartOfALinkedBoxIsNoNews) {
  Told told;
  told.state(session::State::online);
  const std::size_t before = told.stored.size();
  told.who.wid.clear();  // credentials are read when the session starts
  told.notifier = told.make();
  told.notifier->on_throttle(Status::Throttle::green);
  told.who = kInstance;
  told.state(session::State::connecting);
  told.state(session::State::handshaking);
  told.state(session::State::syncing);
  told.state(session::State::online);
  EXPECT_EQ(told.stored.size(), before);
}

TEST(Notifier, TellsTheMessageBeforeItsStatusAndOnlyWhenItWasSent) {
  Told told;
  Settings settings = everything();
  told.settings.replace(settings, [](Result<void>) {});
  EXPECT_TRUE(told.job("3EB0000000000000000001", MessageStatus::sent));
  EXPECT_TRUE(told.job("3EB0000000000000000002", MessageStatus::no_account));
  EXPECT_EQ(told.values("typeWebhook"),
            (std::vector<std::string>{"outgoingAPIMessageReceived", "outgoingMessageStatus",
                                      "outgoingMessageStatus"}));
  EXPECT_EQ(told.stored[2].second["status"].asString(), "noAccount");
  told.scheduler.run_posted();
}

TEST(Notifier, ReportsThatAJobsNotificationsWereNotStored) {
  Told told;
  told.failure = Error{Errc::io, "disk"};
  EXPECT_FALSE(told.job("3EB0000000000000000001", MessageStatus::failed));
}

TEST(Notifier, TellsStateChangesOnceAndNotAgainAfterARestart) {
  Told told;
  told.who.wid.clear();
  told.state(session::State::connecting);
  told.state(session::State::pairing);
  told.who = kInstance;
  told.state(session::State::syncing);
  told.state(session::State::online);
  told.notifier->on_throttle(Status::Throttle::yellow);
  told.notifier->on_throttle(Status::Throttle::red);
  EXPECT_EQ(told.values("stateInstance"),
            (std::vector<std::string>{"notAuthorized", "authorized", "yellowCard"}));

  told.notifier = told.make();
  told.notifier->on_throttle(Status::Throttle::red);
  told.state(session::State::connecting);
  told.state(session::State::online);
  EXPECT_EQ(told.values("stateInstance").size(), 3U);
  told.notifier->on_throttle(Status::Throttle::green);
  EXPECT_EQ(told.values("stateInstance").back(), "authorized");
}

TEST(Notifier, TellsThatTheConnectionStayedAway) {
  Told told;
  told.state(session::State::online);
  told.state(session::State::backing_off);
  told.scheduler.advance(seconds(61));
  told.state(session::State::online);
  EXPECT_EQ(told.values("stateInstance"),
            (std::vector<std::string>{"authorized", "starting", "authorized"}));
}

TEST(Notifier, ForgetsOldMessagesInsteadOfGrowing) {
  Told told;
  for (std::size_t i = 0; i <= Notifier::kRemembered; ++i) {
    EXPECT_TRUE(told.job("3EB0" + std::to_string(100'000 + i), MessageStatus::sent));
  }
  told.stored.clear();
  EXPECT_TRUE(told.job("3EB0100001", MessageStatus::sent));
  EXPECT_TRUE(told.stored.empty()) << "still remembered";
  EXPECT_TRUE(told.job("3EB0100000", MessageStatus::sent));
  EXPECT_EQ(told.stored.size(), 1U) << "the oldest was forgotten";
}

}  // namespace
}  // namespace posthorn::api::test
