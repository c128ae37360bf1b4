#include <gtest/gtest.h>

#include "posthorn/wire/names.h"
#include "simulator/test_client.h"

namespace posthorn::simulator {
namespace {

namespace names = wire::names;
using test::TestClient;
using wire::Node;

struct SimulatorFaults : testing::Test {
  test::FakeScheduler scheduler;
  test::SeededRandom random{8};
  Simulator sim{scheduler, random};
  AccountInfo peer = sim.add_account({"5511990000001", "Customer"});
  TestClient client{scheduler, random, sim};

  void SetUp() override {
    client.link("5511990000002");
    while (const auto keys = client.take(names::kMessage)) {  // of the phone, to be acknowledged
      client.send(Node(names::kReceipt, {{"id", keys->text_attr("id")},
                                         {"to", *keys->jid_attr("from")},
                                         {"type", names::kPeerMsg}}));
    }
    client.settle();
    client.stanzas.clear();
  }
  void add(std::string_view json_text) {
    const auto value = json::parse(json_text);
    ASSERT_TRUE(value) << json_text;
    auto fault = parse_fault(*value);
    ASSERT_TRUE(fault) << to_string(fault.error());
    sim.add_fault(std::move(*fault));
  }
  Node ping() { return Node(names::kIq, {{"type", "get"}, {"xmlns", names::kWP}, {"id", "p"}}); }
  void say(const std::string& text) {
    PeerText message;
    message.to = client.pn.user;
    message.text = text;
    ASSERT_TRUE(sim.peer_send(peer.pn.user, message));
    client.settle();
  }
};

TEST_F(SimulatorFaults, ALostAckLeavesTheMessageDeliveredOnce) {
  add(R"({"where":"out","action":"lose","tag":"ack","class":"message"})");
  client.send_text(peer, "paid", "3EB0AA");
  EXPECT_FALSE(client.take(names::kAck));
  client.send_text(peer, "paid", "3EB0AA");
  EXPECT_TRUE(client.take(names::kAck));
  EXPECT_EQ(sim.inbox(peer.pn.user).size(), 1U);
}

TEST_F(SimulatorFaults, ADelayedAckComesBehindTheReceipt) {
  add(R"({"where":"out","action":"delay","tag":"ack","class":"message","after":3000})");
  client.send_text(peer, "slow");
  EXPECT_TRUE(client.take(names::kReceipt));
  EXPECT_FALSE(client.take(names::kAck));
  scheduler.advance(milliseconds(3000));
  EXPECT_TRUE(client.take(names::kAck));
}

TEST_F(SimulatorFaults, SwapPutsTheAckBehindTheNextStanza) {
  add(R"({"where":"out","action":"swap","tag":"ack","class":"message"})");
  client.stanzas.clear();
  client.send_text(peer, "swapped");
  std::vector<std::string> tags;
  for (const auto& node : client.stanzas) {
    if (node.tag != names::kIq) tags.push_back(node.tag);
  }
  EXPECT_EQ(tags, (std::vector<std::string>{"receipt", "ack"}));
}

TEST_F(SimulatorFaults, ADuplicateIsTheSameStanzaTwice) {
  add(R"({"where":"out","action":"duplicate","tag":"message"})");
  say("twice");
  const auto first = client.take(names::kMessage), second = client.take(names::kMessage);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
}

TEST_F(SimulatorFaults, AckErrorsHitTheNthMessageToAPerson) {
  add(R"({"action":"error","tag":"message","to":"5511990000001","code":463,"skip":1,"count":2})");
  std::vector<std::string> errors;
  for (int i = 0; i < 4; ++i) {
    client.send_text(peer, "n");
    errors.push_back(client.take(names::kAck)->text_attr("error"));
  }
  EXPECT_EQ(errors, (std::vector<std::string>{"", "463", "463", ""}));
  EXPECT_EQ(sim.inbox(peer.pn.user).size(), 2U);
}

TEST_F(SimulatorFaults, AQueryCanBeRefusedWithBackoff) {
  add(R"({"action":"error","xmlns":"usync","code":429,"text":"rate-overlimit","backoff":60})");
  const Node answer = client.ask(Node(names::kIq, {{"type", "get"}, {"xmlns", names::kUsync}},
                                      std::vector{Node(names::kUsync)}));
  ASSERT_NE(answer.child(names::kError), nullptr);
  EXPECT_EQ(answer.child(names::kError)->text_attr("code"), "429");
  EXPECT_EQ(answer.child(names::kError)->text_attr("backoff"), "60");
}

TEST_F(SimulatorFaults, SilenceIsALostQuestion) {
  add(R"({"action":"lose","tag":"iq","xmlns":"w:p"})");
  client.send(ping());
  EXPECT_FALSE(client.take(names::kIq));
}

TEST_F(SimulatorFaults, ALoginCanBeRefusedForATime) {
  add(R"({"where":"login","action":"failure","code":402,"sub_code":104,"expire":3600})");
  client.log_in();
  const auto failure = client.take(names::kFailure);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->text_attr("reason"), "402");
  EXPECT_EQ(failure->text_attr("code"), "104");
  EXPECT_EQ(failure->text_attr("expire"), "3600");
  client.log_in();
  EXPECT_TRUE(client.take(names::kSuccess));
}

TEST_F(SimulatorFaults, AStreamErrorEndsTheConnection) {
  add(R"({"action":"stream_error","tag":"iq","code":401,"text":"device_removed"})");
  client.send(ping());
  const auto error = client.take(names::kStreamError);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->text_attr("code"), "401");
  EXPECT_EQ(error->child(names::kConflict)->text_attr("type"), "device_removed");
  EXPECT_FALSE(client.open());
}

TEST_F(SimulatorFaults, AStreamErrorCanHaveAnyChild) {
  add(R"({"action":"stream_error","tag":"iq","text":"xml-not-well-formed"})");
  client.send(ping());
  EXPECT_TRUE(client.take(names::kStreamError, "xml-not-well-formed"));
}

TEST_F(SimulatorFaults, AQuestionCanGetAnotherAnswer) {
  add(R"({"action":"answer","xmlns":"encrypt","child":"count","answer":[["count",{"value":"3"}]]})");
  const Node answer = client.ask(Node(names::kIq, {{"type", "get"}, {"xmlns", names::kEncrypt}},
                                      std::vector{Node(names::kCount)}));
  EXPECT_EQ(answer.text_attr("type"), "result");
  EXPECT_EQ(answer.child(names::kCount)->text_attr("value"), "3");
}

TEST_F(SimulatorFaults, ACutFrameBreaksTheLineAndTheMessageComesAgain) {
  add(R"({"where":"out","action":"cut","tag":"message","bytes":20})");
  say("cut");
  EXPECT_FALSE(client.open());
  EXPECT_FALSE(client.take(names::kMessage));
  client.log_in();
  const auto message = client.take(names::kMessage);
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->has_attr("offline"));
  EXPECT_EQ(client.open_text(*message), "cut");
}

TEST_F(SimulatorFaults, ACorruptFrameIsRefusedByTheClient) {
  add(R"({"where":"out","action":"corrupt","tag":"message"})");
  say("corrupt");
  ASSERT_TRUE(client.error());
  EXPECT_EQ(client.error()->code, Errc::malformed);
}

TEST_F(SimulatorFaults, UnreadableStanzasCostThemselvesAlone) {
  for (const char* action : {"truncate", "garbage", "bad_deflate"}) {
    add(R"({"where":"out","tag":"message","action":")" + std::string(action) + "\"}");
    say(action);
    EXPECT_FALSE(client.take(names::kMessage)) << action;
    client.send(ping());
    EXPECT_TRUE(client.take(names::kIq)) << action;
  }
}

TEST_F(SimulatorFaults, AWrongLengthMakesTheClientWait) {
  add(R"({"where":"out","action":"length","tag":"message","bytes":60000})");
  say("long");
  client.send(ping());
  EXPECT_FALSE(client.take(names::kIq));
  EXPECT_TRUE(client.open());
}

TEST_F(SimulatorFaults, ADeafServerKeepsTheLineAndSaysNothing) {
  add(R"({"action":"deaf","tag":"iq"})");
  client.send(ping());
  client.send(ping());
  EXPECT_FALSE(client.take(names::kIq));
  EXPECT_TRUE(client.open());
}

TEST_F(SimulatorFaults, ATricklingServerSendsAByteAtATime) {
  add(R"({"where":"out","action":"trickle","tag":"iq","after":10})");
  client.send(ping());
  EXPECT_FALSE(client.take(names::kIq));
  scheduler.advance(seconds(5));
  EXPECT_TRUE(client.take(names::kIq));
}

TEST_F(SimulatorFaults, PrekeysCanBeForgedOrMissing) {
  const auto fetch = [this] {
    return client.ask(Node(
        names::kIq, {{"type", "get"}, {"xmlns", names::kEncrypt}},
        std::vector{Node(names::kKey, {}, std::vector{Node(names::kUser, {{"jid", peer.lid}})})}));
  };
  add(R"({"where":"out","action":"no_prekey","tag":"iq","child":"list"})");
  EXPECT_EQ(fetch().child(names::kList)->children().at(0).child(names::kKey), nullptr);
  add(R"({"where":"out","action":"bad_skey","tag":"iq","child":"list"})");
  const Node answer = fetch();
  const Node& user = answer.child(names::kList)->children().at(0);
  const auto identity = signal::parse_public_key(user.child(names::kIdentity)->bytes());
  const Node& skey = *user.child(names::kSkey);
  const auto key = signal::parse_public_key(skey.child(names::kValue)->bytes());
  ASSERT_TRUE(identity && key);
  EXPECT_FALSE(signal::verify(*identity, signal::with_type_byte(*key),
                              skey.child(names::kSignature)->bytes()));
}

TEST_F(SimulatorFaults, OnlyTheNamedDeviceIsConcerned) {
  TestClient other(scheduler, random, sim);
  other.link("");
  add(R"({"action":"lose","tag":"iq","device":"5511990000002","count":0})");
  client.send(ping());
  EXPECT_FALSE(client.take(names::kIq));
  other.send(ping());
  EXPECT_TRUE(other.take(names::kIq));
}

TEST_F(SimulatorFaults, ASilentConnectionIsDropped) {
  scheduler.advance(seconds(179));
  EXPECT_TRUE(client.open());
  scheduler.advance(seconds(2));
  EXPECT_FALSE(client.open());
}

TEST(SimulatorFaultWords, UnknownOnesAreRefusedWithTheKnownOnes) {
  const auto value = json::parse(R"({"action":"explode"})");
  ASSERT_TRUE(value);
  const auto fault = parse_fault(*value);
  ASSERT_FALSE(fault);
  EXPECT_NE(fault.error().detail.find("stream_error"), std::string::npos);
  const auto member = json::parse(R"({"colour":"red"})");
  ASSERT_TRUE(member);
  EXPECT_FALSE(parse_fault(*member));
}

}  // namespace
}  // namespace posthorn::simulator
