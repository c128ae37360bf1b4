#include <gtest/gtest.h>

#include "api/utf8.h"
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

content::File photo() {
  content::File file;
  file.kind = content::File::Kind::image;
  file.ref = "1f0a1f0a1f0a1f0a1f0a1f0a1f0a1f0a1f0a1f0a1f0a1f0a1f0a1f0a1f0a1f0a";
  file.mime = "image/jpeg";
  file.caption = "Like this one";
  file.size = 12'345;
  file.thumbnail = to_bytes("\xFF\xD8\xFF\xE0");
  file.link = "http://box.lan/files/1f0a.jpg";
  return file;
}

TEST(Notification, ShowsAFileWithAllItsFields) {
  expect_notification(
      incoming(photo()),
      R"({"typeWebhook":"incomingMessageReceived",)" + kHead + kFromIda +
          R"("messageData":{"typeMessage":"imageMessage","fileMessageData":{"downloadUrl":"http://box.lan/files/1f0a.jpg","caption":"Like this one","fileName":"1f0a1f0a1f0a1f0a.jpg","jpegThumbnail":"/9j/4A==","isAnimated":false,"mimeType":"image/jpeg","forwardingScore":0,"isForwarded":false}}})");
}

TEST(Notification, NamesEachKindOfFile) {
  using Kind = content::File::Kind;
  const std::vector<std::tuple<Kind, std::string, std::string>> kinds{
      {Kind::video, "video/mp4", "videoMessage"},
      {Kind::gif, "video/mp4", "videoMessage"},
      {Kind::video_note, "video/mp4", "videoMessage"},
      {Kind::audio, "audio/mpeg", "audioMessage"},
      {Kind::voice, "audio/ogg; codecs=opus", "audioMessage"},
      {Kind::document, "application/pdf", "documentMessage"},
      {Kind::sticker, "image/webp", "stickerMessage"}};
  for (const auto& [kind, mime, name] : kinds) {
    content::File file = photo();
    file.kind = kind;
    file.mime = mime;
    file.name = kind == Kind::document ? "invoice 118.pdf" : "";
    file.animated = kind == Kind::sticker;
    Message message = incoming(file);
    message.content.forwarded = true;
    message.content.forwarding_score = 2;
    const auto out = to_notification(message, everything(), kInstance);
    ASSERT_TRUE(out) << name;
    const json::Value& data = (*out)["messageData"];
    EXPECT_EQ(data["typeMessage"].asString(), name);
    EXPECT_EQ(data["fileMessageData"]["mimeType"].asString(), mime);
    EXPECT_EQ(data["fileMessageData"]["isAnimated"].asBool(), kind == Kind::sticker);
    EXPECT_EQ(data["fileMessageData"]["forwardingScore"].asInt(), 2);
    EXPECT_TRUE(data["fileMessageData"]["isForwarded"].asBool());
    EXPECT_EQ(data["fileMessageData"].size(), 8U) << "strict receivers know these eight";
    if (kind == Kind::document) {
      EXPECT_EQ(data["fileMessageData"]["fileName"].asString(), "invoice 118.pdf");
    }
    if (kind == Kind::voice) {
      EXPECT_EQ(data["fileMessageData"]["fileName"].asString(), "1f0a1f0a1f0a1f0a.ogg");
    }
  }
}

TEST(Notification, AFileAnswersAndIsAnswered) {
  Message message = incoming(photo());
  Quote quote;
  quote.id = "3EB0C0FFEE0123456789";
  quote.participant = "4915550001234@c.us";
  quote.file = photo();
  message.content.quote = quote;
  const auto media = to_notification(message, everything(), kInstance);
  ASSERT_TRUE(media);
  EXPECT_EQ((*media)["messageData"]["typeMessage"].asString(), "imageMessage");
  EXPECT_EQ((*media)["messageData"]["quotedMessage"]["caption"].asString(), "Like this one");

  message.content.what = text("this one");
  expect_notification(
      message,
      R"({"typeWebhook":"incomingMessageReceived",)" + kHead + kFromIda +
          R"("messageData":{"typeMessage":"quotedMessage","extendedTextMessageData":{"text":"this one","stanzaId":"3EB0C0FFEE0123456789","participant":"4915550001234@c.us"},"quotedMessage":{"stanzaId":"3EB0C0FFEE0123456789","participant":"4915550001234@c.us","typeMessage":"imageMessage","downloadUrl":"http://box.lan/files/1f0a.jpg","caption":"Like this one","fileName":"1f0a1f0a1f0a1f0a.jpg","jpegThumbnail":"/9j/4A==","isAnimated":false,"mimeType":"image/jpeg"}}})");
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
      to_notification(incoming(content::Other{"eventMessage", ""}), everything(), kInstance));
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
  receipt.by_api = true;
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
  job.content.quote = Quote{job.content.quote->id, "4915550001234@c.us", "Shall I reserve it?"};
  const auto known = build_api_message(job, everything(), kInstance, kNow);
  const json::Value& quoted = (*known)["messageData"]["quotedMessage"];
  EXPECT_EQ(quoted["participant"].asString(), "4915550001234@c.us");
  EXPECT_EQ(quoted["textMessage"].asString(), "Shall I reserve it?");
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
  std::vector<std::string> chats;  ///< whose room each takes
  std::optional<Error> failure;
  std::size_t limit_bytes = std::size_t{256} << 10;
  std::unique_ptr<Notifier> notifier = make();

  std::unique_ptr<Notifier> make() {
    return std::make_unique<Notifier>(
        Notifier::Outside{scheduler, clock, blobs, settings, [this] { return who; },
                          [this](const InboxItem& item, Once<void(Result<void>)> done) {
                            if (failure) return done(tl::unexpected(*failure));
                            stored.emplace_back(item.kind, *json::parse(item.body));
                            chats.push_back(item.chat);
                            done({});
                          },
                          limit_bytes});
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
  EXPECT_TRUE(told.event(incoming(content::Other{"eventMessage", ""})));
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
  message.content.quote =
      Quote{std::string(8'000, 'B'), std::string(8'000, '\xFE'), std::string(100'000, 'q')};
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
  message.content.quote = Quote{bad, bad, bad, bad};
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
