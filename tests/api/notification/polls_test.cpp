#include "api/notification/shown.h"

namespace posthorn::api::test {
namespace {

const content::Poll kPoll{"Pick a day", {"Mon", "Tue"}, false};

TEST(Notification, ShowsAPoll) {
  expect_data(
      incoming(kPoll),
      R"({"typeMessage":"pollMessage","pollMessageData":{"name":"Pick a day","options":[{"optionName":"Mon"},{"optionName":"Tue"}],"multipleAnswers":false}})");
}

TEST(Notification, ShowsAVoteUnderEachOption) {
  content::PollVote vote{"3EB0C0FFEE0123456795", kPoll, {"Mon"}, "4915550007777@c.us"};
  expect_data(
      incoming(vote),
      R"({"typeMessage":"pollUpdateMessage","pollMessageData":{"stanzaId":"3EB0C0FFEE0123456795","name":"Pick a day","votes":[{"optionName":"Mon","optionVoters":["4915550007777@c.us"]},{"optionName":"Tue","optionVoters":[]}],"multipleAnswers":false}})");
  vote.chosen.clear();
  expect_data(
      incoming(vote),
      R"({"typeMessage":"pollUpdateMessage","pollMessageData":{"stanzaId":"3EB0C0FFEE0123456795","name":"Pick a day","votes":[{"optionName":"Mon","optionVoters":[]},{"optionName":"Tue","optionVoters":[]}],"multipleAnswers":false}})");
}

TEST(Notification, PollsHaveASwitchOfTheirOwn) {
  Settings settings = everything();
  settings.incoming_webhook = false;
  EXPECT_TRUE(to_notification(incoming(kPoll), settings, kInstance));
  settings.poll_message_webhook = false;
  settings.incoming_webhook = true;
  EXPECT_FALSE(to_notification(incoming(kPoll), settings, kInstance));
  EXPECT_FALSE(
      to_notification(incoming(content::PollVote{"A", kPoll, {}, ""}), settings, kInstance));
}

}  // namespace
}  // namespace posthorn::api::test
