#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "posthorn/wire/names.h"
#include "simulator/test_client.h"

namespace posthorn::simulator {
namespace {

namespace names = wire::names;
using test::TestClient;
using wire::Node;

struct SimulatorRelay : testing::Test {
  test::FakeScheduler scheduler;
  test::SeededRandom random{4};
  Simulator sim{scheduler, random};
  AccountInfo peer = sim.add_account({"5511990000001", "Customer"});

  void TearDown() override {
    for (const auto& violation : sim.violations()) ADD_FAILURE() << violation.what;
  }
  Node receipt_for(const Node& message, const char* type = nullptr) {
    Node out(names::kReceipt, {{"id", message.text_attr("id")}});
    out.set_attr("to", *message.jid_attr("from"));
    if (type != nullptr) out.set_attr("type", type);
    return out;
  }
  Node ack_for(const Node& stanza) {
    Node out(names::kAck, {{"class", stanza.tag}, {"id", stanza.text_attr("id")}});
    out.set_attr("to", *stanza.jid_attr("from"));
    if (stanza.has_attr("type")) out.set_attr("type", stanza.text_attr("type"));
    return out;
  }
};

TEST_F(SimulatorRelay, CarriesATextToACustomerAndTheOwnPhone) {
  TestClient client(scheduler, random, sim);
  client.link("");
  const std::string id = client.send_text(peer, "Total 12,50");
  const auto ack = client.take(names::kAck);
  ASSERT_TRUE(ack);
  EXPECT_EQ(ack->text_attr("class"), "message");
  EXPECT_EQ(ack->text_attr("id"), id);
  EXPECT_FALSE(ack->has_attr("error"));
  EXPECT_FALSE(ack->has_attr("phash"));
  const auto inbox = sim.inbox(peer.pn.user);
  ASSERT_EQ(inbox.size(), 1U);
  EXPECT_EQ(inbox[0].text, "Total 12,50");
  EXPECT_EQ(inbox[0].id, id);
  EXPECT_EQ(inbox[0].sender, to_string(client.pn));
  const auto own = sim.inbox(client.pn.user);
  ASSERT_EQ(own.size(), 1U);
  EXPECT_TRUE(own[0].from_me);
  EXPECT_EQ(own[0].text, "Total 12,50");
  EXPECT_EQ(own[0].chat, to_string(peer.pn));
  ASSERT_TRUE(client.take(names::kReceipt));
}

TEST_F(SimulatorRelay, ACustomerAnswersReadsEditsAndRevokes) {
  TestClient client(scheduler, random, sim);
  client.link("");
  PeerScript script;
  script.read_after = milliseconds(100);
  script.reply_after = milliseconds(200);
  ASSERT_TRUE(sim.peer_script(peer.pn.user, script));
  const std::string id = client.send_text(peer, "hello");
  while (client.take(names::kReceipt)) {
  }
  scheduler.advance(milliseconds(150));
  const auto read = client.take(names::kReceipt);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->text_attr("type"), "read");
  EXPECT_EQ(read->text_attr("id"), id);
  scheduler.advance(milliseconds(150));
  ASSERT_TRUE(client.take(names::kMessage));  // the app-state keys of the phone
  auto reply = client.take(names::kMessage);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->jid_attr("from"), peer.lid);
  EXPECT_EQ(reply->text_attr("sender_pn"), to_string(peer.pn));
  EXPECT_EQ(reply->text_attr("notify"), "Customer");
  EXPECT_EQ(client.open_text(*reply), "echo: hello");

  PeerText edit;
  edit.to = client.pn.user;
  edit.text = "echo, corrected";
  edit.edit_of = reply->text_attr("id");
  ASSERT_TRUE(sim.peer_send(peer.pn.user, edit));
  const auto edited = client.take(names::kMessage);
  ASSERT_TRUE(edited);
  EXPECT_EQ(edited->text_attr("edit"), "1");
  PeerText revoke;
  revoke.to = client.pn.user;
  revoke.revoke_of = reply->text_attr("id");
  ASSERT_TRUE(sim.peer_send(peer.pn.user, revoke));
  const auto revoked = client.take(names::kMessage);
  ASSERT_TRUE(revoked);
  EXPECT_EQ(revoked->text_attr("edit"), "7");
}

TEST_F(SimulatorRelay, SwallowsASecondMessageWithTheSameId) {
  TestClient client(scheduler, random, sim);
  client.link("");
  client.send_text(peer, "once", "3EB0AAAAAAAAAAAAAAAAAA");
  client.send_text(peer, "once", "3EB0AAAAAAAAAAAAAAAAAA");
  EXPECT_TRUE(client.take(names::kAck));
  EXPECT_TRUE(client.take(names::kAck));
  EXPECT_EQ(sim.inbox(peer.pn.user).size(), 1U);
}

TEST_F(SimulatorRelay, KeepsWhatAnOfflineClientMissesAndSendsItInBatches) {
  TestClient client(scheduler, random, sim);
  client.link("");
  while (auto message = client.take(names::kMessage))
    client.send(receipt_for(*message, "peer_msg"));
  client.settle();
  ASSERT_TRUE(sim.drop(client.pn));
  client.settle();
  for (int i = 0; i < 12; ++i) {
    PeerText text;
    text.to = client.pn.user;
    text.text = "number " + std::to_string(i);
    ASSERT_TRUE(sim.peer_send(peer.pn.user, text));
  }
  client.settle();
  client.log_in();
  const auto preview = client.take(names::kIb, names::kOfflinePreview);
  ASSERT_TRUE(preview);
  EXPECT_EQ(preview->child(names::kOfflinePreview)->text_attr("message"), "12");
  const auto count = [&client] {
    return std::ranges::count_if(client.stanzas,
                                 [](const Node& node) { return node.tag == names::kMessage; });
  };
  EXPECT_EQ(count(), 5);
  EXPECT_FALSE(client.take(names::kIb, names::kOffline));
  client.send(Node(names::kIb, {}, std::vector{Node(names::kOfflineBatch, {{"count", "4"}})}));
  client.settle();
  EXPECT_EQ(count(), 9);
  scheduler.advance(seconds(2));  // a client that never asks again gets the rest
  EXPECT_EQ(count(), 12);
  const auto done = client.take(names::kIb, names::kOffline);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->child(names::kOffline)->text_attr("count"), "12");
  int number = 0;
  while (auto message = client.take(names::kMessage)) {
    EXPECT_EQ(message->text_attr("offline"), std::to_string(number));
    EXPECT_EQ(client.open_text(*message), "number " + std::to_string(number++));
    if (number <= 6) client.send(receipt_for(*message));
  }
  client.settle();
  client.log_in();  // the six that were not acknowledged come again
  ASSERT_EQ(client.take(names::kIb, names::kOfflinePreview)
                ->child(names::kOfflinePreview)
                ->text_attr("message"),
            "6");
}

TEST_F(SimulatorRelay, HandsEachOneTimePrekeyOutOnceAndSaysWhenTheyRunLow) {
  TestClient client(scheduler, random, sim), asker(scheduler, random, sim);
  client.link("");
  asker.link("");
  std::set<Bytes> seen;
  for (int i = 0; i < 30; ++i) {
    const Node answer = asker.ask(
        Node(names::kIq, {{"type", "get"}, {"xmlns", names::kEncrypt}},
             std::vector{Node(
                 names::kKey, {},
                 std::vector{Node(names::kUser, {{"jid", i % 2 ? client.pn : client.lid}})})}));
    const Node& user = answer.child(names::kList)->children().at(0);
    ASSERT_NE(user.child(names::kDeviceIdentity), nullptr);
    if (const Node* key = user.child(names::kKey)) {
      EXPECT_TRUE(seen.insert(to_bytes(key->child(names::kValue)->bytes())).second);
    }
  }
  EXPECT_EQ(seen.size(), 20U);
  const auto low = client.take(names::kNotification, names::kCount);
  ASSERT_TRUE(low);
  EXPECT_EQ(low->child(names::kCount)->text_attr("value"), "9");
  EXPECT_FALSE(client.take(names::kNotification, names::kCount));
}

TEST_F(SimulatorRelay, ACustomerWhoLostTheSessionAsksAgain) {
  TestClient client(scheduler, random, sim);
  client.link("");
  client.send_text(peer, "first");
  PeerText hello;
  hello.to = client.pn.user;
  hello.text = "hi";
  ASSERT_TRUE(sim.peer_send(peer.pn.user, hello));
  client.settle();
  while (auto message = client.take(names::kMessage)) client.open_text(*message);
  while (client.take(names::kReceipt)) {
  }
  ASSERT_TRUE(sim.peer_lose_session(peer.pn.user));
  const std::string id = client.send_text(peer, "second");
  const auto retry = client.take(names::kReceipt, names::kRetry);
  ASSERT_TRUE(retry);
  EXPECT_EQ(retry->text_attr("type"), "retry");
  EXPECT_EQ(retry->child(names::kRetry)->text_attr("count"), "1");
  EXPECT_EQ(retry->child(names::kRetry)->text_attr("id"), id);
  ASSERT_NE(retry->child(names::kKeys), nullptr);
  ASSERT_EQ(retry->child(names::kKeys)->child(names::kIdentity)->bytes().size(), 32U);
}

TEST_F(SimulatorRelay, TakesAnIdOnceMoreAfterARetryRequest) {
  TestClient client(scheduler, random, sim);
  client.link("");
  client.send_text(peer, "first");
  ASSERT_TRUE(sim.peer_lose_session(peer.pn.user));
  client.send_text(peer, "again", "3EB0CC");
  ASSERT_TRUE(client.take(names::kReceipt, names::kRetry));
  const auto address = signal::make_address(peer.lid.user, peer.lid.server, 0);
  ASSERT_TRUE(client.protocol.delete_session(address));
  client.send_text(peer, "again", "3EB0CC");
  client.send_text(peer, "again", "3EB0CC");
  const auto inbox = sim.inbox(peer.pn.user);
  ASSERT_EQ(inbox.size(), 2U);
  EXPECT_EQ(inbox[1].text, "again");
}

TEST_F(SimulatorRelay, AResendReachesOnlyTheDeviceThatAsked) {
  TestClient client(scheduler, random, sim);
  client.link("");
  ASSERT_TRUE(sim.peer_add_companion(peer.pn.user));
  PeerText text;
  text.to = client.pn.user;
  text.text = "spoiled on the way";
  text.tamper = true;
  ASSERT_TRUE(client.take(names::kMessage));  // app-state keys
  const auto id = sim.peer_send(peer.pn.user, text);
  ASSERT_TRUE(id);
  const auto spoiled = client.take(names::kMessage);
  ASSERT_TRUE(spoiled);
  EXPECT_EQ(client.open_text(*spoiled), "");
  Node retry = receipt_for(*spoiled, "retry");
  retry.content =
      std::vector{Node(names::kRetry,
                       {{"v", "1"}, {"count", "1"}, {"id", *id}, {"t", spoiled->text_attr("t")}}),
                  Node(names::kRegistration, {}, Bytes(4))};
  client.send(retry);
  const auto again = client.take(names::kMessage);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->text_attr("id"), *id);
  EXPECT_EQ(again->child(names::kEnc)->text_attr("count"), "1");
  EXPECT_EQ(client.open_text(*again), "spoiled on the way");
}

TEST_F(SimulatorRelay, TellsThatTheDeviceListIsStale) {
  TestClient client(scheduler, random, sim);
  client.link("");
  client.send_text(peer, "one device");
  ASSERT_TRUE(client.take(names::kAck));
  const Node to = client.encrypted(peer.lid, as_bytes("\x0a\x02hi"), false);
  ASSERT_TRUE(sim.peer_add_companion(peer.pn.user));
  client.send(Node(names::kMessage, {{"to", peer.lid}, {"id", "3EB0BB"}, {"type", "text"}},
                   std::vector{Node(names::kParticipants, {}, std::vector{to}),
                               Node(names::kDeviceIdentity, {}, client.device_identity)}));
  const auto ack = client.take(names::kAck);
  ASSERT_TRUE(ack);
  EXPECT_TRUE(ack->text_attr("phash").starts_with("2:"));
  const auto changed = client.take(names::kNotification, names::kAdd);
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->text_attr("type"), "devices");
}

TEST_F(SimulatorRelay, RestrictedAccountsGet463UntilACustomerWrites) {
  TestClient client(scheduler, random, sim);
  client.link("");
  ASSERT_TRUE(sim.set_restricted(client.pn.user, true));
  client.send_text(peer, "buy this");
  auto ack = client.take(names::kAck);
  ASSERT_TRUE(ack);
  EXPECT_EQ(ack->text_attr("error"), "463");
  EXPECT_TRUE(sim.inbox(peer.pn.user).empty());
  PeerText hello;
  hello.to = client.pn.user;
  hello.text = "hi";
  ASSERT_TRUE(sim.peer_send(peer.pn.user, hello));
  client.send_text(peer, "your order");
  ack = client.take(names::kAck);
  ASSERT_TRUE(ack);
  EXPECT_FALSE(ack->has_attr("error"));
}

TEST_F(SimulatorRelay, PushesTheTimelockAndTheCap) {
  TestClient client(scheduler, random, sim);
  client.link("");
  ASSERT_TRUE(sim.set_timelock(client.pn.user, {true, "WEB_COMPANION_ONLY", 1'790'010'000}));
  auto push = client.take(names::kNotification, names::kUpdate);
  ASSERT_TRUE(push);
  EXPECT_EQ(push->text_attr("type"), "mex");
  const auto text = to_string(push->child(names::kUpdate)->bytes());
  const auto parsed = json::parse(text);
  ASSERT_TRUE(parsed);
  const auto& lock = json::at(json::at(*parsed, "data"), "xwa2_notify_account_reachout_timelock");
  EXPECT_EQ(json::bool_at(lock, "is_active"), true);
  EXPECT_EQ(json::string_at(lock, "time_enforcement_ends"), "1790010000");
  const Node answer =
      client.ask(Node(names::kIq, {{"type", "get"}, {"xmlns", names::kWMex}},
                      std::vector{Node(names::kQuery, {{"query_id", "23983697327930364"}},
                                       to_bytes("{\"variables\":{}}"))}));
  EXPECT_NE(to_string(answer.child(names::kResult)->bytes()).find("WEB_COMPANION_ONLY"),
            std::string::npos);
}

}  // namespace
}  // namespace posthorn::simulator
