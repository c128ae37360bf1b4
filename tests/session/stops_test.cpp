#include <gtest/gtest.h>

#include "box.h"
#include "posthorn/wire/names.h"

// What <failure> and <stream:error> do to a linked box: state, event, and when it knocks again.
namespace posthorn::session {
namespace {

using core_test::Box;
using core_test::FakeServer;
using Kind = Restriction::Kind;

/// From now on every login is refused with this.
void refuse_logins(Box& box, wire::Node failure) {
  box.server.on_open = [failure](FakeServer::Line& line) {
    line.send(failure);
    line.close();
  };
}

wire::Node failure(int reason) {
  return wire::Node("failure", {{"reason", std::to_string(reason)}});
}

/// The box loses its line and comes back to a server that refuses it.
void come_back_refused(Box& box, wire::Node stanza) {
  refuse_logins(box, std::move(stanza));
  box.dialer.cut();
  box.run(seconds(5));
}

struct Row {
  int reason;
  State state;
  bool keeps_link;
  hours next_attempt;  ///< 0: never by itself
};

class Refused : public testing::TestWithParam<Row> {};

TEST_P(Refused, LeadsToStateEventAndNextAttempt) {
  const Row row = GetParam();
  Box box;
  box.link();
  const std::size_t before = box.server.lines.size();
  come_back_refused(box, failure(row.reason));
  EXPECT_EQ(box.server.lines.size(), before + 1);
  EXPECT_EQ(box.state(), row.state);
  EXPECT_EQ(box.session->state().code, row.reason);
  EXPECT_FALSE(box.session->state().what_to_do.empty());
  EXPECT_EQ(box.session->account().phone.empty(), !row.keeps_link);
  const auto attempts = [&] { return box.server.lines.size() - before - 1; };
  if (row.next_attempt == hours(0)) {
    box.run(hours(100));
    EXPECT_EQ(attempts(), 0U);
    return;
  }
  box.run(row.next_attempt - minutes(1));
  EXPECT_EQ(attempts(), 0U);
  box.run(minutes(2));
  EXPECT_EQ(attempts(), 1U);
}

INSTANTIATE_TEST_SUITE_P(
    EveryReason, Refused,
    testing::Values(
        Row{400, State::paused, true, hours(1)}, Row{401, State::logged_out, false, hours(0)},
        Row{402, State::blocked, true, hours(25)},  // no duration given: a day
        Row{403, State::blocked, true, hours(0)}, Row{405, State::paused, true, hours(1)},
        Row{406, State::blocked, true, hours(0)}, Row{409, State::paused, true, hours(24)},
        Row{411, State::paused, true, hours(1)}, Row{413, State::paused, true, hours(1)},
        Row{414, State::paused, true, hours(1)}, Row{415, State::paused, true, hours(1)},
        Row{418, State::paused, true, hours(1)}, Row{419, State::paused, true, hours(1)},
        Row{501, State::paused, true, hours(1)}),
    [](const auto& row) { return "reason" + std::to_string(row.param.reason); });

TEST(Stops, BackOffAfterServerTrouble) {
  for (const int reason : {500, 503}) {
    Box box;
    box.link();
    come_back_refused(box, failure(reason));
    EXPECT_EQ(box.state(), State::backing_off);
    box.server.on_open = nullptr;
    box.run(seconds(30));
    EXPECT_EQ(box.state(), State::online) << reason;
  }
}

TEST(Stops, WaitOutATemporaryBanAlsoAcrossARestart) {
  Box box;
  box.link();
  wire::Node ban = failure(402);
  ban.set_attr("code", "104");
  ban.set_attr("expire", "7200");
  come_back_refused(box, ban);
  EXPECT_EQ(box.state(), State::blocked);
  const StateChanged detail = box.session->state();
  ASSERT_TRUE(detail.until.has_value());
  EXPECT_NE(detail.what_to_do.find("the same message to too many people"), std::string::npos);
  const auto bans = box.restrictions(Kind::temporary_ban);
  ASSERT_EQ(bans.size(), 1U);
  EXPECT_EQ(bans[0].code, 104);
  EXPECT_EQ(bans[0].until, detail.until);
  EXPECT_NE(bans[0].raw.find("expire"), std::string::npos);

  const std::size_t lines = box.server.lines.size();
  box.run(hours(1));
  box.session->reconnect();  // an impatient operator changes nothing
  box.run(minutes(5));
  EXPECT_EQ(box.server.lines.size(), lines);
  box.boot();
  box.run(minutes(5));
  EXPECT_EQ(box.state(), State::blocked);
  EXPECT_EQ(box.session->state().cause, "temporary_ban");
  EXPECT_EQ(box.server.lines.size(), lines);

  box.server.on_open = nullptr;
  box.run(hours(4));
  EXPECT_EQ(box.server.lines.size(), lines + 1);
  EXPECT_EQ(box.state(), State::online);
}

TEST(Stops, AskOnceMoreAfterAnHourAndThenOnceADay) {
  Box box;
  box.link();
  come_back_refused(box, failure(405));
  const std::size_t lines = box.server.lines.size();
  box.run(hours(2));
  EXPECT_EQ(box.server.lines.size(), lines + 1);
  box.run(hours(50));
  EXPECT_EQ(box.server.lines.size(), lines + 3);
  EXPECT_EQ(box.state(), State::paused);

  // The new firmware brings another version: that one may try at once.
  box.server.on_open = nullptr;
  box.config.version = {2, 3000, 1'099'999'999};
  box.boot();
  box.run(seconds(2));
  EXPECT_EQ(box.state(), State::online);
}

TEST(Stops, DeleteCredentialsOnlyAfterASecondUnclearRefusal) {
  Box box;
  box.link();
  come_back_refused(box, failure(419));
  EXPECT_FALSE(box.session->account().phone.empty());
  box.run(hours(2));
  EXPECT_TRUE(box.session->account().phone.empty());
  EXPECT_EQ(box.state(), State::logged_out);
}

TEST(Stops, ComeBackByThemselvesWhenNobodyElseUsesTheLinkAnyMore) {
  const auto replaced =
      FakeServer::stream_error("", wire::Node("conflict", {{"type", "replaced"}}));
  Box box;
  box.link();
  box.server_says(replaced);
  EXPECT_EQ(box.state(), State::replaced);
  EXPECT_EQ(box.restrictions(Kind::replaced).size(), 1U);
  EXPECT_TRUE(box.session->state().until.has_value());
  EXPECT_FALSE(box.session->state().what_to_do.empty());
  const std::size_t lines = box.server.lines.size();
  box.run(minutes(4));
  EXPECT_EQ(box.server.lines.size(), lines);
  box.run(minutes(2));
  EXPECT_EQ(box.state(), State::online);

  // A second program that comes back each time is not fought with: the waits grow.
  box.server_says(replaced);
  box.run(minutes(14));
  EXPECT_EQ(box.state(), State::replaced);
  box.run(minutes(2));
  EXPECT_EQ(box.state(), State::online);
  for (int i = 0; i < 3; ++i) {
    box.server_says(replaced);
    box.run(minutes(59));
    EXPECT_EQ(box.state(), State::replaced);
    box.run(minutes(2));
    EXPECT_EQ(box.state(), State::online);
  }
}

TEST(Stops, AreOverForALinkThatWasUsedElsewhereWhenAPersonSaysSo) {
  const auto replaced = FakeServer::stream_error("409");
  Box box;
  box.link();
  box.server_says(replaced);
  box.session->reconnect();
  box.run(seconds(5));
  EXPECT_EQ(box.state(), State::online);

  box.server_says(replaced);
  box.pull_the_plug();
  box.boot();
  box.run(seconds(5));
  EXPECT_EQ(box.state(), State::online) << "the plug was pulled and put back";
}

TEST(Stops, ForgetTheAccountWhenThePhoneUnlinks) {
  Box box;
  box.link();
  const std::string identity = box.server.lines.front()->payload.devicepairingdata().eident();
  box.server_says(
      FakeServer::stream_error("401", wire::Node("conflict", {{"type", "device_removed"}})));
  EXPECT_EQ(box.state(), State::logged_out);
  EXPECT_TRUE(box.session->account().phone.empty());
  EXPECT_EQ(box.restrictions(Kind::unlinked).size(), 1U);
  const std::size_t lines = box.server.lines.size();
  box.boot();
  box.run(hours(1));
  EXPECT_EQ(box.server.lines.size(), lines);
  EXPECT_EQ(box.state(), State::logged_out);

  (void)box.session->qr();
  box.run(seconds(1));
  ASSERT_TRUE(box.session->qr().has_value());
  EXPECT_TRUE(box.server.line().registering());
  EXPECT_NE(box.server.line().payload.devicepairingdata().eident(), identity);
  box.server.scan(*box.session->qr());
  box.run(seconds(8));
  EXPECT_EQ(box.state(), State::online);
}

TEST(Stops, RestartAtOnceOn515WithoutAWord) {
  Box box;
  box.link();
  box.server_says(FakeServer::stream_error("515"));
  box.run(seconds(1));
  EXPECT_EQ(box.state(), State::online);
  EXPECT_TRUE(box.restrictions().empty());
}

TEST(Stops, BackOffWhenRestartsNeverEnd) {
  Box box;
  box.link();
  box.server.on_open = [](FakeServer::Line& line) {
    line.send(FakeServer::stream_error("515"));
    line.close();
  };
  const std::size_t lines = box.server.lines.size();
  box.dialer.cut();
  box.run(minutes(1));
  EXPECT_LE(box.server.lines.size() - lines, 12U);
  EXPECT_GE(box.server.lines.size() - lines, 5U);
}

TEST(Stops, GoFiveStepsFurtherWhenTooFast) {
  Box box;
  box.link();
  box.server_says(FakeServer::stream_error("429"));
  ASSERT_EQ(box.restrictions(Kind::rate_stream).size(), 1U);
  const std::size_t lines = box.server.lines.size();
  box.run(seconds(6));
  EXPECT_EQ(box.server.lines.size(), lines);
  box.run(seconds(4));
  EXPECT_EQ(box.server.lines.size(), lines + 1);
}

TEST(Stops, AckAfterReconnectWhatTheServerMisses) {
  Box box;
  box.link();
  wire::Node missed("ack", {{"class", "notification"},
                            {"id", "N77"},
                            {"from", wire::Jid{"4915550009", "s.whatsapp.net", 0}}});
  box.server_says(FakeServer::stream_error("500", missed));
  EXPECT_EQ(box.state(), State::backing_off);
  box.run(seconds(10));
  EXPECT_EQ(box.state(), State::online);
  const auto acks = box.server.line().all("ack");
  ASSERT_EQ(acks.size(), 1U);
  EXPECT_EQ(acks[0].text_attr("id"), "N77");
  EXPECT_EQ(acks[0].text_attr("to"), "4915550009@s.whatsapp.net");
}

TEST(Stops, KeepTheLastTenRefusalsVerbatim) {
  Box box;
  box.link();
  for (int i = 0; i < 12; ++i) {
    wire::Node stanza = failure(503);
    stanza.set_attr("message", "round " + std::to_string(i));
    refuse_logins(box, stanza);
    if (i == 0) box.dialer.cut();
    const std::size_t lines = box.server.lines.size();
    for (int s = 0; s < 2000 && box.server.lines.size() == lines; ++s) box.run(seconds(1));
  }
  box.run();
  const auto kept = box.store->load("session.refusals");
  ASSERT_TRUE(kept.has_value() && kept->has_value());
  const std::string text(as_text(**kept));
  EXPECT_EQ(text.find("round 1\\\""), std::string::npos);
  EXPECT_NE(text.find("round 2\\\""), std::string::npos);
  EXPECT_NE(text.find("round 11\\\""), std::string::npos);
}

TEST(Stops, AreForgottenWhenAPersonReconnects) {
  Box box;
  box.link();
  box.server_says(FakeServer::stream_error("429"));
  box.session->reconnect();
  box.run(seconds(1));
  ASSERT_EQ(box.state(), State::online);
  box.dialer.cut();
  box.run(seconds(3));
  EXPECT_EQ(box.state(), State::online);
}

TEST(Stops, GoOnComingBackWhenEveryLoginIsHungUpOn) {
  Box box;
  box.link();
  box.server.on_open = [](FakeServer::Line& line) { line.close(); };
  box.dialer.cut();
  box.run(minutes(2));
  EXPECT_EQ(box.state(), State::backing_off);
  ASSERT_EQ(box.restrictions(Kind::abrupt_closes).size(), 1U);
  EXPECT_TRUE(box.restrictions(Kind::abrupt_closes)[0].until.has_value());
  box.server.on_open = nullptr;
  box.run(minutes(2));
  EXPECT_EQ(box.state(), State::online);
}

TEST(Stops, TakeAnOrderlyEndOfTheStreamForWhatItIs) {
  Box box;
  box.link();
  bool logged_in = false;
  box.server.on_open = [&](FakeServer::Line& line) {
    if (logged_in) line.send(box.server.success());
    line.send(wire::Node("xmlstreamend"));
  };
  for (const bool in : {false, true}) {
    logged_in = in;
    const std::size_t lines = box.server.lines.size();
    box.session->reconnect();
    box.run(minutes(2));
    EXPECT_GE(box.server.lines.size() - lines, 3U);
  }
  EXPECT_TRUE(box.restrictions(Kind::abrupt_closes).empty());
  box.server.on_open = nullptr;
  box.run(minutes(10));
  EXPECT_EQ(box.state(), State::online);
}

TEST(Stops, ReportClosesRightAfterSuccess) {
  Box box;
  box.link();
  box.server.on_open = [&](FakeServer::Line& line) {
    line.send(box.server.success());
    line.close();
  };
  box.dialer.cut();
  box.run(seconds(8));
  EXPECT_EQ(box.restrictions(Kind::abrupt_closes).size(), 1U);
  EXPECT_GE(box.restrictions(Kind::connection_lost).size(), 3U);
}

TEST(LogOut, RemovesTheDeviceAndForgetsTheKeys) {
  Box box;
  box.link();
  std::optional<bool> done;
  box.session->log_out([&](Result<void> r) { done = r.has_value(); });
  box.run();
  ASSERT_TRUE(done.has_value());
  EXPECT_TRUE(*done);
  const auto removals = box.server.lines.back()->all("iq", "remove-companion-device");
  ASSERT_EQ(removals.size(), 1U);
  EXPECT_EQ(removals[0].child("remove-companion-device")->text_attr("jid"),
            "4915550001234:7@s.whatsapp.net");
  EXPECT_EQ(box.state(), State::logged_out);
  EXPECT_TRUE(box.session->account().phone.empty());
  EXPECT_TRUE(box.restrictions(Kind::unlinked).empty());  // nobody took the link away from us
}

TEST(LogOut, WorksWithoutTheServersHelp) {
  Box box;
  box.link();
  box.server.on_stanza = [](FakeServer::Line& line, const wire::Node& stanza) {
    if (stanza.child("remove-companion-device") == nullptr) return false;
    // The server ends the stream before it answers.
    line.send(
        FakeServer::stream_error("401", wire::Node("conflict", {{"type", "device_removed"}})));
    return true;
  };
  std::optional<bool> done;
  box.session->log_out([&](Result<void> r) { done = r.has_value(); });
  box.run();
  EXPECT_EQ(done, true);
  EXPECT_EQ(box.session->state().cause, "logged_out_here");
  EXPECT_TRUE(box.restrictions(Kind::unlinked).empty());
  box.session->log_out([&](Result<void> r) { done = r.has_value(); });
  EXPECT_EQ(done, false);
}

}  // namespace
}  // namespace posthorn::session
