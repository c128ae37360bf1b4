#include "session/stop_rules.h"

#include <gtest/gtest.h>

#include <set>

namespace posthorn::session {
namespace {

wire::Node failure(int reason) {
  return wire::Node("failure", {{"reason", std::to_string(reason)}});
}

wire::Node stream_error(std::string code, std::vector<wire::Node> children = {}) {
  wire::Node out("stream:error");
  if (!code.empty()) out.set_attr("code", code);
  if (!children.empty()) out.content = std::move(children);
  return out;
}

wire::Node conflict(const char* type) { return wire::Node("conflict", {{"type", type}}); }

struct Expected {
  int code;
  State state;
  Retry retry;
  Keys keys;
};

TEST(StopRules, MapEveryFailureOfTheProtocol) {
  const Expected table[] = {
      {400, State::paused, Retry::hourly, Keys::keep},
      {401, State::logged_out, Retry::never, Keys::forget},
      {402, State::blocked, Retry::after_expiry, Keys::keep},
      {403, State::blocked, Retry::never, Keys::keep},
      {405, State::paused, Retry::hour_then_daily, Keys::keep},
      {406, State::blocked, Retry::never, Keys::keep},
      {409, State::paused, Retry::daily, Keys::keep},
      {411, State::paused, Retry::hour_then_daily, Keys::keep},
      {413, State::paused, Retry::hourly, Keys::keep},
      {414, State::paused, Retry::hourly, Keys::keep},
      {415, State::paused, Retry::hourly, Keys::keep},
      {416, State::paused, Retry::hour_then_daily, Keys::keep},
      {418, State::paused, Retry::hourly, Keys::keep},
      {419, State::paused, Retry::hourly, Keys::forget_later},
      {500, State::backing_off, Retry::back_off, Keys::keep},
      {501, State::paused, Retry::hour_then_daily, Keys::keep},
      {503, State::backing_off, Retry::back_off, Keys::keep},
      {599, State::paused, Retry::hour_then_daily, Keys::keep},
  };
  for (const Expected& row : table) {
    const Stop stop = classify_stop(failure(row.code));
    EXPECT_EQ(stop.code, row.code);
    EXPECT_EQ(stop.rule->state, row.state) << row.code;
    EXPECT_EQ(stop.rule->retry, row.retry) << row.code;
    EXPECT_EQ(stop.rule->keys, row.keys) << row.code;
  }
}

TEST(StopRules, MapEveryStreamErrorOfTheProtocol) {
  struct Row {
    wire::Node stanza;
    std::string_view cause;
    State state;
    Retry retry;
  };
  const Row table[] = {
      {stream_error("515"), "restart_required", State::connecting, Retry::at_once},
      {stream_error("516"), "forced_logout", State::logged_out, Retry::never},
      {stream_error("401", {conflict("device_removed")}), "unlinked", State::logged_out,
       Retry::never},
      {stream_error("", {conflict("device_removed")}), "unlinked", State::logged_out, Retry::never},
      {stream_error("401"), "logged_out", State::logged_out, Retry::never},
      {stream_error("", {conflict("replaced")}), "replaced", State::replaced, Retry::growing},
      {stream_error("409"), "replaced", State::replaced, Retry::growing},
      {stream_error("429"), "rate_limited", State::backing_off, Retry::back_off_more},
      {stream_error("500", {wire::Node("ack", {{"id", "1"}})}), "ack_missing", State::backing_off,
       Retry::back_off},
      {stream_error("", {wire::Node("ack", {{"id", "1"}})}), "ack_missing", State::backing_off,
       Retry::back_off},
      {stream_error("500"), "server_error", State::backing_off, Retry::back_off},
      {stream_error("503"), "service_unavailable", State::backing_off, Retry::back_off},
      {stream_error("555"), "stream_error", State::backing_off, Retry::back_off},
      {stream_error("", {wire::Node("xml-not-well-formed")}), "broken_stanza", State::backing_off,
       Retry::back_off},
      {stream_error("", {wire::Node("system-shutdown")}), "system_shutdown", State::backing_off,
       Retry::back_off},
      {stream_error(""), "stream_error", State::backing_off, Retry::back_off},
      {stream_error("", {conflict("something new")}), "stream_error", State::backing_off,
       Retry::back_off},
  };
  for (const Row& row : table) {
    const Stop stop = classify_stop(row.stanza);
    EXPECT_EQ(stop.rule->cause, row.cause) << wire::to_xml(row.stanza);
    EXPECT_EQ(stop.rule->state, row.state) << wire::to_xml(row.stanza);
    EXPECT_EQ(stop.rule->retry, row.retry) << wire::to_xml(row.stanza);
  }
}

TEST(StopRules, SayWhatToDoWheneverAPersonMustAct) {
  for (const StopRule& rule : stop_rules()) {
    const bool by_itself = rule.state == State::backing_off || rule.state == State::connecting;
    EXPECT_TRUE(by_itself || rule.what_to_do.size() > 20) << rule.cause;
    EXPECT_EQ(rule.keys == Keys::forget, rule.state == State::logged_out) << rule.cause;
  }
}

TEST(StopRules, EndInARuleThatFitsEverything) {
  std::set<StopRule::Where> open_ended;
  for (const StopRule& rule : stop_rules())
    if (rule.code == 0 && rule.child.empty()) open_ended.insert(rule.where);
  EXPECT_EQ(open_ended.size(), 2U);
}

TEST(StopRules, ReadBanCodeAndDuration) {
  wire::Node ban = failure(402);
  ban.set_attr("code", "104");
  ban.set_attr("expire", "3600");
  const Stop stop = classify_stop(ban);
  EXPECT_EQ(stop.sub_code, 104);
  EXPECT_EQ(stop.expires_in, seconds(3600));
  EXPECT_EQ(ban_reason(104), "the same message to too many people");
  EXPECT_NE(ban_reason(101), ban_reason(102));
  EXPECT_FALSE(ban_reason(0).empty());
}

TEST(StopRules, TolerateNonsense) {
  wire::Node odd("failure", {{"reason", "-12"}, {"expire", "99999999999999"}, {"code", "x"}});
  const Stop stop = classify_stop(odd);
  EXPECT_EQ(stop.code, 0);
  EXPECT_EQ(stop.rule->cause, "unknown_failure");
  EXPECT_LE(*stop.expires_in, hours(11 * 366 * 24));
  odd.set_attr("expire", "-5");
  EXPECT_FALSE(classify_stop(odd).expires_in.has_value());
}

}  // namespace
}  // namespace posthorn::session
