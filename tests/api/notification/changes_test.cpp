#include "api/notification/shown.h"

namespace posthorn::api::test {
namespace {

TEST(Notification, ShowsAReactionAndThatItWasTakenBack) {
  for (const char* emoji : {"\xF0\x9F\x91\x8D", ""}) {
    Message message = incoming(content::Reaction{emoji});
    message.content.quote =
        Quote{"3EB0C0FFEE0123456789", "4915550001234@c.us", "", "textMessage", {}, {}};
    expect_notification(
        message,
        R"({"typeWebhook":"incomingMessageReceived",)" + kHead + kFromIda +
            R"("messageData":{"typeMessage":"reactionMessage","extendedTextMessageData":{"text":")" +
            emoji +
            R"("},"quotedMessage":{"stanzaId":"3EB0C0FFEE0123456789","participant":"4915550001234@c.us"}}})");
  }
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

}  // namespace
}  // namespace posthorn::api::test
