#include <gtest/gtest.h>

#include "box.h"
#include "posthorn/wire/names.h"

namespace posthorn::session {
namespace {

using core_test::Box;
using core_test::FakeServer;

TEST(Linking, GoesFromQrOverRestartToOnline) {
  Box box;
  box.boot();
  box.run();
  EXPECT_EQ(box.state(), State::pairing);
  EXPECT_TRUE(box.server.line().registering());
  const auto qr = box.session->qr();
  ASSERT_TRUE(qr.has_value());

  box.server.scan(*qr);
  box.run();
  const auto signs = box.server.line().all("iq", "pair-device-sign");
  ASSERT_EQ(signs.size(), 1U);
  EXPECT_EQ(signs[0].text_attr("id"), "pair-2");
  EXPECT_EQ(signs[0].text_attr("type"), "result");
  EXPECT_FALSE(box.session->qr().has_value());

  box.server.send(FakeServer::stream_error("515"));
  box.run(seconds(1));
  ASSERT_EQ(box.server.lines.size(), 2U);
  EXPECT_EQ(box.server.line().payload.username(), 4915550001234U);
  EXPECT_EQ(box.server.line().payload.device(), 7U);
  EXPECT_EQ(box.server.line().payload.lc(), 0);
  EXPECT_EQ(box.state(), State::online);
  EXPECT_EQ(box.session->account().phone, "4915550001234");
  EXPECT_EQ(box.session->account().device_jid, "4915550001234:7@s.whatsapp.net");
  EXPECT_EQ(box.session->account().push_name, "Bakery");
  EXPECT_EQ(box.state_names(),
            (std::vector{State::connecting, State::handshaking, State::pairing, State::connecting,
                         State::handshaking, State::syncing, State::online}));
}

TEST(Linking, SavesCredentialsBeforeTheAnswerLeaves) {
  Box box;
  box.boot();
  box.run();
  box.server.scan(*box.session->qr());
  // Step by step: as soon as the answer is on the wire, a power cut must find the link on disk.
  for (int i = 0; i < 200 && box.server.line().all("iq", "pair-device-sign").empty(); ++i)
    box.scheduler.run_posted();
  ASSERT_EQ(box.server.line().all("iq", "pair-device-sign").size(), 1U);
  box.boot();
  box.run(seconds(1));
  EXPECT_EQ(box.server.line().payload.username(), 4915550001234U);
  EXPECT_EQ(box.state(), State::online);
}

TEST(Linking, RestartsByItselfWhenNo515Comes) {
  Box box;
  box.boot();
  box.run();
  box.server.scan(*box.session->qr());
  box.run(seconds(4));
  EXPECT_EQ(box.server.lines.size(), 1U);
  box.run(seconds(3));
  EXPECT_EQ(box.server.lines.size(), 2U);
  EXPECT_EQ(box.state(), State::online);
}

TEST(Linking, RefusesAWrongAccountSignature) {
  Box box;
  box.boot();
  box.run();
  box.server.sign_with_other_account = true;
  const auto before = box.session->qr();
  box.server.scan(*before);
  box.run();
  FakeServer::Line& first = *box.server.lines.front();
  EXPECT_TRUE(first.all("iq", "pair-device-sign").empty());
  const auto refusals = first.all("iq", "error");
  ASSERT_EQ(refusals.size(), 1U);
  EXPECT_EQ(refusals[0].child("error")->text_attr("code"), "401");
  EXPECT_EQ(box.state(), State::logged_out);
  EXPECT_TRUE(box.session->account().phone.empty());
  EXPECT_FALSE(box.session->state().what_to_do.empty());

  // A new round has another secret, and a right signature links.
  box.server.sign_with_other_account = false;
  (void)box.session->qr();
  box.run(seconds(3));
  const auto after = box.session->qr();
  ASSERT_TRUE(after.has_value());
  EXPECT_NE(*after, *before);
  box.server.scan(*after);
  box.run(seconds(8));
  EXPECT_EQ(box.state(), State::online);
}

TEST(Linking, IgnoresSuccessWhileUnpaired) {
  Box box;
  box.boot();
  box.run();
  box.server.send(box.server.success());
  box.run(seconds(1));
  EXPECT_EQ(box.state(), State::pairing);
  EXPECT_TRUE(box.server.line().all("iq", "active").empty());
}

TEST(Linking, NoticesAServerThatHasFallenSilentMeanwhile) {
  Box box;
  box.boot();
  box.run();
  ASSERT_TRUE(box.session->qr().has_value());
  box.server.line().fall_silent();
  box.run(seconds(55));
  EXPECT_EQ(box.server.lines.size(), 2U);
  EXPECT_TRUE(box.session->qr().has_value());
}

TEST(Linking, DoesNotWaitWithoutEndForTheFirstCode) {
  Box box;
  box.server.on_open = [](FakeServer::Line& line) {
    line.send(FakeServer::ib(wire::Node("edge_routing")));
  };
  box.boot();
  (void)box.session->qr();  // somebody looks
  box.run(seconds(20));
  ASSERT_EQ(box.server.lines.size(), 1U);
  box.server.on_open = nullptr;
  box.run(seconds(15));
  EXPECT_EQ(box.server.lines.size(), 2U);
  EXPECT_TRUE(box.session->qr().has_value());
}

TEST(Linking, RotatesRefsAfter60And20Seconds) {
  Box box;
  box.boot();
  box.run();
  const auto ref = [&] {
    const auto qr = box.session->qr();
    return qr ? qr->substr(qr->find('#') + 1, qr->find(',') - qr->find('#') - 1) : "none";
  };
  EXPECT_EQ(ref(), "2@REF10");
  box.run(seconds(59));
  EXPECT_EQ(ref(), "2@REF10");
  box.run(seconds(2));
  EXPECT_EQ(ref(), "2@REF11");
  box.run(seconds(20));
  EXPECT_EQ(ref(), "2@REF12");
}

TEST(Linking, StopsAskingWhenNobodyLooks) {
  Box box;
  box.boot();
  box.run(minutes(10));
  EXPECT_EQ(box.server.lines.size(), 1U);
  EXPECT_EQ(box.state(), State::logged_out);
  // Somebody opens the page.
  EXPECT_FALSE(box.session->qr().has_value());
  box.run(seconds(1));
  EXPECT_TRUE(box.session->qr().has_value());
  EXPECT_EQ(box.server.lines.size(), 2U);
}

TEST(Linking, KeepsRoundsComingWhileSomebodyLooks) {
  Box box;
  box.boot();
  for (int i = 0; i < 60; ++i) {
    box.run(seconds(10));
    (void)box.session->qr();
  }
  EXPECT_GE(box.server.lines.size(), 3U);
  EXPECT_LE(box.server.lines.size(), 5U);
  EXPECT_EQ(box.server.lines.front()->payload.devicepairingdata().eident(),
            box.server.line().payload.devicepairingdata().eident());
}

TEST(Linking, RestsAfterFiveRoundsThatNobodyUsed) {
  Box box;
  box.boot();
  for (int i = 0; i < 130; ++i) {  // a page left open
    box.run(seconds(10));
    (void)box.session->qr();
  }
  EXPECT_EQ(box.server.lines.size(), 5U);
  EXPECT_EQ(box.state(), State::logged_out);
  EXPECT_NE(box.session->state().what_to_do.find("posthornctl pair"), std::string::npos);
  box.session->reconnect();
  box.run(seconds(1));
  EXPECT_TRUE(box.session->qr().has_value());
}

TEST(Linking, IsRefusedByAServerThatWantsANewerVersion) {
  Box box;
  box.server.on_open = [](FakeServer::Line& line) {
    line.send(wire::Node("failure", {{"reason", "405"}}));
    line.close();
  };
  box.boot();
  box.run(seconds(5));
  EXPECT_EQ(box.state(), State::paused);
  const std::size_t lines = box.server.lines.size();
  box.boot();  // the same firmware knocks no more than it did
  box.run(minutes(10));
  EXPECT_EQ(box.server.lines.size(), lines);
  EXPECT_EQ(box.session->state().cause, "client_too_old");
}

TEST(Linking, AsksNothingOnAConnectionWithoutAnAccount) {
  Box box;
  box.boot();
  box.run();
  std::optional<Errc> error;
  box.ask([&](auto result) { error = result ? std::optional<Errc>() : result.error().code; });
  box.run();
  EXPECT_EQ(error, Errc::disconnected);
  EXPECT_TRUE(box.server.line().all("iq", "usync").empty());
}

TEST(Linking, RendersTheSameRefWithANewSecretWhenTheServerRetiresIt) {
  Box box;
  box.boot();
  box.run();
  const std::string before = *box.session->qr();
  wire::Node retire("notification",
                    {{"type", "companion_reg_refresh"}, {"from", "s.whatsapp.net"}, {"id", "n1"}},
                    std::vector{wire::Node("pair-device-rotate-qr")});
  box.server_says(retire);
  const std::string after = *box.session->qr();
  EXPECT_NE(before, after);
  EXPECT_EQ(before.substr(0, before.find(',')), after.substr(0, after.find(',')));
  const auto acks = box.server.line().all("ack");
  ASSERT_EQ(acks.size(), 1U);
  EXPECT_EQ(acks[0].text_attr("class"), "notification");
  EXPECT_EQ(acks[0].text_attr("type"), "companion_reg_refresh");
  box.server.scan(after);
  box.run(seconds(8));
  EXPECT_EQ(box.state(), State::online);
}

}  // namespace
}  // namespace posthorn::session
