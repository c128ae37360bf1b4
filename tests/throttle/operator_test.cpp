#include "throttle/valve_fixture.h"

// What a person may change, and what people are told.
namespace posthorn::throttle {
namespace {

using test::Box;
using test::person;
using test::window;

TEST(Operator, AnOverrideNamesALimitAReasonAndAnEnd) {
  Box box;
  Override wish{.limit = "openings",
                .campaign_text = {},
                .lasts = hours(2),
                .who = "shop",
                .reason = "opening day of the shop"};
  for (const char* limit : {"opt_out", "red", "check_budget", "day_total", ""}) {
    Override wrong = wish;
    wrong.limit = limit;
    EXPECT_FALSE(box.valve->add_override(wrong)) << limit;
  }
  Override hasty = wish;
  hasty.reason = "because";
  EXPECT_FALSE(box.valve->add_override(hasty));
  Override endless = wish;
  endless.lasts = hours(25);
  EXPECT_FALSE(box.valve->add_override(endless));
  EXPECT_EQ(window(box.valve->status(), "openings_day").allowed, 5U);
  ASSERT_TRUE(box.valve->add_override(wish));
  EXPECT_EQ(window(box.valve->status(), "openings_day").allowed, 10U);
  ASSERT_EQ(box.valve->status().overrides.size(), 1U);
  EXPECT_EQ(box.valve->status().overrides[0].reason, wish.reason);
  box.scheduler.advance(hours(2) + seconds(1));
  EXPECT_EQ(window(box.valve->status(), "openings_day").allowed, 5U);
  EXPECT_TRUE(box.valve->status().overrides.empty());
}

TEST(Operator, EveryOverrideWorksOnItsLimit) {
  for (const auto& [limit, name] :
       std::vector<std::pair<std::string, std::string>>{{"openings", "openings_day"},
                                                        {"minute", "minute"},
                                                        {"minute_reply", "minute_reply"},
                                                        {"hour", "hour"},
                                                        {"day", "day"},
                                                        {"budget_30d", "budget_30d"}}) {
    Box box;
    box.scheduler.advance(minutes(11));
    const std::uint32_t before = window(box.valve->status(), name).allowed;
    ASSERT_TRUE(box.valve->add_override({limit, {}, hours(1), "shop", "a very busy day here"}));
    EXPECT_EQ(window(box.valve->status(), name).allowed, 2 * before) << limit;
    ASSERT_TRUE(box.valve->end_override(limit, "shop"));
    EXPECT_EQ(window(box.valve->status(), name).allowed, before) << limit;
    EXPECT_FALSE(box.valve->end_override(limit, "shop"));
  }
}

TEST(Operator, OtherActionsHaveBudgets) {
  Box box;
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(box.valve->take(Action::create_group));
  const Result<void> third = box.valve->take(Action::create_group);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, Errc::busy);
  EXPECT_NE(third.error().detail.find("2 of 2 in 24 h"), std::string::npos);
  box.known(person(1));
  EXPECT_TRUE(box.valve->take(Action::add_group_member, person(1)));
  EXPECT_FALSE(box.valve->take(Action::add_group_member, person(2))) << "a stranger";
  PastChat regular;
  regular.chat = person(3);
  regular.wrote = box.clock.now() - hours(24 * 400);
  box.valve->on_history(std::span(&regular, 1), [](Result<void>) {});
  EXPECT_TRUE(box.valve->take(Action::add_group_member, person(3))) << "from the phone's history";
  for (int i = 0; i < 60; ++i) EXPECT_TRUE(box.valve->take(Action::look_up));
  EXPECT_FALSE(box.valve->take(Action::look_up));
  box.scheduler.advance(minutes(62));
  EXPECT_TRUE(box.valve->take(Action::look_up));
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(box.valve->take(Action::post_status));
    EXPECT_TRUE(box.valve->take(Action::change_profile));
  }
  EXPECT_FALSE(box.valve->take(Action::post_status));
  EXPECT_FALSE(box.valve->take(Action::change_profile));
}

TEST(Operator, UseBeforeUsCountsOnce) {
  Box box;
  ASSERT_TRUE(box.valve->declare_in_use(2, "installer"));
  EXPECT_EQ(box.valve->status().trust_days, 30U);
  EXPECT_EQ(box.valve->status().stage, 4U);
  EXPECT_FALSE(box.valve->declare_in_use(6, "installer"));
}

TEST(Operator, TheAuditLogIsAChainThatSurvives) {
  Box box;
  for (int i = 0; i < 130; ++i) {
    Settings settings;
    settings.hour_limit = 30 + i;
    ASSERT_TRUE(box.valve->set_settings(settings, "shop"));
  }
  box.cut_power();
  const auto log = box.valve->audit(1'000);
  ASSERT_TRUE(log);
  ASSERT_EQ(log->size(), 130U);
  for (std::size_t i = 0; i < log->size(); ++i) {
    EXPECT_EQ((*log)[i].number, i);
    EXPECT_EQ((*log)[i].hash, audit_hash((*log)[i]));
    EXPECT_EQ((*log)[i].previous_hash, i == 0 ? std::string(64, '0') : (*log)[i - 1].hash);
  }
  EXPECT_EQ(log->back().what, "setting.hour_limit");
  EXPECT_EQ(log->back().after, "159");
  EXPECT_EQ(box.valve->audit(7)->size(), 7U);
  AuditRecord changed = log->back();
  changed.after = "200";
  EXPECT_NE(audit_hash(changed), changed.hash);
}

TEST(Operator, AStopWordToTheOtherNumberCountsHereToo) {
  Box box;
  box.valve->heard_elsewhere(person(1), "where is my stop?");
  EXPECT_FALSE(box.valve->opted_out(person(1)));
  box.valve->heard_elsewhere(person(1), "Stop");
  EXPECT_TRUE(box.valve->opted_out(person(1)));
  box.valve->heard_elsewhere(person(2), "START");
  EXPECT_FALSE(box.valve->opted_out(person(2)));
  box.valve->heard_elsewhere(person(1), "start");
  EXPECT_FALSE(box.valve->opted_out(person(1)));
}

TEST(Operator, SomebodyWithoutANumberOptsOutToo) {
  Box box;
  const std::string nameless = "DE.1a2B@bsuid";
  box.valve->heard_elsewhere(nameless, "STOP");
  EXPECT_TRUE(box.valve->opted_out(nameless));
  box.scheduler.run_posted();
  box.cut_power();
  EXPECT_TRUE(box.valve->opted_out(nameless));
  ASSERT_EQ(box.valve->opt_outs().size(), 1U);
  EXPECT_EQ(box.valve->opt_outs()[0].chat, nameless) << "by a name that takes them off the list";
  for (const char* nobody : {"DE.1-a@bsuid", "@bsuid", "4915550007777@bsuid", "x@y", ""}) {
    EXPECT_FALSE(box.valve->add_opt_out(nobody, "shop", "why")) << nobody;
  }
  box.valve->heard_elsewhere(nameless, "START");
  EXPECT_FALSE(box.valve->opted_out(nameless));
  EXPECT_TRUE(box.valve->opt_outs().empty());
  box.blobs.values["throttle/opted-out-ids"] = to_bytes("\x01\xFF\xFF\xFF\xFF");
  box.cut_power();  // it starts all the same
}

TEST(Operator, TheAuditLogNamesNobody) {
  Box box;
  box.wrote(person(1), milliseconds(0), "stop");
  ASSERT_TRUE(box.valve->add_opt_out(person(2), "shop", "asked at the counter"));
  const auto log = box.valve->audit(100);
  for (const AuditRecord& record : *log) {
    for (const std::string& text : {record.before, record.after, record.reason, record.what}) {
      EXPECT_EQ(text.find("4915"), std::string::npos);
    }
  }
}

TEST(Operator, KeepsAThousandAuditRecords) {
  Box box;
  for (int i = 0; i < 1'200; ++i) {
    Settings settings;
    settings.hour_limit = 30 + i % 2;
    ASSERT_TRUE(box.valve->set_settings(settings, "shop"));
  }
  EXPECT_GE(box.valve->audit(5'000)->size(), 1'000U);
}

// Words -------------------------------------------------------------------------------------------

TEST(Sentence, SaysItInPlainWords) {
  ThrottleStatus status;
  status.windows = {{"openings_day", 7, 12}};
  status.next_opening = Wall::from_unix(14 * 3600 + 5 * 60);
  status.waiting_for_morning = 3;
  EXPECT_EQ(
      describe(status, seconds(0)),
      "7 of 12 new customers today. Next new customer at 14:05. 3 jobs wait for the morning.");
  status.waiting_for_morning = 1;
  EXPECT_NE(describe(status, seconds(3'600)).find("at 15:05. 1 job waits"), std::string::npos);
  status.next_opening = Wall::from_unix(2 * 86'400 + 9 * 3600);
  EXPECT_NE(describe(status, seconds(0)).find("Next new customer at Sat 3 Jan 09:00."),
            std::string::npos)
      << describe(status, seconds(0));
  status.bad_numbers = 0.3;
  status.welcome_share = 0.05;
  EXPECT_NE(describe(status, seconds(0)).find("More than one in four of the new numbers"),
            std::string::npos);
  EXPECT_NE(describe(status, seconds(0)).find("let them write first"), std::string::npos);
}

TEST(Metrics, CarryTheSameNumbers) {
  Box box;
  box.wrote(person(1));
  box.post(person(1));
  box.scheduler.advance(seconds(3));
  std::map<std::string, double> found;
  for (const Metric& metric : box.valve->metrics())
    found[metric.name + "{" + metric.labels + "}"] = metric.value;
  EXPECT_EQ(found["throttle_window_used{window=\"minute_reply\"}"], 1);
  EXPECT_EQ(found["throttle_window_allowed{window=\"openings_day\"}"], 5);
  EXPECT_EQ(found["throttle_sent_total{lane=\"reply\"}"], 1);
  EXPECT_EQ(found["throttle_level{level=\"green\"}"], 1);
}

TEST(WriteFirst, MakesALink) {
  EXPECT_EQ(write_first_link("4915550001234", "Receipts, please: YES!"),
            "https://wa.me/4915550001234?text=Receipts%2C%20please%3A%20YES%21");
  EXPECT_EQ(write_first_link("4915550001234", ""), "https://wa.me/4915550001234");
}

}  // namespace
}  // namespace posthorn::throttle
