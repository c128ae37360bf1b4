#include <gtest/gtest.h>

#include "posthorn/wire/names.h"
#include "simulator/node_json.h"
#include "simulator/test_client.h"

namespace posthorn::simulator {
namespace {

namespace names = wire::names;
using test::TestClient;
using wire::Node;

struct SimulatorControl : testing::Test {
  test::FakeScheduler scheduler;
  test::SeededRandom random{9};
  Simulator sim{scheduler, random};

  struct Pending {
    std::optional<Simulator::Response> response;
  };
  std::shared_ptr<Pending> begin(const char* method, const std::string& path,
                                 const std::string& body = {}) {
    auto pending =
        std::make_shared<Pending>();  // shared: the answer may come after the test's block
    sim.control(method, path, body,
                [pending](Simulator::Response response) { pending->response = response; });
    return pending;
  }
  Simulator::Response ask(const char* method, const std::string& path,
                          const std::string& body = {}) {
    const auto pending = begin(method, path, body);
    scheduler.run_posted();
    EXPECT_TRUE(pending->response) << path;
    return pending->response.value_or(Simulator::Response{});
  }
  static std::string text(const json::Value& value, const char* name) {
    return json::text_of(json::at(value, name)).value_or("");
  }
};

TEST_F(SimulatorControl, LinksAndCarriesATextByItsVerbsAlone) {
  TestClient client(scheduler, random, sim);
  client.adv_secret = random.bytes(32);
  client.connect();
  const auto scanned =
      ask("POST", "/v1/scan", R"({"qr":")" + client.qr() + R"(","account":"5511"})");
  EXPECT_EQ(scanned.status, 200);
  EXPECT_EQ(text(scanned.body, "device"), "5511:1@s.whatsapp.net");
  client.log_in_and_go_active();
  const auto made = ask("POST", "/v1/accounts", R"({"phone":"5522","name":"Ana"})");
  EXPECT_EQ(text(made.body, "pn"), "5522@s.whatsapp.net");
  while (client.take(names::kMessage)) {
  }
  const auto sent = ask("POST", "/v1/peers/5522/send", R"({"to":"5511","text":"oi"})");
  EXPECT_EQ(sent.status, 200);
  const auto message = client.take(names::kMessage);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->text_attr("id"), text(sent.body, "id"));
  EXPECT_EQ(client.open_text(*message), "oi");
  const auto shown = ask("GET", "/v1/accounts/5511");
  EXPECT_EQ(json::at(shown.body, "devices").size(), 2U);
}

TEST_F(SimulatorControl, AnInboxCanBeWaitedFor) {
  ask("POST", "/v1/accounts", R"({"phone":"5511"})");
  ask("POST", "/v1/accounts", R"({"phone":"5522"})");
  const auto waiting = begin("GET", "/v1/peers/5522/inbox?after=0&wait=5000");
  scheduler.advance(seconds(1));
  EXPECT_FALSE(waiting->response);
  ask("POST", "/v1/peers/5511/send", R"({"to":"5522","text":"hello"})");
  scheduler.run_posted();
  ASSERT_TRUE(waiting->response);
  const auto& messages = json::at(waiting->response->body, "messages");
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(text(messages[0], "text"), "hello");
  const auto in_vain = begin("GET", "/v1/peers/5522/inbox?after=99&wait=5000");
  scheduler.advance(seconds(6));
  ASSERT_TRUE(in_vain->response);
  EXPECT_TRUE(json::at(in_vain->response->body, "messages").empty());
}

TEST_F(SimulatorControl, ExpectAnswersWhenItIsSeenAndFailsAfterItsTime) {
  TestClient client(scheduler, random, sim);
  client.link("5511");
  const auto seen =
      begin("POST", "/v1/expect",
            R"({"match":{"tag":"iq","xmlns":"w:p","device":"5511"},"within_ms":5000})");
  EXPECT_FALSE(seen->response);
  client.ask(Node(names::kIq, {{"type", "get"}, {"xmlns", names::kWP}}));
  ASSERT_TRUE(seen->response);
  EXPECT_EQ(seen->response->status, 200);
  const auto missed =
      begin("POST", "/v1/expect", R"({"match":{"tag":"call"},"count":2,"within_ms":1000})");
  scheduler.advance(seconds(2));
  ASSERT_TRUE(missed->response);
  EXPECT_EQ(missed->response->status, 408);
  EXPECT_EQ(text(missed->response->body, "error"), "saw 0 of 2");
}

TEST_F(SimulatorControl, PushesAnyStanza) {
  TestClient client(scheduler, random, sim);
  client.link("5511");
  const auto pushed = ask(
      "POST", "/v1/push",
      R"({"device":"5511:1@s.whatsapp.net","node":["ib",{"from":"s.whatsapp.net"},[["dirty",{"type":"groups"}]]]})");
  EXPECT_EQ(pushed.status, 200);
  const auto dirty = client.take(names::kIb, names::kDirty);
  ASSERT_TRUE(dirty);
  EXPECT_EQ(dirty->child(names::kDirty)->text_attr("type"), "groups");
}

TEST_F(SimulatorControl, TheClockCanBeShifted) {
  const auto before = sim.now();
  ask("POST", "/v1/clock", R"({"advance":86400000})");
  EXPECT_EQ(sim.now() - before, milliseconds(86'400'000));
  ask("POST", "/v1/clock", R"({"offset":0})");
  EXPECT_EQ(sim.now(), before);
}

TEST_F(SimulatorControl, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(ask("GET", "/v1/nothing").status, 404);
  EXPECT_EQ(ask("PUT", "/v1/accounts").status, 405);
  EXPECT_EQ(ask("POST", "/v1/accounts", "{nonsense").status, 400);
  EXPECT_EQ(ask("GET", "/v1/peers/999/inbox").status, 404);
  EXPECT_EQ(ask("POST", "/v1/faults", R"({"action":"x"})").status, 400);
  EXPECT_EQ(ask("DELETE", "/v1/faults/7").status, 404);
  EXPECT_EQ(ask("POST", "/admin/mock-phone/scan-qr", "no,such,code,").status, 400);
}

TEST_F(SimulatorControl, AnswersWhatStillWaitsWhenItEnds) {
  auto here = std::make_unique<Simulator>(scheduler, random);
  std::optional<int> status;
  here->control("POST", "/v1/expect", R"({"match":{"tag":"call"}})",
                [&status](Simulator::Response response) { status = response.status; });
  EXPECT_FALSE(status);
  here.reset();
  EXPECT_EQ(status, 503);
}

TEST(SimulatorNodeJson, GoesThereAndBack) {
  const Node node(
      "message", {{"to", wire::Jid{"5511", "s.whatsapp.net", 3}}, {"id", "3EB0"}},
      std::vector{Node("enc", {{"v", "2"}}, Bytes{std::byte{1}, std::byte{255}}), Node("meta")});
  const auto back = node_from_json(node_to_json(node));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back->jid_attr("to"), (wire::Jid{"5511", "s.whatsapp.net", 3}));
  EXPECT_EQ(back->children(), node.children());
}

TEST(SimulatorNodeJson, RefusesWhatIsNoNode) {
  for (const char* wrong : {"{}", "[]", "[1]", R"(["a",[]])", R"(["a",{"b":[]}])",
                            R"(["a",{},{"base64":"*"}])", R"(["a",{},[{}]])"}) {
    const auto value = json::parse(wrong);
    ASSERT_TRUE(value) << wrong;
    EXPECT_FALSE(node_from_json(*value)) << wrong;
  }
}

}  // namespace
}  // namespace posthorn::simulator
