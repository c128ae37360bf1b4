#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "box.h"
#include "posthorn/wire/names.h"
#include "session/prekeys.h"
#include "session/stanzas.h"

// From <success> to online, and staying there. Protocol chapter 04, conformance list in section 11.
namespace posthorn::session {
namespace {

using core_test::Box;
using core_test::FakeServer;
using Kind = Restriction::Kind;

wire::Node notification(const char* type, const char* id, std::vector<wire::Node> children = {}) {
  wire::Node out("notification", {{"type", type}, {"from", server_jid()}, {"id", id}});
  if (!children.empty()) out.content = std::move(children);
  return out;
}

std::size_t position(const FakeServer::Line& line, std::string_view child) {
  const auto at = std::ranges::find_if(
      line.received, [&](const wire::Node& node) { return node.child(child) != nullptr; });
  return static_cast<std::size_t>(at - line.received.begin());
}

TEST(Login, ChecksPrekeysThenBecomesActive) {
  Box box;
  box.link();
  const FakeServer::Line& line = box.server.line();
  const auto uploads = line.all("iq", "list");
  ASSERT_EQ(uploads.size(), 1U);
  EXPECT_EQ(uploads[0].child("list")->children().size(), PreKeyKeeper::kFirstBatch);
  EXPECT_EQ(uploads[0].child("registration")->bytes().size(), 4U);
  EXPECT_EQ(uploads[0].child("type")->bytes().size(), 1U);
  EXPECT_EQ(uploads[0].child("skey")->child("signature")->bytes().size(), 64U);
  EXPECT_LT(position(line, "list"), position(line, "active"));
  EXPECT_LT(position(line, "active"), position(line, "unified_session"));
}

TEST(Login, CountsAndResumesTheNextTime) {
  Box box;
  box.link();
  box.boot();
  box.run(seconds(5));
  EXPECT_EQ(box.state(), State::online);
  const FakeServer::Line& line = box.server.line();
  EXPECT_EQ(line.payload.lc(), 1);
  EXPECT_TRUE(line.resumed());
  EXPECT_EQ(line.all("iq", "count").size(), 1U);
  EXPECT_TRUE(line.all("iq", "list").empty());
}

TEST(Login, IsNotWaitedForWithoutEnd) {
  Box box;
  box.link();
  box.server.on_open = [](FakeServer::Line& line) {
    line.send(FakeServer::ib(wire::Node("edge_routing")));
  };
  box.dialer.cut();
  box.run(seconds(20));
  const std::size_t lines = box.server.lines.size();
  box.server.on_open = nullptr;
  box.run(seconds(15));
  EXPECT_EQ(box.server.lines.size(), lines + 1);
  EXPECT_EQ(box.state(), State::online);
}

TEST(Login, FallsBackToTheFullHandshakeWhenTheServersKeyIsNew) {
  Box box;
  box.link();
  box.server.allow_resume = false;
  box.dialer.cut();
  box.run(seconds(3));
  EXPECT_EQ(box.state(), State::online);
  EXPECT_FALSE(box.server.line().resumed());
}

TEST(Login, TakesTheServersTimeOnABoardThatBootsInThePast) {
  Box box;
  box.scheduler.wall_at_start = Wall::from_unix(1000, false);  // no battery, no network time
  box.link();
  EXPECT_TRUE(box.clock->now().trusted);
  EXPECT_NEAR(static_cast<double>(box.clock->now().unix_seconds()),
              static_cast<double>(box.server.time), 10);
}

TEST(Login, TakesARepeatedSuccessForClockAndNamesOnly) {
  Box box;
  box.link();
  const std::size_t received = box.server.line().received.size();
  wire::Node again = box.server.success();
  again.set_attr("display_name", std::string("Bakery & Sons"));
  box.server_says(again);
  EXPECT_EQ(box.state(), State::online);
  EXPECT_EQ(box.session->account().push_name, "Bakery & Sons");
  EXPECT_EQ(box.server.line().received.size(), received);
  box.boot();
  box.run(seconds(1));
  EXPECT_EQ(box.server.line().payload.lc(), 1);
}

TEST(Login, RefusesEveryFlawedCertificate) {
  for (const wire::ChainFlaw flaw : wire::kAllChainFlaws) {
    // Before the clock is right the window cannot be checked: those two are caught at <success>.
    Box box;
    box.server.flaw = flaw;
    box.boot();
    box.run(seconds(1));
    const bool window = flaw == wire::ChainFlaw::expired ||
                        flaw == wire::ChainFlaw::not_yet_valid ||
                        flaw == wire::ChainFlaw::without_window;
    EXPECT_EQ(box.session->qr().has_value(), window) << wire::to_string(flaw);
    if (window) continue;
    EXPECT_EQ(box.session->state().cause, "certificate") << wire::to_string(flaw);
    EXPECT_FALSE(box.session->state().what_to_do.empty());
  }
}

TEST(Login, RefusesAnExpiredCertificateOnceTheTimeIsKnown) {
  Box box;
  box.link();
  box.server.allow_resume = false;
  box.server.flaw = wire::ChainFlaw::expired;
  box.boot();
  box.run(seconds(3));
  EXPECT_NE(box.state(), State::online);
}

// Backlog
// -----------------------------------------------------------------------------------------------

wire::Node preview(int count) {
  return FakeServer::ib(wire::Node("offline_preview", {{"count", std::to_string(count)}}));
}

wire::Node backlog_stanza(int i) {
  wire::Node out = notification("psa", ("off" + std::to_string(i)).c_str());
  out.set_attr("offline", std::to_string(i));
  return out;
}

/// Sends `count` stanzas, `batch` for each request, as the real server does.
void serve_backlog(Box& box, int announced, int delivered, bool end_marker) {
  auto next = std::make_shared<int>(0);
  const auto deliver = [=](FakeServer::Line& line, int upto) {
    for (; *next < std::min(upto, delivered); ++*next) line.send(backlog_stanza(*next));
    if (*next == announced && end_marker) {
      line.send(FakeServer::ib(wire::Node("offline", {{"count", std::to_string(announced)}})));
      ++*next;
    }
  };
  box.server.on_open = [&box, announced, deliver](FakeServer::Line& line) {
    line.send(box.server.success());
    line.send(preview(announced));
    deliver(line, 5);
  };
  box.server.on_stanza = [next, deliver](FakeServer::Line& line, const wire::Node& stanza) {
    const wire::Node* batch = stanza.child("offline_batch");
    if (batch == nullptr) return false;
    deliver(line, *next + static_cast<int>(batch->int_attr("count").value_or(0)));
    return true;
  };
}

TEST(Backlog, IsAskedForInThreeBatchesAndAckedOnce) {
  Box box;
  box.link();
  serve_backlog(box, 450, 450, true);
  box.dialer.cut();
  box.run(seconds(4));
  EXPECT_EQ(box.state(), State::online);
  const FakeServer::Line& line = box.server.line();
  EXPECT_EQ(line.all("ib", "offline_batch").size(), 3U);
  EXPECT_EQ(line.all("ack").size(), 450U);
}

TEST(Backlog, KeepsTheBoxFromSendingUntilItIsThrough) {
  Box box;
  box.link();
  serve_backlog(box, 450, 300, false);
  box.dialer.cut();
  box.run(seconds(10));
  EXPECT_EQ(box.state(), State::syncing);
}

TEST(Backlog, GivesUpAfterAMinuteOfSilenceAndFetchesTheRestAnew) {
  Box box;
  box.link();
  serve_backlog(box, 450, 300, false);
  box.dialer.cut();
  box.run(seconds(50));
  EXPECT_EQ(box.state(), State::syncing);
  box.run(seconds(20));
  EXPECT_EQ(box.state(), State::online);
  // The rest stays on the server until the next connection, so there is one soon, but only one.
  const std::size_t lines = box.server.lines.size();
  box.run(minutes(4));
  EXPECT_EQ(box.server.lines.size(), lines + 1);
  box.run(minutes(20));
  EXPECT_EQ(box.server.lines.size(), lines + 1);
}

TEST(Backlog, NeedsNoPreview) {
  Box box;
  box.link();
  box.server.on_open = [&](FakeServer::Line& line) { line.send(box.server.success()); };
  box.dialer.cut();
  box.run(seconds(8));
  EXPECT_EQ(box.state(), State::syncing);
  box.run(seconds(6));
  EXPECT_EQ(box.state(), State::online);
}

// Dead, deaf and alive
// --------------------------------------------------------------------------------

TEST(Keepalive, FindsAHalfOpenConnection) {
  Box box;
  box.link();
  box.run(minutes(10));
  ASSERT_EQ(box.state(), State::online);
  const std::size_t lines = box.server.lines.size();
  box.server.line().fall_silent();
  box.run(seconds(51));  // 30 s at most until the ping, 20 s for an answer
  EXPECT_EQ(box.restrictions(Kind::connection_lost).size(), 1U);
  box.run(seconds(5));
  EXPECT_EQ(box.server.lines.size(), lines + 1);
  EXPECT_EQ(box.state(), State::online);
}

TEST(Keepalive, PingsOnlyAQuietConnection) {
  Box box;
  box.link();
  const auto pings = [&] {
    return std::ranges::count_if(box.server.line().received, [](const wire::Node& node) {
      return node.text_attr("xmlns") == "w:p";
    });
  };
  const auto before = pings();
  box.run(minutes(10));
  const auto quiet = pings() - before;
  EXPECT_GE(quiet, 20);
  EXPECT_LE(quiet, 41);
  const auto then = pings();
  for (int i = 0; i < 60; ++i) {
    box.server.send(notification("psa", ("n" + std::to_string(i)).c_str()));
    box.run(seconds(10));
  }
  EXPECT_EQ(pings(), then);
}

TEST(Keepalive, LeavesAConnectionThatAnswersPingsButNotMessages) {
  Box box;
  box.link();
  box.server.on_stanza = [](FakeServer::Line&, const wire::Node& stanza) {
    return stanza.tag == "iq" && stanza.text_attr("xmlns") != "w:p";  // deaf to every question
  };
  const std::size_t lines = box.server.lines.size();
  for (int i = 0; i < 3; ++i) {
    box.ask([](auto) {});
    box.run(seconds(61));
  }
  box.run(seconds(5));  // to come back
  EXPECT_GT(box.server.lines.size(), lines);
}

TEST(Reconnect, StartsOverOnlyAfterHalfAStableMinute) {
  Box box;
  box.link();
  const auto gap = [&] {
    box.dialer.cut();
    box.run();
    const std::size_t lines = box.server.lines.size();
    const Mono from = box.scheduler.now();
    while (box.server.lines.size() == lines) box.run(milliseconds(50));
    return box.scheduler.now() - from;
  };
  std::vector<milliseconds> gaps;
  for (int i = 0; i < 7; ++i) {
    gaps.push_back(gap());
    box.run(seconds(12));  // too short to count as stable
  }
  EXPECT_LE(gaps[0], milliseconds(1200));
  EXPECT_GE(gaps[6], milliseconds(11'000));  // 1 1 2 3 5 8 13
  EXPECT_LE(gaps[6], milliseconds(15'000));
  box.run(seconds(40));
  EXPECT_LE(gap(), milliseconds(1200));
}

TEST(Reconnect, IsBackWithinAMinuteAfterALongOutageOfTheShopsNetwork) {
  Box box;
  box.link();
  box.dialer.refuse = true;
  box.dialer.cut();
  const std::size_t before = box.dialer.dialled;
  box.run(hours(10));
  EXPECT_EQ(box.state(), State::backing_off);
  const std::size_t tries = box.dialer.dialled - before;
  EXPECT_GE(tries, 500U);
  EXPECT_LE(tries, 700U);
  box.dialer.refuse = false;
  box.run(seconds(70));
  EXPECT_EQ(box.state(), State::online);
}

TEST(Reconnect, LeavesATroubledServerInPeace) {
  Box box;
  box.link();
  box.server.on_open = [](FakeServer::Line& line) {
    line.send(wire::Node("failure", {{"reason", "503"}}));
    line.close();
  };
  const std::size_t before = box.dialer.dialled;
  box.dialer.cut();
  box.run(hours(10));
  const std::size_t tries = box.dialer.dialled - before;
  EXPECT_GE(tries, 40U);  // never more than 16 min 30 s apart
  EXPECT_LE(tries, 70U);
}

TEST(Reconnect, UsesEdgeRoutingOnlyTowardsWhatsAppItself) {
  Box box;
  box.link();
  box.server_says(FakeServer::ib(wire::Node(
      "edge_routing", {}, std::vector{wire::Node("routing_info", {}, to_bytes("route"))})));
  box.dialer.cut();
  box.run(seconds(3));
  EXPECT_EQ(box.state(), State::online);
  EXPECT_TRUE(box.server.line().routing_info().empty());
}

// Acks and questions
// ------------------------------------------------------------------------------------

TEST(Acks, GoOutOncePerNotificationAlsoForADuplicate) {
  Box box;
  box.link();
  box.server.send(notification("devices", "n1"));
  box.server.send(notification("something_new", "n2"));
  box.server.send(notification("something_new", "n2"));
  box.server.send(notification("w:gp2", "n3"));
  box.run(seconds(10));
  std::vector<std::string> ids;
  for (const auto& ack : box.server.line().all("ack")) {
    EXPECT_EQ(ack.text_attr("class"), "notification");
    ids.push_back(ack.text_attr("id"));
  }
  std::ranges::sort(ids);
  EXPECT_EQ(ids, (std::vector<std::string>{"n1", "n2", "n2", "n3"}));
}

TEST(Acks, AnswerCallsAndPings) {
  Box box;
  box.link();
  const wire::Jid caller{"49155", "s.whatsapp.net", 3};
  box.server.send(
      wire::Node("call", {{"from", caller}, {"id", "c1"}},
                 std::vector{wire::Node("offer", {{"call-id", "X"}, {"call-creator", caller}})}));
  box.server.send(wire::Node("call", {{"from", caller}, {"id", "c2"}},
                             std::vector{wire::Node("relaylatency")}));
  box.server.send(wire::Node("iq", {{"type", "get"}, {"xmlns", "urn:xmpp:ping"}, {"id", "p1"}}));
  box.run();
  const auto receipts = box.server.line().all("receipt", "offer");
  ASSERT_EQ(receipts.size(), 1U);
  EXPECT_EQ(receipts[0].child("offer")->text_attr("call-id"), "X");
  EXPECT_EQ(receipts[0].text_attr("to"), "49155:3@s.whatsapp.net");
  const auto acks = box.server.line().all("ack");
  ASSERT_EQ(acks.size(), 1U);
  EXPECT_EQ(acks[0].text_attr("type"), "relaylatency");
  const auto iqs = box.server.line().all("iq");
  EXPECT_TRUE(std::ranges::any_of(iqs, [](const wire::Node& iq) {
    return iq.text_attr("id") == "p1" && iq.text_attr("type") == "result";
  }));
}

TEST(Flood, IsHeldBackAndAckedOnce) {
  Box box;
  box.link();
  constexpr int kMany = 5000;
  for (int i = 0; i < kMany; ++i) {
    box.server.send(wire::Node("receipt", {{"from", wire::Jid{"4915551", "s.whatsapp.net", 0}},
                                           {"id", "R" + std::to_string(i)},
                                           {"t", "1790000000"}}));
  }
  box.run(minutes(2));
  EXPECT_EQ(box.state(), State::online);
  EXPECT_EQ(box.server.lines.size(), 2U);
  std::set<std::string> ids;
  for (const auto& ack : box.server.line().all("ack")) ids.insert(ack.text_attr("id"));
  EXPECT_EQ(ids.size(), std::size_t{kMany});
  EXPECT_EQ(box.server.line().all("ack").size(), std::size_t{kMany});
  EXPECT_LT(box.listener->most_unfinished, 1000U);  // the rest waits outside of our memory
}

TEST(Stanzas, OfUnknownKindsAreTolerated) {
  Box box;
  box.link();
  box.server.send(wire::Node("weather"));
  box.server.send(wire::Node("message"));
  box.server.send(wire::Node("receipt"));
  box.server.send(wire::Node("notification"));
  box.server.send(wire::Node("ack"));
  box.server.send(wire::Node("call"));
  box.server.send(
      wire::Node("ib", {}, std::vector{wire::Node("offline_preview"), wire::Node("?")}));
  box.server.send(wire::Node("iq", {{"type", "result"}, {"id", "never asked"}}));
  box.server.send(wire::Node("iq", {{"type", "set"}, {"xmlns", "unheard-of"}, {"id", "7"}}));
  box.server.send(wire::Node("error", {{"code", "479"}}));
  box.server.send(wire::Node("chatstate"));
  box.server.send(wire::Node("presence"));
  box.run(seconds(30));
  EXPECT_EQ(box.state(), State::online);
  EXPECT_EQ(box.server.lines.size(), 2U);
}

/// What could not be stored is rolled back: its ack must not go along with what was queued before.
TEST(Stanzas, ThatCouldNotBeStoredAreNotAcknowledged) {
  Box box;
  box.link();
  box.listener->holds_news = true;
  box.server_says(notification("account_sync", "n1"));
  ASSERT_EQ(box.listener->held.size(), 1U);
  const FakeServer::Line& line = box.server.line();
  box.session->write(wire::Node("presence"));
  box.session->drop({Errc::io, "the disk does not take it"});
  box.listener->held[0]();
  box.run();
  EXPECT_EQ(line.all("presence").size(), 1U);
  EXPECT_TRUE(line.all("ack").empty());
}

TEST(Stanzas, ThatAreNotReadAreAcknowledgedAllTheSame) {
  Box box;
  box.link();
  for (const char* tag : {"status", "appdata"}) {
    box.server.send(wire::Node(tag, {{"id", std::string("id-of-") + tag},
                                     {"from", wire::Jid{"", "s.whatsapp.net", 0}},
                                     {"offline", "0"}}));
    box.run();
    const auto acks = box.server.line().all("ack");
    ASSERT_FALSE(acks.empty());
    EXPECT_EQ(acks.back().text_attr("class"), tag);
    EXPECT_EQ(acks.back().text_attr("id"), std::string("id-of-") + tag);
    EXPECT_FALSE(acks.back().has_attr("error"));
  }
  const std::size_t acks = box.server.line().all("ack").size();
  box.server.send(wire::Node("status"));  // without an id there is nothing to acknowledge
  box.run();
  EXPECT_EQ(box.server.line().all("ack").size(), acks);
}

TEST(Dirty, IsCleanedAfterItWasDealtWith) {
  Box box;
  box.link();
  box.server_says(
      FakeServer::ib(wire::Node("dirty", {{"type", "groups"}, {"timestamp", "1790000000"}})));
  box.server_says(
      FakeServer::ib(wire::Node("dirty", {{"type", "account_sync"}, {"timestamp", "1790000001"}})));
  box.run(seconds(5));
  const auto cleans = box.server.line().all("iq", "clean");
  ASSERT_EQ(cleans.size(), 2U);
  EXPECT_EQ(cleans[0].child("clean")->text_attr("type"), "groups");
  EXPECT_EQ(cleans[1].child("clean")->text_attr("timestamp"), "1790000001");
}

// Prekeys
// --------------------------------------------------------------------------------------------------

TEST(Properties, TellWhetherTheAccountIsMovedToLids) {
  Box box;
  std::vector<std::string> hashes;
  std::string value = "0";
  box.server.on_stanza = [&](FakeServer::Line& line, const wire::Node& stanza) {
    const wire::Node* asked = stanza.child("props");
    if (asked == nullptr) return false;
    hashes.push_back(asked->text_attr("hash"));
    wire::Node props("props", {{"hash", "h" + value}});
    if (hashes.back() != "h" + value)
      props.content =
          std::vector{wire::Node("prop", {{"config_code", "9435"}, {"config_value", value}})};
    wire::Node answer = build_iq_result(stanza);
    answer.content = std::vector{std::move(props)};
    line.send(answer);
    return true;
  };
  box.link();
  box.run(seconds(10));
  EXPECT_EQ(box.session->identity().lid_migrated, false);
  box.pull_the_plug();
  box.boot();
  box.run(seconds(10));
  EXPECT_EQ(box.session->identity().lid_migrated, false) << "remembered, and not said again";
  value = "1";
  box.run(hours(25));
  EXPECT_EQ(box.session->identity().lid_migrated, true) << "asked again each day";
  ASSERT_GE(hashes.size(), 3U);
  EXPECT_EQ(hashes[0], "");
  EXPECT_EQ(hashes[1], "h0");
}

TEST(Prekeys, AreRefilledOnceWhenTheServerRunsLow) {
  Box box;
  box.link();
  box.run(minutes(1));
  const std::size_t before = box.server.line().all("iq", "list").size();
  const wire::Node low = notification("encrypt", "e1", {wire::Node("count", {{"value", "3"}})});
  box.server.send(low);
  box.server.send(low);
  box.run(seconds(10));
  const auto uploads = box.server.line().all("iq", "list");
  ASSERT_EQ(uploads.size(), before + 1);
  EXPECT_EQ(uploads.back().child("list")->children().size(), PreKeyKeeper::kBatch);
  EXPECT_EQ(box.server.line().all("ack").size(), 2U);
  // Ids go on where the last upload ended.
  const auto last_id = [](const wire::Node& upload) {
    return hex_encode(upload.child("list")->children().back().child("id")->bytes());
  };
  const auto first_id = [](const wire::Node& upload) {
    return hex_encode(upload.child("list")->children().front().child("id")->bytes());
  };
  EXPECT_GT(first_id(uploads.back()), last_id(uploads[before - 1]));
}

/// The box is off for that long, then on for five minutes.
void sleep_and_wake(Box& box, hours time) {
  box.pull_the_plug();
  box.server.time += std::chrono::duration_cast<seconds>(time).count();
  box.scheduler.advance(time);
  box.boot();
  box.run(minutes(5));
}

TEST(Prekeys, AreUploadedAgainOnceAfterADigestOf404) {
  Box box;
  box.link();
  box.run(minutes(5));
  EXPECT_TRUE(box.server.line().all("iq", "digest").empty());  // fresh keys need none
  const wire::Node first = box.server.line().all("iq", "list").at(0);
  sleep_and_wake(box, hours(25));
  const FakeServer::Line& line = box.server.line();
  EXPECT_EQ(line.all("iq", "digest").size(), 1U);
  const auto uploads = line.all("iq", "list");
  ASSERT_EQ(uploads.size(), 1U);
  EXPECT_EQ(uploads[0].children().at(3), first.children().at(3));  // the same keys
  sleep_and_wake(box, hours(1));
  EXPECT_TRUE(box.server.line().all("iq", "digest").empty());
}

TEST(Prekeys, AreTheSameAgainAfterALostUpload) {
  Box box;
  int uploads_seen = 0;
  box.server.on_stanza = [&](FakeServer::Line&, const wire::Node& stanza) {
    return stanza.child("list") != nullptr && ++uploads_seen == 1;  // the first gets no answer
  };
  box.boot();
  box.run();
  box.server.scan(*box.session->qr());
  box.run(seconds(100));
  EXPECT_EQ(box.state(), State::online);
  const auto uploads = box.server.line().all("iq", "list");
  ASSERT_GE(uploads.size(), 2U);
  EXPECT_EQ(uploads[0].children().at(3), uploads[1].children().at(3));
}

TEST(Prekeys, RotateTheSignedOneAfter27Days) {
  Box box;
  box.link();
  const auto rotations = [&] {
    std::size_t count = 0;
    for (const auto& line : box.server.lines) count += line->all("iq", "rotate").size();
    return count;
  };
  sleep_and_wake(box, hours(26 * 24));
  EXPECT_EQ(rotations(), 0U);
  sleep_and_wake(box, hours(2 * 24));
  ASSERT_EQ(rotations(), 1U);
  const auto id = [](const wire::Node& skey) { return hex_encode(skey.child("id")->bytes()); };
  const wire::Node rotate = box.server.line().all("iq", "rotate").at(0);
  EXPECT_EQ(id(*rotate.child("rotate")->child("skey")), "000002");
  sleep_and_wake(box, hours(20 * 24));
  EXPECT_EQ(rotations(), 1U);
}

}  // namespace
}  // namespace posthorn::session
