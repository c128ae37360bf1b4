#include <gtest/gtest.h>

#include "box.h"
#include "posthorn/api/notification.h"

namespace posthorn::api::test {
namespace {

using chat::Message;
using chat::Receipt;

const Instance kInstance{kId, "4915550001234@c.us", "Shop"};
constexpr std::int64_t kTime = 1'767'225'600;
const Wall kNow = Wall::from_unix(kTime);

Settings everything() {
  Settings all;
  all.outgoing_message_webhook = true;
  all.outgoing_api_message_webhook = true;
  all.edited_message_webhook = true;
  all.deleted_message_webhook = true;
  all.status_instance_webhook = true;
  return all;
}

const std::string kTarget = "3EB0AA11BB22CC33DD00";

content::Text text(const std::string& body) { return {body, true, std::nullopt}; }

Message incoming(Content::What what) {
  Message message;
  message.id = "3EB0AA11BB22CC33DD44";
  message.chat = "4915550007777@c.us";
  message.sender = "4915550007777@c.us";
  message.sender_name = "Ida";
  message.chat_name = "Ida";
  message.timestamp = kNow;
  message.content.what = std::move(what);
  return message;
}

const std::string kHead =
    R"("instanceData":{"idInstance":4100012345,"wid":"4915550001234@c.us","typeInstance":"whatsapp"},"timestamp":1767225600,)";
const std::string kFromIda =
    R"("idMessage":"3EB0AA11BB22CC33DD44","senderData":{"chatId":"4915550007777@c.us","sender":"4915550007777@c.us","chatName":"Ida","senderName":"Ida","senderContactName":""},)";
const std::string kFromPhone =
    R"("idMessage":"3EB0AA11BB22CC33DD44","senderData":{"chatId":"4915550007777@c.us","sender":"4915550001234@c.us","chatName":"Ida","senderName":"Shop","senderContactName":""},)";

void expect_json(const std::optional<json::Value>& notification, const std::string& expected) {
  const auto wanted = json::parse(expected);
  ASSERT_TRUE(wanted) << expected;
  ASSERT_TRUE(notification) << expected;
  // Written and read again: what a receiver sees, so that 1 and 1u do not differ.
  EXPECT_EQ(*json::parse(json::write(*notification)), *wanted) << json::write(*notification);
}

void expect_notification(const chat::Event& event, const std::string& expected) {
  expect_json(to_notification(event, everything(), kInstance), expected);
}

TEST(Notification, ShowsATextMessage) {
  expect_notification(
      incoming(text("Is the cake ready?")),
      R"({"typeWebhook":"incomingMessageReceived",)" + kHead + kFromIda +
          R"("messageData":{"typeMessage":"textMessage","textMessageData":{"textMessage":"Is the cake ready?"}}})");
}

TEST(Notification, ShowsAGroupMessageWithItsSender) {
  Message message = incoming(text("Flour is out"));
  message.chat = "120363000000000001@g.us";
  message.chat_name = "Staff";
  const auto out = to_notification(message, everything(), kInstance);
  ASSERT_TRUE(out);
  EXPECT_EQ((*out)["senderData"]["chatId"].asString(), "120363000000000001@g.us");
  EXPECT_EQ((*out)["senderData"]["sender"].asString(), "4915550007777@c.us");
  EXPECT_EQ((*out)["senderData"]["chatName"].asString(), "Staff");
}

TEST(Notification, ShowsAnExtendedTextWithAllItsFields) {
  Message message = incoming(text("See https://shop.example"));
  std::get<content::Text>(message.content.what).preview =
      content::Preview{"Bakery", "Bread and cakes", "https://shop.example"};
  message.content.forwarded = true;
  message.content.forwarding_score = 3;
  expect_notification(
      message,
      R"({"typeWebhook":"incomingMessageReceived",)" + kHead + kFromIda +
          R"("messageData":{"typeMessage":"extendedTextMessage","extendedTextMessageData":{"text":"See https://shop.example","description":"Bread and cakes","title":"Bakery","previewType":"None","jpegThumbnail":"","forwardingScore":3,"isForwarded":true}}})");
}

TEST(Notification, ShowsAReactionAndThatItWasTakenBack) {
  for (const char* emoji : {"\xF0\x9F\x91\x8D", ""}) {
    Message message = incoming(content::Reaction{emoji});
    message.content.quote = Quote{"3EB0C0FFEE0123456789", "4915550001234@c.us", ""};
    expect_notification(
        message,
        R"({"typeWebhook":"incomingMessageReceived",)" + kHead + kFromIda +
            R"("messageData":{"typeMessage":"reactionMessage","extendedTextMessageData":{"text":")" +
            emoji +
            R"("},"quotedMessage":{"stanzaId":"3EB0C0FFEE0123456789","participant":"4915550001234@c.us"}}})");
  }
}

TEST(Notification, ShowsAReply) {
  Message message = incoming(text("Yes please"));
  message.content.quote =
      Quote{"3EB0C0FFEE0123456789", "4915550001234@c.us", "Shall I reserve it?"};
  expect_notification(
      message,
      R"({"typeWebhook":"incomingMessageReceived",)" + kHead + kFromIda +
          R"("messageData":{"typeMessage":"quotedMessage","extendedTextMessageData":{"text":"Yes please","stanzaId":"3EB0C0FFEE0123456789","participant":"4915550001234@c.us"},"quotedMessage":{"stanzaId":"3EB0C0FFEE0123456789","participant":"4915550001234@c.us","typeMessage":"textMessage","textMessage":"Shall I reserve it?"}}})");
}

TEST(Notification, ShowsEditsAndDeletions) {
  Message edit = incoming(content::Edit{kTarget, "Two cakes, sorry"});
  expect_notification(
      edit,
      R"({"typeWebhook":"incomingMessageReceived",)" + kHead + kFromIda +
          R"("messageData":{"typeMessage":"editedMessage","editedMessageData":{"textMessage":"Two cakes, sorry","stanzaId":"3EB0AA11BB22CC33DD00"}}})");
  Message deletion = incoming(content::Deletion{kTarget});
  expect_notification(
      deletion,
      R"({"typeWebhook":"incomingMessageReceived",)" + kHead + kFromIda +
          R"("messageData":{"typeMessage":"deletedMessage","deletedMessageData":{"stanzaId":"3EB0AA11BB22CC33DD00"}}})");
}

TEST(Notification, ShowsWhatWasTypedOnThePhoneAsOurs) {
  Message message = incoming(text("Come at five"));
  message.from_me = true;
  expect_notification(
      message,
      R"({"typeWebhook":"outgoingMessageReceived",)" + kHead + kFromPhone +
          R"("messageData":{"typeMessage":"textMessage","textMessageData":{"textMessage":"Come at five"}}})");
}

TEST(Notification, MarksWhatCouldNotBeDecrypted) {
  const auto out = to_notification(incoming(content::Undecryptable{}), everything(), kInstance);
  ASSERT_TRUE(out);
  EXPECT_EQ((*out)["messageData"]["textMessageData"]["textMessage"].asString(), "{{SWE003}}");
}

TEST(Notification, KeepsQuietAboutKindsWithoutAForm) {
  EXPECT_FALSE(
      to_notification(incoming(content::Other{"imageMessage", ""}), everything(), kInstance));
  EXPECT_FALSE(to_notification(session::StateChanged{}, everything(), kInstance, kNow));
  EXPECT_FALSE(to_notification(session::Restriction{}, everything(), kInstance, kNow));
}

TEST(Notification, StaysJsonWhateverPeopleSend) {
  Message message = incoming(text("a\xff\"b"));
  message.sender_name = "\xc3";
  const auto out = to_notification(message, everything(), kInstance);
  ASSERT_TRUE(out);
  const auto read = json::parse(json::write(*out));
  ASSERT_TRUE(read);
  EXPECT_EQ((*read)["messageData"]["textMessageData"]["textMessage"].asString(),
            "a\xEF\xBF\xBD\"b");
}

TEST(Notification, ComesOnlyWhenItsSwitchIsOn) {
  struct Row {
    chat::Event event;
    void (*switch_off)(Settings&);
  };
  Message mine = incoming(text("x"));
  mine.from_me = true;
  Message my_edit = incoming(content::Edit{kTarget, "x"});
  my_edit.from_me = true;
  const std::vector<Row> rows = {
      {incoming(text("x")), [](Settings& s) { s.incoming_webhook = false; }},
      {mine, [](Settings& s) { s.outgoing_message_webhook = false; }},
      {incoming(content::Edit{kTarget, "x"}),
       [](Settings& s) { s.edited_message_webhook = false; }},
      {incoming(content::Deletion{kTarget}),
       [](Settings& s) { s.deleted_message_webhook = false; }},
      {my_edit, [](Settings& s) { s.outgoing_message_webhook = false; }},
      {my_edit, [](Settings& s) { s.edited_message_webhook = false; }},
      {Receipt{}, [](Settings& s) { s.outgoing_webhook = false; }},
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Settings settings = everything();
    EXPECT_TRUE(to_notification(rows[i].event, settings, kInstance)) << i;
    rows[i].switch_off(settings);
    EXPECT_FALSE(to_notification(rows[i].event, settings, kInstance)) << i;
  }
}

TEST(Notification, ShowsReceiptsAsStatuses) {
  Receipt receipt;
  receipt.kind = Receipt::Kind::delivered;
  receipt.message_id = "3EB0C0FFEE0123456789";
  receipt.chat = "4915550007777@c.us";
  receipt.timestamp = Wall::from_unix(1'767'225'663);
  const auto body = [](const char* status) {
    return R"({"typeWebhook":"outgoingMessageStatus","chatId":"4915550007777@c.us","instanceData":{"idInstance":4100012345,"wid":"4915550001234@c.us","typeInstance":"whatsapp"},"timestamp":1767225663,"idMessage":"3EB0C0FFEE0123456789","status":")" +
           std::string(status) + R"(","sendByApi":true})";
  };
  expect_notification(receipt, body("delivered"));
  receipt.kind = Receipt::Kind::read;
  expect_notification(receipt, body("read"));
  receipt.kind = Receipt::Kind::played;
  expect_notification(receipt, body("read"));
}

TEST(Notification, ShowsTheSocketsStatus) {
  Settings settings = everything();
  const session::Event event = session::Connectivity{false};
  expect_json(
      to_notification(event, settings, kInstance, kNow),
      R"({"typeWebhook":"statusInstanceChanged",)" + kHead + R"("statusInstance":"offline"})");
  settings.status_instance_webhook = false;
  EXPECT_FALSE(to_notification(event, settings, kInstance, kNow));
}

TEST(Notification, ReportsFailuresWhateverTheSettingsSay) {
  Settings quiet;
  quiet.outgoing_webhook = false;
  StatusReport report{
      "3EB0C0FFEE0123456789", "4915550007777@c.us", MessageStatus::sent, "", kNow, true};
  EXPECT_FALSE(build_message_status(report, quiet, kInstance));
  report.status = MessageStatus::yellow_card;
  EXPECT_FALSE(build_message_status(report, quiet, kInstance));
  for (const auto& [status, name] :
       {std::pair{MessageStatus::failed, "failed"}, {MessageStatus::no_account, "noAccount"}}) {
    report.status = status;
    report.description = "why";
    const auto out = build_message_status(report, quiet, kInstance);
    ASSERT_TRUE(out);
    EXPECT_EQ((*out)["status"].asString(), name);
    EXPECT_EQ((*out)["description"].asString(), "why");
  }
}

TEST(Notification, NamesEveryStatus) {
  const std::vector<std::pair<MessageStatus, const char*>> names = {
      {MessageStatus::sent, "sent"},
      {MessageStatus::delivered, "delivered"},
      {MessageStatus::read, "read"},
      {MessageStatus::failed, "failed"},
      {MessageStatus::no_account, "noAccount"},
      {MessageStatus::not_in_group, "notInGroup"},
      {MessageStatus::yellow_card, "yellowCard"}};
  for (const auto& [status, name] : names) {
    EXPECT_EQ(to_string(status), name);
    EXPECT_EQ(parse_message_status(name), status);
  }
  EXPECT_FALSE(parse_message_status("pending"));
}

TEST(Notification, ShowsWhatWasSentThroughTheApi) {
  Job job;
  job.id = "3EB0C0FFEE0123456789AB";
  job.chat = "4915550007777@c.us";
  job.content.what = content::Text{"Order 118 is ready", true, std::nullopt};
  const auto plain = build_api_message(job, everything(), kInstance, kNow);
  ASSERT_TRUE(plain);
  EXPECT_EQ(
      *json::parse(json::write(*plain)),
      *json::parse(
          R"({"typeWebhook":"outgoingAPIMessageReceived",)" + kHead +
          R"("idMessage":"3EB0C0FFEE0123456789AB","senderData":{"chatId":"4915550007777@c.us","sender":"4915550001234@c.us","chatName":"","senderName":"Shop","senderContactName":""},"messageData":{"typeMessage":"extendedTextMessage","extendedTextMessageData":{"text":"Order 118 is ready","description":"","title":"","previewType":"None","jpegThumbnail":"","forwardingScore":0,"isForwarded":false}}})"));
  job.content.quote.emplace().id = "3EB0AA11BB22CC33DD44";
  const auto reply = build_api_message(job, everything(), kInstance, kNow);
  ASSERT_TRUE(reply);
  EXPECT_EQ((*reply)["messageData"]["typeMessage"].asString(), "quotedMessage");
  EXPECT_EQ((*reply)["messageData"]["quotedMessage"]["stanzaId"].asString(), job.content.quote->id);
  EXPECT_EQ((*reply)["messageData"]["quotedMessage"]["participant"].asString(), job.chat);
  EXPECT_FALSE(build_api_message(job, Settings{}, kInstance, kNow));
}

TEST(Notification, ShowsTheStateWithoutAWidWhenNothingIsLinked) {
  const auto linked =
      build_state_changed(InstanceState::Value::authorized, Settings{}, kInstance, kNow);
  ASSERT_TRUE(linked);
  EXPECT_EQ(*json::parse(json::write(*linked)),
            *json::parse(R"({"typeWebhook":"stateInstanceChanged",)" + kHead +
                         R"("stateInstance":"authorized"})"));
  const auto gone =
      build_state_changed(InstanceState::Value::not_authorized, Settings{}, kInstance, kNow);
  EXPECT_EQ((*gone)["instanceData"]["wid"].asString(), "");
}

/// A Notifier with what it told.
struct Told {
  posthorn::test::FakeScheduler scheduler;
  posthorn::test::MemoryBlobStore blobs{scheduler};
  Clock clock{scheduler, kNow};
  SettingsStore settings{blobs};
  Instance who = kInstance;
  std::vector<std::pair<NotificationKind, json::Value>> stored;
  std::optional<Error> failure;
  std::unique_ptr<Notifier> notifier = make();

  std::unique_ptr<Notifier> make() {
    return std::make_unique<Notifier>(Notifier::Outside{
        scheduler, clock, blobs, settings, [this] { return who; },
        [this](const std::string& body, NotificationKind kind, Once<void(Result<void>)> done) {
          if (failure) return done(tl::unexpected(*failure));
          stored.emplace_back(kind, *json::parse(body));
          done({});
        }});
  }
  template <class Event>
  Result<void> event(const Event& event) {
    Result<void> result = fail(Errc::timeout, "not answered");
    notifier->on_event(event, [&result](Result<void> r) { result = std::move(r); });
    return result;
  }
  Result<void> job(const std::string& id, MessageStatus status) {
    Job done;
    done.id = id;
    done.chat = "4915550007777@c.us";
    Result<void> result = fail(Errc::timeout, "not answered");
    notifier->on_job(done, status, "why", kNow,
                     [&result](Result<void> r) { result = std::move(r); });
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
  EXPECT_TRUE(told.event(incoming(content::Other{"imageMessage", ""})));
  EXPECT_TRUE(told.event(session::Restriction{}));
  EXPECT_TRUE(told.stored.empty());
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
  Receipt phones;
  phones.message_id = "AC0123456789ABCDEF0123456789ABCD";
  EXPECT_TRUE(told.event(ours));
  EXPECT_TRUE(told.event(phones));
  ASSERT_EQ(told.stored.size(), 3U);
  EXPECT_TRUE(told.stored[1].second["sendByApi"].asBool());
  EXPECT_FALSE(told.stored[2].second["sendByApi"].asBool());
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
