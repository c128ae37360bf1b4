#include <gtest/gtest.h>

#include "box.h"
#include "session/account_watch.h"
#include "session/mex.h"
#include "session/stanzas.h"

// Every signal of protocol chapter 04 section 10.4 that comes over the connection.
namespace posthorn::session {
namespace {

using core_test::Box;
using core_test::FakeServer;
using Kind = Restriction::Kind;

const Wall kNow = Wall::from_unix(1'790'000'000);

wire::Node answer(std::string_view json) {
  return wire::Node("iq", {{"type", "result"}},
                    std::vector{wire::Node("result", {}, to_bytes(json))});
}

wire::Node push(const char* op, std::string_view json) {
  return wire::Node("notification", {{"type", "mex"}, {"from", server_jid()}, {"id", "m1"}},
                    std::vector{wire::Node("update", {{"op_name", op}}, to_bytes(json))});
}

TEST(Mex, ReadsALockWithTimesAsTextAndAsNumbers) {
  for (const char* end : {"\"1790003600\"", "1790003600"}) {
    const auto lock = mex::parse_reachout(
        answer(R"({"data":{"xwa2_fetch_account_reachout_timelock":{"is_active":true,)"
               R"("enforcement_type":"WEB_COMPANION_ONLY","time_enforcement_ends":)" +
               std::string(end) + "}}}"),
        kNow);
    ASSERT_TRUE(lock && *lock);
    EXPECT_TRUE((*lock)->active);
    EXPECT_EQ((*lock)->enforcement, "WEB_COMPANION_ONLY");
    EXPECT_EQ((*lock)->until->unix_seconds(), 1'790'003'600);
  }
}

TEST(Mex, AssumesADayWhenALockHasNoEnd) {
  const auto lock = mex::parse_reachout(
      answer(R"({"data":{"xwa2_fetch_account_reachout_timelock":{"is_active":true,)"
             R"("enforcement_type":"BIZ_QUALITY","time_enforcement_ends":"0"}}})"),
      kNow);
  ASSERT_TRUE(lock && *lock);
  EXPECT_EQ((*lock)->until, kNow + hours(24));
}

TEST(Mex, KnowsNoRestrictionFromNoAnswer) {
  const auto none = mex::parse_reachout(
      answer(R"({"data":{"xwa2_fetch_account_reachout_timelock":{"is_active":true,)"
             R"("enforcement_type":"DEFAULT"}}})"),
      kNow);
  ASSERT_TRUE(none && *none);
  EXPECT_FALSE((*none)->active);
  const auto unknown = mex::parse_capping(answer(R"({"data":{"xwa2_message_capping_info":null}})"));
  ASSERT_TRUE(unknown.has_value());
  EXPECT_FALSE(unknown->has_value());
}

TEST(Mex, ReadsTheCap) {
  const auto cap = mex::parse_capping(
      answer(R"({"data":{"xwa2_message_capping_info":{"total_quota":"20","used_quota":17,)"
             R"("cycle_end_timestamp":"1790500000","capping_status":"SECOND_WARNING"}}})"));
  ASSERT_TRUE(cap && *cap);
  EXPECT_EQ((*cap)->status, "SECOND_WARNING");
  EXPECT_EQ((*cap)->total_quota, 20);
  EXPECT_EQ((*cap)->used_quota, 17);
  EXPECT_EQ((*cap)->cycle_end->unix_seconds(), 1'790'500'000);
  EXPECT_TRUE((*cap)->active);
}

TEST(Mex, TellsErrorsApart) {
  const auto code = [](std::string_view json) { return mex::parse_capping(answer(json)).error(); };
  EXPECT_EQ(code(R"({"errors":[{"message":"Unknown document id"}],"data":null})").code,
            Errc::unsupported);
  EXPECT_EQ(code(R"({"errors":[{"message":"no","extensions":{"error_code":500}}]})").detail,
            "500 no");
  EXPECT_EQ(code("not JSON").code, Errc::malformed);
  EXPECT_EQ(mex::parse_capping(wire::Node("iq")).error().code, Errc::malformed);
  wire::Node binary = answer("{}");
  binary.mutable_children().front().set_attr("format", "argo");
  EXPECT_EQ(mex::parse_capping(binary).error().code, Errc::unsupported);
}

TEST(Mex, ReadsPushesByTheirKey) {
  const auto lock = mex::parse_push(
      push(
          "ANameOfTomorrow",
          R"({"data":{"xwa2_notify_account_reachout_timelock":{"is_active":true,)"
          R"("enforcement_type":"RESTRICT_ALL_COMPANIONS","time_enforcement_ends":"1790003600"}}})"),
      kNow);
  ASSERT_EQ(lock.size(), 1U);
  EXPECT_EQ(lock[0].enforcement, "RESTRICT_ALL_COMPANIONS");
  const auto challenge = mex::parse_push(push("NotificationIntegrityChallengeRequest", "{}"), kNow);
  ASSERT_EQ(challenge.size(), 1U);
  EXPECT_EQ(challenge[0].kind, Kind::integrity_challenge);
  EXPECT_TRUE(mex::parse_push(push("X", R"({"data":null})"), kNow).empty());
  EXPECT_TRUE(
      mex::parse_push(push("X", R"({"errors":[{"message":"x"}],"data":{}})"), kNow).empty());
  EXPECT_TRUE(mex::parse_push(push("X", "\xff\xfe not json"), kNow).empty());
}

/// Answers MEX questions with what the test set.
struct Account {
  explicit Account(Box& box) {
    box.server.on_stanza = [this](FakeServer::Line& line, const wire::Node& iq) {
      const wire::Node* query = iq.child("query");
      if (query == nullptr || iq.text_attr("xmlns") != "w:mex") return false;
      const bool is_lock = query->text_attr("query_id") == mex::kReachoutQuery;
      ++(is_lock ? lock_questions : cap_questions);
      ids.push_back(query->text_attr("query_id"));
      wire::Node result = answer(is_lock ? lock : cap);
      result.set_attr("id", iq.text_attr("id"));
      line.send(result);
      return true;
    };
  }
  std::string lock = R"({"data":{"xwa2_fetch_account_reachout_timelock":{"is_active":false}}})";
  std::string cap = R"({"data":{"xwa2_message_capping_info":{"capping_status":"NONE"}}})";
  int lock_questions = 0;
  int cap_questions = 0;
  std::vector<std::string> ids;
};

TEST(AccountWatch, AsksAtLoginAndThenRarely) {
  Box box;
  Account account(box);
  box.link();
  box.boot();
  account.lock_questions = account.cap_questions = 0;
  box.run(minutes(1));
  EXPECT_EQ(account.lock_questions, 1);
  EXPECT_EQ(account.cap_questions, 1);
  EXPECT_EQ(box.restrictions(Kind::reachout_lock).size(), 1U);
  EXPECT_EQ(box.restrictions(Kind::capping).size(), 1U);
  box.run(hours(13));
  EXPECT_EQ(account.lock_questions, 3);
  EXPECT_EQ(account.cap_questions, 1);  // capping is off
}

TEST(AccountWatch, AsksHourlyWhileCappingIsOnAndAgainAtTheEndOfALock) {
  Box box;
  Account account(box);
  account.cap = R"({"data":{"xwa2_message_capping_info":{"capping_status":"FIRST_WARNING"}}})";
  account.lock = R"({"data":{"xwa2_fetch_account_reachout_timelock":{"is_active":true,)"
                 R"("enforcement_type":"WEB_COMPANION_ONLY","time_enforcement_ends":")" +
                 std::to_string(box.server.time + 3600) + R"("}}})";
  box.link();
  box.run(minutes(50));
  EXPECT_EQ(account.lock_questions, 1);
  account.lock = R"({"data":{"xwa2_fetch_account_reachout_timelock":{"is_active":false}}})";
  box.run(minutes(15));
  EXPECT_EQ(account.lock_questions, 2);
  EXPECT_FALSE(box.restrictions(Kind::reachout_lock).back().active);
  box.run(hours(3));
  EXPECT_EQ(account.cap_questions, 5);
}

TEST(AccountWatch, TriesTheOlderQuestionWhenTheNewOneIsUnknown) {
  Box box;
  Account account(box);
  account.cap = R"({"errors":[{"message":"The document is unknown"}]})";
  box.link();
  box.run(minutes(2));
  ASSERT_EQ(account.cap_questions, 2);
  EXPECT_EQ(account.ids.back(), mex::kCappingQueryOlder);
  EXPECT_EQ(box.state(), State::online);
}

TEST(AccountWatch, StaysCalmWhenTheServerNeverAnswers) {
  Box box;
  box.server.on_stanza = [](FakeServer::Line&, const wire::Node& iq) {
    return iq.text_attr("xmlns") == "w:mex";
  };
  box.link();
  box.run(hours(20));
  EXPECT_EQ(box.state(), State::online);
  EXPECT_EQ(box.server.lines.size(), 2U);  // silence there is no reason to reconnect
}

struct NoWatcher : Questions::Watcher {
  void on_question_answered() override {}
  void on_question_timed_out() override {}
  void on_ack_arrived() override {}
  void on_ack_timed_out() override {}
};

TEST(AccountWatch, AsksAfterARefusedMessageAtMostOnceAMinute) {
  posthorn::test::FakeScheduler scheduler;
  const Clock clock(scheduler, kNow);
  NoWatcher nobody;
  std::vector<std::string> asked;
  Questions questions(scheduler, "q-", nobody, [&](wire::Node iq) {
    asked.push_back(iq.child("query")->text_attr("query_id"));
    scheduler.post([&questions, id = iq.text_attr("id")] {
      wire::Node nothing = answer(R"({"data":{}})");
      nothing.set_attr("id", id);
      questions.on_answer(nothing);
    });
  });
  questions.open();
  AccountWatch watch(scheduler, clock, questions, [](Restriction) {});
  watch.on_reachout_ack();  // not logged in: nothing to ask
  scheduler.advance(seconds(10));
  EXPECT_TRUE(asked.empty());
  watch.start();
  scheduler.advance(minutes(2));
  asked.clear();
  for (int i = 0; i < 10; ++i) watch.on_reachout_ack();
  watch.on_capping_ack();
  scheduler.advance(seconds(1));
  EXPECT_EQ(asked, (std::vector<std::string>{std::string(mex::kReachoutQuery),
                                             std::string(mex::kCappingQuery)}));
  watch.on_reachout_ack();
  scheduler.advance(seconds(30));
  EXPECT_EQ(asked.size(), 2U);
  scheduler.advance(seconds(31));
  EXPECT_EQ(asked.size(), 3U);
  watch.stop();
}

/// Asks for one number, once. The refusal is the server's answer to usync.
TEST(Restrictions, ReportAQueryThatWasTooFast) {
  Box box;
  box.link();
  box.server.on_stanza = [](FakeServer::Line& line, const wire::Node& iq) {
    if (iq.child("usync") == nullptr) return false;
    wire::Node refusal("iq", {{"type", "error"}, {"id", iq.text_attr("id")}});
    refusal.content = std::vector{
        wire::Node("error", {{"code", "429"}, {"text", "rate-overlimit"}, {"backoff", "90"}})};
    line.send(refusal);
    return true;
  };
  std::optional<Errc> error;
  box.ask([&](auto result) { error = result ? std::optional<Errc>() : result.error().code; });
  box.run();
  ASSERT_GE(box.restrictions(Kind::rate_query).size(), 1U);
  EXPECT_EQ(box.restrictions(Kind::rate_query)[0].code, 429);
  EXPECT_EQ(box.restrictions(Kind::rate_query)[0].until->unix_seconds(),
            box.clock->now().unix_seconds() + 90);
  EXPECT_TRUE(error.has_value());
}

TEST(Restrictions, ReportPushedLocksAndAckThem) {
  Box box;
  box.link();
  box.server_says(
      push("NotificationUserReachoutTimelockUpdate",
           R"({"data":{"xwa2_notify_account_reachout_timelock":{"is_active":true,)"
           R"("enforcement_type":"WEB_COMPANION_ONLY","time_enforcement_ends":"1790009999"}}})"));
  box.run(seconds(6));
  const auto locks = box.restrictions(Kind::reachout_lock);
  ASSERT_EQ(locks.size(), 1U);
  EXPECT_EQ(locks[0].enforcement, "WEB_COMPANION_ONLY");
  EXPECT_EQ(box.server.line().all("ack").size(), 1U);
}

TEST(Restrictions, ReportATakeover) {
  Box box;
  box.link();
  box.server_says(wire::Node("notification",
                             {{"type", "registration"}, {"from", server_jid()}, {"id", "r1"}},
                             std::vector{wire::Node("wa_old_registration", {{"code", "123456"}})}));
  const auto notices = box.restrictions(Kind::takeover_notice);
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_EQ(notices[0].raw.find("123456"), std::string::npos);
  EXPECT_EQ(box.server.line().all("ack").size(), 1U);
}

TEST(Restrictions, ShowPendingTermsAndExpiryBesideTheState) {
  Box box;
  box.link();
  box.server_says(FakeServer::ib(wire::Node("tos")));
  EXPECT_EQ(box.state(), State::online);
  EXPECT_EQ(box.session->state().cause, "terms_pending");
  EXPECT_FALSE(box.session->state().what_to_do.empty());
  box.server_says(FakeServer::ib(
      wire::Node("client_expiration", {{"t", std::to_string(box.server.time + 3 * 86'400)}})));
  EXPECT_EQ(box.session->state().cause, "version_expires");
  EXPECT_TRUE(box.session->state().until.has_value());
}

TEST(Restrictions, ReportEveryLossOfAnEstablishedConnectionOnce) {
  Box box;
  box.link();
  box.dialer.cut();
  box.run(seconds(5));
  EXPECT_EQ(box.restrictions(Kind::connection_lost).size(), 1U);
  box.server_says(FakeServer::stream_error("503"));
  box.run(seconds(5));
  EXPECT_EQ(box.restrictions(Kind::connection_lost).size(), 2U);
  box.session->reconnect();
  box.run(seconds(5));
  EXPECT_EQ(box.restrictions(Kind::connection_lost).size(), 2U);
  EXPECT_EQ(box.state(), State::online);
}

TEST(Silence, AfterTheHandshakeEndsTheAttempt) {
  Box box;
  box.link();
  box.server.on_open = [](FakeServer::Line&) {};
  box.dialer.cut();
  box.run(seconds(20));
  EXPECT_EQ(box.state(), State::handshaking);
  const std::size_t lines = box.server.lines.size();
  box.server.on_open = nullptr;
  box.run(seconds(20));
  EXPECT_EQ(box.server.lines.size(), lines + 1);
  EXPECT_EQ(box.state(), State::online);
}

}  // namespace
}  // namespace posthorn::session
