#include <gtest/gtest.h>

#include "chat/groups/group_rig.h"

// Devices that the server knows and the box does not: what becomes of the second stanza, and of who
// holds the key.
namespace posthorn::chat::chat_test {
namespace {

using throttle::SendOutcome;
using wire::Node;

constexpr const char* kFirst = "3EB0C0FFEE0000000000A1";

class GroupRepair : public testing::Test {
 protected:
  GroupRepair() { rig.restart(); }

  void start(const std::string& id) {
    rig.line.take_written();
    Job job = rig.job(id, "one");
    job.chat = rig.chat;
    rig.start_send(job);
    rig.turn();
  }
  /// The message has left for two devices, and the server names a third.
  void send_and_hear_of_the_laptop() {
    rig.hide_laptop = true;
    start(kFirst);
    ASSERT_EQ(copies(), 2U);
    rig.hide_laptop = false;
    rig.line.take_written();
    rig.line.ack(kFirst, {{"phash", "2:AAAAAAAA"}});
    rig.turn();
    rig.turn();
  }
  /// Copies of our key in the last message; nullopt: there is none.
  std::optional<std::size_t> copies() {
    const auto messages = rig.written_of("message");
    if (messages.empty()) return std::nullopt;
    const Node* participants = messages.back().child("participants");
    return participants == nullptr ? 0 : participants->children().size();
  }
  void expect_that_the_first_two_hold_the_key() {
    rig.turn();
    rig.turn();
    ASSERT_TRUE(rig.outcome);
    EXPECT_EQ(rig.outcome->kind, SendOutcome::Kind::sent);
    start("3EB0C0FFEE0000000000A2");
    EXPECT_EQ(copies(), 1U) << "the laptop alone lacks it";
  }
  GroupRig rig;
};

TEST_F(GroupRepair, SendsNothingWhenNobodyOfThemHasKeys) {
  const auto answer = rig.line.answer;
  bool without_keys = false;
  rig.line.answer = [&](const Node& iq) -> Result<Node> {
    if (without_keys && iq.text_attr("xmlns") == "encrypt")
      return Node("iq", {{"type", "result"}}, {Node("list", {}, std::vector<Node>{})});
    return answer(iq);
  };
  rig.hide_laptop = true;
  start(kFirst);
  ASSERT_EQ(copies(), 2U);
  rig.hide_laptop = false;
  without_keys = true;
  rig.line.take_written();
  rig.line.ack(kFirst, {{"phash", "2:AAAAAAAA"}});
  rig.turn();
  rig.turn();
  EXPECT_TRUE(rig.written_of("message").empty());
  without_keys = false;
  expect_that_the_first_two_hold_the_key();
}

TEST_F(GroupRepair, RefusedLeavesTheFirstMarksAlone) {
  send_and_hear_of_the_laptop();
  ASSERT_EQ(copies(), 1U);
  rig.line.ack(kFirst, {{"error", "500"}});
  expect_that_the_first_two_hold_the_key();
}

TEST_F(GroupRepair, InAnotherFormIsNotTried) {
  send_and_hear_of_the_laptop();
  rig.line.take_written();
  rig.line.ack(kFirst, {{"error", "421"}});
  rig.turn();
  EXPECT_TRUE(rig.written_of("message").empty());
  expect_that_the_first_two_hold_the_key();
}

TEST_F(GroupRepair, WithoutAnAckLeavesTheFirstMarksAlone) {
  send_and_hear_of_the_laptop();
  rig.line.fail_acks(Errc::timeout);
  expect_that_the_first_two_hold_the_key();
}

}  // namespace
}  // namespace posthorn::chat::chat_test
