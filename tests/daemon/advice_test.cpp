#include "daemon/advice.h"

#include <gtest/gtest.h>

#include "posthorn/board/led.h"
#include "session/stop_rules.h"

namespace posthorn::daemon {
namespace {

using session::Retry;
using session::State;
using session::StopRule;

/// Every way in which WhatsApp ends a connection: it passes by itself, or the words name what a
/// person does, on the phone or with a command.
TEST(WaysOut, EveryStopPassesOrSaysWhatEndsIt) {
  ASSERT_GT(session::stop_rules().size(), 20U);
  for (const StopRule& rule : session::stop_rules()) {
    const std::string words(rule.what_to_do);
    const bool by_itself = rule.retry != Retry::never;
    const bool by_command = words.find("\"posthornctl ") != std::string::npos;
    EXPECT_TRUE(by_itself || by_command) << rule.cause << ": " << words;
    const bool stands_still = rule.state == State::paused || rule.state == State::blocked ||
                              rule.state == State::replaced || rule.state == State::logged_out;
    EXPECT_TRUE(!stands_still || !words.empty()) << rule.cause;
    EXPECT_TRUE(words.empty() || words.ends_with(".")) << words;
  }
}

/// Each value of Status that is not "all is well" has a light of its own, and words unless it ends
/// by itself.
TEST(WaysOut, EveryStateHasALightAndWords) {
  using Link = Status::Link;
  using Throttle = Status::Throttle;
  for (const Link link : {Link::starting, Link::not_linked, Link::online, Link::reconnecting,
                          Link::paused, Link::blocked}) {
    for (const Throttle throttle :
         {Throttle::green, Throttle::amber, Throttle::yellow, Throttle::red, Throttle::black}) {
      for (const bool storage_ok : {true, false}) {
        Status status;
        status.link = link;
        status.throttle = throttle;
        status.storage_ok = storage_ok;
        status.clock_trusted = true;
        const bool well = link == Link::online && throttle == Throttle::green && storage_ok;
        EXPECT_EQ(board::light_of(status) == board::Light::online, well);
        const bool needs_word = throttle == Throttle::red || throttle == Throttle::black;
        const std::string words = advise(status, "", needs_word);
        EXPECT_EQ(words.empty(), storage_ok && !needs_word);
        EXPECT_EQ(words.find("posthornctl board") != std::string::npos, !storage_ok);
      }
    }
  }
}

TEST(WaysOut, WhatIsOursComesBeforeWhatWhatsAppSaid) {
  Status status;
  status.link = Status::Link::paused;
  EXPECT_EQ(advise(status, "Wait.", true), "Wait.");
  status.storage_ok = false;
  EXPECT_NE(advise(status, "Wait.", true).find("card or disk"), std::string::npos);
  Status lost;
  lost.link = Status::Link::reconnecting;
  EXPECT_NE(advise(lost, "", false).find("time"), std::string::npos);
  lost.clock_trusted = true;
  EXPECT_EQ(advise(lost, "", false), "");
}

}  // namespace
}  // namespace posthorn::daemon
