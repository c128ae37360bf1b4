#include "posthorn/cloud/way.h"

#include <gtest/gtest.h>

namespace posthorn::cloud {
namespace {

TEST(Way, TheFirstThatIsAllowed) {
  WayFacts facts;
  EXPECT_EQ(choose_way(facts), Way::none);
  facts.has_template = true;
  EXPECT_EQ(choose_way(facts), Way::none) << "a template takes a text or a file";
  facts.plain_text = true;
  EXPECT_EQ(choose_way(facts), Way::template_);
  facts.direct_send = true;
  EXPECT_EQ(choose_way(facts), Way::direct_send);
  facts.window_open = true;
  EXPECT_EQ(choose_way(facts), Way::free_form);
  facts.own_template = true;
  EXPECT_EQ(choose_way(facts), Way::template_);
  EXPECT_EQ(choose_way({.direct_send = true, .has_template = true, .is_file = true}),
            Way::template_);
}

TEST(Reaction, ByCodeAndNotByStatus) {
  EXPECT_EQ(reaction_to(500, 131000, ""), Reaction::retry_twice);
  EXPECT_EQ(reaction_to(400, 131008, ""), Reaction::drop);
  EXPECT_EQ(reaction_to(400, 131026, ""), Reaction::no_account);
  EXPECT_EQ(reaction_to(400, 131047, ""), Reaction::window_closed);
  EXPECT_EQ(reaction_to(429, 131048, ""), Reaction::pause_day);
  EXPECT_EQ(reaction_to(429, 131056, ""), Reaction::pair_wait);
  EXPECT_EQ(reaction_to(401, 190, ""), Reaction::stop);
  EXPECT_EQ(reaction_to(403, 200, ""), Reaction::stop);
  EXPECT_EQ(reaction_to(404, 132001, ""), Reaction::drop);
  EXPECT_EQ(reaction_to(400, 100, "bad"), Reaction::drop);
  EXPECT_EQ(reaction_to(400, 100, "Direct Send isn't enabled for this account"),
            Reaction::no_direct_send);
  EXPECT_EQ(reaction_to(502, 0, ""), Reaction::retry);
  EXPECT_EQ(reaction_to(401, 0, ""), Reaction::stop);
  EXPECT_EQ(reaction_to(418, 0, ""), Reaction::drop);
}

TEST(Route, OwnUnlessSomebodySaysOtherwise) {
  RouteFacts facts;
  facts.official_works = true;
  facts.official_can = true;
  EXPECT_EQ(route(facts), Route::own);
  facts.wish = Transport::official;
  EXPECT_EQ(route(facts), Route::official);
  facts.official_can = false;
  EXPECT_EQ(route(facts), Route::official) << "and it is told there that it needs a template";
  facts.official_works = false;
  EXPECT_EQ(route(facts), Route::official) << "it waits there";
  facts.wish = Transport::automatic;
  facts.own_restricted = true;
  facts.official_can = true;
  EXPECT_EQ(route(facts), Route::own);
}

TEST(Route, AutoTakesTheOfficialOneOnlyForOpeningsThatWaitTooLong) {
  RouteFacts facts;
  facts.wish = Transport::automatic;
  facts.official_works = true;
  facts.official_can = true;
  facts.limit = minutes(30);
  facts.wait = hours(5);
  EXPECT_EQ(route(facts), Route::own) << "known people are the own account's";
  facts.opening = true;
  EXPECT_EQ(route(facts), Route::official);
  facts.wait = minutes(30);
  EXPECT_EQ(route(facts), Route::own);
  facts.no_capacity = true;
  EXPECT_EQ(route(facts), Route::official);
  facts.opted_out = true;
  EXPECT_EQ(route(facts), Route::own) << "where it is refused with the reason";
  facts.opted_out = false;
  facts.person = false;
  EXPECT_EQ(route(facts), Route::own) << "groups";
}

TEST(Route, AutoAnswersByTheNumberThatWasWrittenTo) {
  RouteFacts facts;
  facts.wish = Transport::automatic;
  facts.official_works = true;
  facts.official_can = true;
  facts.answers_official = true;
  EXPECT_EQ(route(facts), Route::official);
  facts.wish = Transport::own;
  EXPECT_EQ(route(facts), Route::own);
  facts.wish = Transport::automatic;
  facts.official_works = false;
  EXPECT_EQ(route(facts), Route::own);
}

TEST(Route, WhileTheOwnAccountIsRestrictedAllGoesOfficial) {
  RouteFacts facts;
  facts.wish = Transport::automatic;
  facts.official_works = true;
  facts.own_restricted = true;
  EXPECT_EQ(route(facts), Route::own) << "it could not be said there";
  facts.official_can = true;
  EXPECT_EQ(route(facts), Route::official);
}

}  // namespace
}  // namespace posthorn::cloud
