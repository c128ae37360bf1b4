#include "api/notification/shown.h"

namespace posthorn::api::test {
namespace {

const std::string kCard =
    "BEGIN:VCARD\nVERSION:3.0\nFN:Vera\nTEL;type=CELL;waid=4915550009999:+49 15550 "
    "009999\nEND:VCARD";
const std::string kCardJson =
    R"(BEGIN:VCARD\nVERSION:3.0\nFN:Vera\nTEL;type=CELL;waid=4915550009999:+49 15550 009999\nEND:VCARD)";

TEST(Notification, ShowsALocation) {
  content::Location place{52.5208, 13.4094, "Shop", "Alexanderplatz 1", {}, false};
  expect_data(
      incoming(place),
      R"({"typeMessage":"locationMessage","locationMessageData":{"nameLocation":"Shop","address":"Alexanderplatz 1","jpegThumbnail":"","latitude":52.5208,"longitude":13.4094,"forwardingScore":0,"isForwarded":false}})");
  place.thumbnail = to_bytes(as_bytes(std::string("map")));
  Message forwarded = incoming(place);
  forwarded.content.forwarded = true;
  forwarded.content.forwarding_score = 2;
  expect_data(
      forwarded,
      R"({"typeMessage":"locationMessage","locationMessageData":{"nameLocation":"Shop","address":"Alexanderplatz 1","jpegThumbnail":"bWFw","latitude":52.5208,"longitude":13.4094,"forwardingScore":2,"isForwarded":true}})");
}

TEST(Notification, ShowsWhereSomebodyWhoMovesIsNow) {
  expect_data(
      incoming(content::Location{-33.5, 151.25, "on my way", "", {}, true}),
      R"({"typeMessage":"locationMessage","locationMessageData":{"nameLocation":"on my way","address":"","jpegThumbnail":"","latitude":-33.5,"longitude":151.25,"forwardingScore":0,"isForwarded":false}})");
}

TEST(Notification, WritesCoordinatesAsTheyWereSaid) {
  const auto out = to_notification(incoming(content::Location{52.5208, -0.1, "", "", {}, false}),
                                   everything(), kInstance);
  ASSERT_TRUE(out);
  const std::string written = json::write(*out);
  EXPECT_NE(written.find("\"latitude\":52.5208,"), std::string::npos) << written;
  EXPECT_NE(written.find("\"longitude\":-0.1,"), std::string::npos) << written;
}

TEST(Notification, ShowsAContact) {
  content::Contacts contact;
  contact.cards.push_back({"Vera", kCard});
  expect_data(
      incoming(contact),
      R"({"typeMessage":"contactMessage","contactMessageData":{"displayName":"Vera","vcard":")" +
          kCardJson + R"(","forwardingScore":0,"isForwarded":false}})");
}

TEST(Notification, ShowsContactsNested) {
  content::Contacts contacts;
  contacts.cards = {{"Vera", kCard}, {"Otto", "BEGIN:VCARD\nEND:VCARD"}};
  contacts.list = true;
  expect_data(
      incoming(contacts),
      R"({"typeMessage":"contactsArrayMessage","messageData":{"contacts":[{"displayName":"Vera","vcard":")" +
          kCardJson +
          R"("},{"displayName":"Otto","vcard":"BEGIN:VCARD\nEND:VCARD"}],"forwardingScore":0,"isForwarded":false}})");
}

TEST(Notification, AReplyOfAnotherKindKeepsItsTypeAndSaysWhatItAnswers) {
  Message message = incoming(content::Location{1, 2, "Here", "", {}, false});
  message.content.quote =
      Quote{"3EB0C0FFEE0123456789", "4915550001234@c.us", "Where are you?", "textMessage", {}, {}};
  expect_data(
      message,
      R"({"typeMessage":"locationMessage","locationMessageData":{"nameLocation":"Here","address":"","jpegThumbnail":"","latitude":1.0,"longitude":2.0,"forwardingScore":0,"isForwarded":false},"quotedMessage":{"stanzaId":"3EB0C0FFEE0123456789","participant":"4915550001234@c.us","typeMessage":"textMessage","textMessage":"Where are you?"}})");
}

}  // namespace
}  // namespace posthorn::api::test
