#include "cloud/transport_desk.h"

namespace posthorn::cloud {
namespace {

TEST(Transport, SendsATextAsATemplateWhereNoWindowIsKnown) {
  Desk desk;
  const Job job = desk.post(desk.job("Your cake\nis ready"));
  desk.run();
  ASSERT_EQ(desk.fates.size(), 1U);
  EXPECT_EQ(desk.fates[0].end, Transport::End::sent);
  const net::HttpRequest& request = desk.meta.requests.at(0);
  EXPECT_EQ(request.url, "https://graph.facebook.com/v26.0/106540352242922/messages");
  EXPECT_EQ(request.headers.at(0).second, "Bearer token");
  EXPECT_TRUE(request.never_twice) << "libcurl repeats on a kept connection that has died";
  const json::Value& body = desk.meta.bodies.at(0);
  EXPECT_EQ(body["type"].asString(), "template");
  EXPECT_EQ(body["to"].asString() + "@c.us", job.chat);
  EXPECT_EQ(body["biz_opaque_callback_data"].asString(), job.id);
  EXPECT_EQ(body["template"]["name"].asString(), "receipt");
  EXPECT_EQ(body["template"]["components"][0]["parameters"][0]["text"].asString(),
            "Your cake is ready");
  EXPECT_EQ(desk.transport->known("wamid." + job.id)->id, job.id);
}

TEST(Transport, DirectSendCarriesTheTextWithACategory) {
  Desk desk;
  desk.config.direct_send = true;
  desk.begin();
  desk.post(desk.job());
  desk.run();
  EXPECT_EQ(desk.meta.bodies.at(0)["text"]["body"].asString(), "Your cake is ready");
  EXPECT_EQ(desk.meta.bodies.at(0)["category"].asString(), "utility");
  // Not let in: for a day it is a template.
  desk.meta.answers.push_back(refusal(400, 100, "Direct Send isn't enabled for this account"));
  desk.post(desk.job());
  desk.run();
  EXPECT_EQ(desk.meta.bodies.at(2)["type"].asString(), "template");
  desk.run(hours(25));
  desk.post(desk.job());
  desk.run();
  EXPECT_EQ(desk.meta.bodies.at(3)["type"].asString(), "text");
}

TEST(Transport, InsideTheWindowItIsFreeForm) {
  Desk desk;
  desk.config.mode = CloudConfig::Mode::direct;
  desk.begin();
  Job job = desk.job();
  desk.transport->on_inbound(job.chat, desk.clock.now().unix_seconds() - 3600);
  desk.post(job);
  desk.run();
  EXPECT_EQ(desk.meta.bodies.at(0)["type"].asString(), "text");
  EXPECT_FALSE(desk.meta.bodies.at(0).isMember("category"));
  desk.run(hours(24));
  Job later = desk.job();
  later.chat = job.chat;
  desk.post(later);
  desk.run();
  EXPECT_EQ(desk.meta.bodies.at(1)["type"].asString(), "template");
}

TEST(Transport, AWindowThatWasClosedSendsItOnceMoreAnotherWay) {
  Desk desk;
  desk.config.mode = CloudConfig::Mode::direct;
  desk.begin();
  Job job = desk.job();
  desk.transport->on_inbound(job.chat, desk.clock.now().unix_seconds() - 3600);
  desk.post(job);
  desk.run();
  EXPECT_TRUE(desk.transport->on_failed(job.id, job.chat, 131047, "late"));
  EXPECT_FALSE(desk.transport->on_failed(job.id, job.chat, 131047, "late")) << "once";
  // The power goes before it is sent.
  desk.transport.reset();
  desk.blobs.cut(true);
  desk.begin();
  desk.run();
  ASSERT_EQ(desk.meta.bodies.size(), 2U);
  EXPECT_EQ(desk.meta.bodies.at(1)["type"].asString(), "template");
  EXPECT_EQ(desk.meta.bodies.at(1)["biz_opaque_callback_data"].asString(), job.id);
  desk.transport.reset();
  desk.begin();
  desk.run();
  EXPECT_EQ(desk.meta.bodies.size(), 2U);
}

TEST(Transport, WhatHasNoWayIsRefusedInWords) {
  Desk desk;
  desk.config.receipt_template = "";
  desk.begin();
  desk.post(desk.job());
  desk.run();
  ASSERT_EQ(desk.fates.size(), 1U);
  EXPECT_EQ(desk.fates[0].end, Transport::End::failed);
  EXPECT_TRUE(desk.fates[0].description.starts_with("needs a template"));
  EXPECT_TRUE(desk.meta.requests.empty());
}

TEST(Transport, ReactsToCodes) {
  Desk desk;
  desk.meta.answers = {refusal(500, 131016), fail(Errc::refused, "nobody listens")};
  desk.post(desk.job());
  desk.run(seconds(30));
  EXPECT_EQ(desk.meta.requests.size(), 3U);
  EXPECT_EQ(desk.fates.at(0).end, Transport::End::sent);
  desk.meta.answers = {refusal(400, 131026)};
  desk.post(desk.job());
  desk.run();
  EXPECT_EQ(desk.fates.at(1).end, Transport::End::no_account);
  desk.meta.answers = {refusal(400, 131050)};
  const Job out = desk.post(desk.job());
  desk.run();
  EXPECT_TRUE(desk.opted_out.contains(out.chat));
  Job again = desk.job();
  again.chat = out.chat;
  desk.post(again);
  desk.run();
  EXPECT_EQ(desk.fates.at(3).description, "opted_out");
  EXPECT_EQ(desk.meta.requests.size(), 5U) << "nobody is asked for those who do not want it";
}

TEST(Transport, StopsForAPersonAndPausesForADay) {
  Desk desk;
  desk.meta.answers = {refusal(401, 190, "token expired")};
  desk.post(desk.job());
  desk.run(hours(2));
  EXPECT_FALSE(desk.transport->works());
  EXPECT_EQ(desk.meta.requests.size(), 1U);
  desk.transport->resume();
  desk.run(minutes(2));
  EXPECT_EQ(desk.fates.at(0).end, Transport::End::sent);
  desk.meta.answers = {refusal(429, 131048)};
  desk.post(desk.job());
  desk.run(hours(23));
  EXPECT_EQ(desk.meta.requests.size(), 3U);
  // The job's own life ends with the pause.
  Job later = desk.job();
  later.expires_at = later.accepted_at + hours(72);
  desk.post(later);
  desk.run(hours(2));
  EXPECT_EQ(desk.fates.back().end, Transport::End::sent);
}

TEST(Transport, AWaitingChatHoldsUpNobodyElse) {
  Desk desk;
  desk.meta.answers = {refusal(429, 131056)};
  const Job slow = desk.post(desk.job());
  desk.run(milliseconds(10));
  const Job other = desk.post(desk.job());
  desk.run(milliseconds(10));
  EXPECT_EQ(desk.fates.at(0).job.id, other.id);
  desk.run(seconds(2));
  EXPECT_EQ(desk.fates.at(1).job.id, slow.id);
}

TEST(Transport, AnAnswerThatIsLostIsUnknownAndNotRepeated) {
  Desk desk;
  desk.meta.answers = {fail(Errc::timeout, "no answer")};
  desk.post(desk.job());
  desk.run(hours(2));
  ASSERT_EQ(desk.fates.size(), 1U);
  EXPECT_TRUE(desk.fates[0].description.starts_with("unknown:"));
  EXPECT_EQ(desk.meta.requests.size(), 1U);
}

TEST(Transport, AStatusWebhookTellsThatALostOneWasSent) {
  Desk desk;
  desk.config.mode = CloudConfig::Mode::relay;
  desk.begin();
  desk.meta.answers = {fail(Errc::disconnected, "cut")};
  const Job job = desk.post(desk.job());
  desk.run(seconds(30));
  EXPECT_TRUE(desk.fates.empty());
  desk.transport->on_known_sent(job.id, "wamid.X");
  desk.run();
  EXPECT_EQ(desk.fates.at(0).end, Transport::End::sent);
  desk.run(hours(1));
  EXPECT_EQ(desk.fates.size(), 1U);
}

TEST(Transport, ASettingRepeatsWhatIsUnknown) {
  Desk desk;
  desk.config.repeat_unknown = true;
  desk.begin();
  desk.meta.answers = {fail(Errc::timeout, "no answer")};
  desk.post(desk.job());
  desk.run(minutes(2));
  EXPECT_EQ(desk.meta.requests.size(), 2U);
  EXPECT_EQ(desk.fates.at(0).end, Transport::End::sent);
}

TEST(Transport, WaitsForTheMorningAndEndsWithTheJob) {
  Desk desk;
  desk.not_before = desk.clock.now() + hours(2);
  desk.post(desk.job());
  desk.run(hours(1));
  EXPECT_TRUE(desk.meta.requests.empty());
  desk.not_before.reset();
  desk.run(hours(1));
  EXPECT_EQ(desk.fates.size(), 1U);
  desk.not_before = desk.clock.now() + hours(100);
  desk.post(desk.job());
  desk.run(hours(26));
  EXPECT_EQ(desk.fates.at(1).description, "expired");
}

TEST(Transport, WhatIsHeldHoldsUpNothingElseOfItsChat) {
  Desk desk;
  desk.not_before = desk.clock.now() + hours(2);
  const std::string chat = "4915550007777@c.us";
  const auto to_them = [&desk, &chat](bool urgent) {
    Job job = desk.job();
    job.chat = chat;
    job.urgent = urgent;
    return desk.post(job);
  };
  const Job first = to_them(false);
  desk.run();
  const Job code = to_them(true);
  const Job second = to_them(false);
  desk.run();
  ASSERT_EQ(desk.fates.size(), 1U);
  EXPECT_EQ(desk.fates[0].job.id, code.id);
  desk.not_before.reset();
  desk.run(hours(1));
  ASSERT_EQ(desk.fates.size(), 3U);
  EXPECT_EQ(desk.fates[1].job.id, first.id) << "those that were held in their order";
  EXPECT_EQ(desk.fates[2].job.id, second.id);
}

TEST(Transport, WhatIsHeldGoesWhenItsCustomerWrites) {
  Desk desk;
  desk.config.mode = CloudConfig::Mode::direct;
  desk.begin();
  desk.not_before = desk.clock.now() + hours(2);
  const Job job = desk.post(desk.job());
  const Job other = desk.post(desk.job());
  desk.run();
  desk.not_before.reset();  // to the one who writes nothing is held back any more
  desk.transport->on_inbound(job.chat, desk.clock.now().unix_seconds());
  desk.run();
  ASSERT_EQ(desk.fates.size(), 1U);
  EXPECT_EQ(desk.fates[0].job.id, job.id);
  EXPECT_EQ(desk.meta.bodies.at(0)["type"].asString(), "text");
}

// An edit that leads to the linked account, or back here: at the next start it was told as
// cancelled.
TEST(Transport, WhatWasTakenBackIsNobodysAfterARestart) {
  Desk desk;
  desk.not_before = desk.clock.now() + hours(2);
  const Job job = desk.post(desk.job());
  desk.run();
  ASSERT_TRUE(desk.transport->cancel(1));
  desk.outbox.erase(1);
  desk.outbox[++desk.sequence] = job;
  EXPECT_FALSE(desk.transport->is_ours(job.id));
  desk.not_before.reset();
  desk.restart();
  desk.run();
  EXPECT_EQ(desk.meta.sent[job.id], 1);
  EXPECT_EQ(desk.fates.at(0).end, Transport::End::sent);
}

TEST(Transport, WhatHasBeenSentIsNotTakenBack) {
  Desk desk;
  const Job job = desk.post(desk.job());
  desk.run();
  desk.outbox[1] = job;  // its acknowledgement was lost with the power
  desk.transport.reset();
  desk.transport =
      std::make_unique<Transport>(desk.config, Secrets{"token", "", ""},
                                  Transport::Outside{desk.scheduler, desk.clock, desk.blobs,
                                                     desk.meta, [](const Transport::Fate&) {}});
  ASSERT_TRUE(desk.transport->take_up(1, job, false));
  EXPECT_FALSE(desk.transport->cancel(1));
}

TEST(Transport, CancelsWhatWaits) {
  Desk desk;
  desk.not_before = desk.clock.now() + hours(2);
  desk.post(desk.job());
  desk.run(minutes(1));
  EXPECT_EQ(desk.transport->waits_for(1), "official");
  EXPECT_TRUE(desk.transport->cancel(1));
  EXPECT_FALSE(desk.transport->cancel(1));
  desk.run(hours(3));
  EXPECT_TRUE(desk.fates.empty());
}

// Removing [cloud] while a message is on its way gave it to the linked account as well.
TEST(Transport, WithoutItsNumberWhatMayHaveBeenSentIsTold) {
  Desk desk;
  const Job job = desk.cut_in_flight();
  desk.config.phone_number_id = "";
  desk.restart();
  desk.run();
  EXPECT_EQ(desk.own[job.id], 0);
  ASSERT_EQ(desk.fates.size(), 1U);
  EXPECT_TRUE(desk.fates[0].description.starts_with("unknown:"));
}

TEST(Transport, WithoutItsNumberWhatOnlyWaitedGoesByTheLinkedAccount) {
  Desk desk;
  desk.not_before = desk.clock.now() + hours(2);
  const Job job = desk.post(desk.job());
  Job only = desk.job();
  only.transport = "official";
  desk.post(only);
  desk.run();
  desk.config.phone_number_id = "";
  desk.not_before.reset();
  desk.restart();
  EXPECT_EQ(desk.own[job.id], 1);
  EXPECT_FALSE(desk.transport->is_ours(job.id)) << "it does not come back with the number";
  desk.run();
  EXPECT_EQ(desk.own[only.id], 0) << "nobody else may send it";
  ASSERT_EQ(desk.fates.size(), 1U);
  EXPECT_TRUE(desk.fates[0].description.starts_with("no official number is set up"));
  EXPECT_TRUE(desk.meta.requests.empty());
}

TEST(Transport, AnotherNumberKnowsNoWindow) {
  Desk desk;
  desk.config.mode = CloudConfig::Mode::direct;
  desk.begin();
  Job job = desk.job();
  desk.transport->on_inbound(job.chat, desk.clock.now().unix_seconds());
  EXPECT_EQ(desk.transport->way_of(job), Way::free_form);
  desk.config.phone_number_id = "206540352242922";
  desk.restart();
  EXPECT_EQ(desk.transport->way_of(job), Way::template_);
}

TEST(Transport, AnotherModeAsksAboutWhatWasOnItsWay) {
  Desk desk;
  const Job job = desk.cut_in_flight();
  desk.config.mode = CloudConfig::Mode::relay;
  desk.restart();
  desk.run(seconds(30));
  EXPECT_TRUE(desk.fates.empty());
  desk.transport->on_known_sent(job.id, "wamid.X");
  desk.run();
  EXPECT_EQ(desk.fates.at(0).end, Transport::End::sent);
  EXPECT_EQ(desk.meta.sent[job.id], 1);
}

// A cut while the text of a waiting message is changed leaves it in the outbox twice.
TEST(Transport, TwoWithOneIdGoOnce) {
  Desk desk;
  const Job job = desk.post(desk.job());
  desk.outbox[++desk.sequence] = job;
  desk.restart();
  desk.run();
  EXPECT_EQ(desk.meta.sent[job.id], 1);
  EXPECT_EQ(desk.fates.size(), 2U);
  EXPECT_TRUE(desk.outbox.empty());
  // The second may come from the valve, and later.
  desk.post(job);
  desk.run();
  EXPECT_EQ(desk.meta.sent[job.id], 1);
}

// Meta may say that it failed between its answer and the moment when "sent" is on disk.
TEST(Transport, AFailureBeforeSentIsToldIsRepeatedAlsoAfterACut) {
  Desk desk;
  desk.config.mode = CloudConfig::Mode::direct;
  desk.begin();
  Job job = desk.job();
  desk.transport->on_inbound(job.chat, desk.clock.now().unix_seconds());
  desk.meta.after_post = [&] {
    desk.scheduler.post([&] {  // behind the answer, before what waits for the disk
      EXPECT_TRUE(desk.fates.empty());
      desk.not_before = desk.clock.now() + hours(2);
      EXPECT_TRUE(desk.transport->on_failed(job.id, job.chat, 131047, ""));
    });
    return false;
  };
  desk.post(job);
  desk.run();
  desk.meta.after_post = nullptr;
  ASSERT_EQ(desk.fates.size(), 1U) << "the first end";
  bool on_disk = false;
  desk.blobs.durable([&on_disk](const Result<void>&) { on_disk = true; });
  desk.run();
  ASSERT_TRUE(on_disk);
  desk.not_before.reset();
  desk.restart(false);
  desk.run();
  EXPECT_EQ(desk.meta.sent[job.id], 2);
}

TEST(Transport, NothingIsRepeatedBeforeItsAnswerHasCome) {
  Desk desk;
  desk.config.mode = CloudConfig::Mode::direct;
  desk.begin();
  Job job = desk.job();
  desk.transport->on_inbound(job.chat, desk.clock.now().unix_seconds());
  bool overtaken = false;
  desk.meta.after_post = [&] {
    overtaken = true;
    EXPECT_FALSE(desk.transport->on_failed(job.id, job.chat, 131047, ""));
    return false;
  };
  desk.post(job);
  desk.run();
  EXPECT_TRUE(overtaken);
  EXPECT_EQ(desk.meta.sent[job.id], 1);
  EXPECT_EQ(desk.transport->way_of(job), Way::template_) << "but the window is known to be closed";
}

TEST(Transport, WhatGoesOnceMoreGoesOnceThoughTheOutboxHasItToo) {
  Desk desk;
  desk.config.mode = CloudConfig::Mode::direct;
  desk.begin();
  const Job job = desk.job();
  desk.transport->on_inbound(job.chat, desk.clock.now().unix_seconds());
  desk.post(job);
  desk.run();
  EXPECT_TRUE(desk.transport->on_failed(job.id, job.chat, 131047, ""));
  desk.outbox[1] = job;  // its acknowledgement was lost with the power
  desk.restart();
  desk.run();
  EXPECT_EQ(desk.meta.sent[job.id], 2) << "the first, and one more";
  EXPECT_FALSE(desk.transport->on_failed(job.id, job.chat, 131056, "")) << "and no third";
}

TEST(Transport, APauseAndAHeldPersonOutliveARestart) {
  Desk desk;
  desk.meta.answers = {refusal(429, 131048)};
  desk.post(desk.job());
  desk.run();
  desk.restart();
  desk.run(hours(20));
  EXPECT_EQ(desk.meta.requests.size(), 1U);
  desk.transport->resume();
  const Job job = desk.job();
  EXPECT_TRUE(desk.transport->can_send(job));
  EXPECT_FALSE(desk.transport->on_failed("3EB0X", job.chat, 131049, "held back"));
  desk.restart();
  EXPECT_FALSE(desk.transport->can_send(job));
  desk.post(job);
  desk.run();
  EXPECT_TRUE(desk.fates.back().description.starts_with("Meta holds back"));
  EXPECT_EQ(desk.transport->status_json()["heldToday"].asUInt(), 1U);
  desk.run(hours(24));
  EXPECT_TRUE(desk.transport->can_send(job));
}

// Whoever is held back may still be answered.
TEST(Transport, AHeldPersonWhoWritesIsAnswered) {
  Desk desk;
  desk.config.mode = CloudConfig::Mode::direct;
  desk.begin();
  const Job job = desk.job();
  EXPECT_FALSE(desk.transport->on_failed("3EB0X", job.chat, 130472, "an experiment"));
  desk.transport->on_inbound(job.chat, desk.clock.now().unix_seconds());
  desk.post(job);
  desk.run();
  EXPECT_EQ(desk.fates.at(0).end, Transport::End::sent);
}

TEST(Transport, ToOnePersonOneInSixSeconds) {
  Desk desk;
  for (int i = 0; i < 50; ++i) {
    Job job = desk.job();
    job.chat = "4915550007777@c.us";
    desk.post(job);
  }
  desk.run(seconds(3));
  EXPECT_EQ(desk.meta.requests.size(), 45U);
  desk.run(seconds(28));
  EXPECT_EQ(desk.meta.requests.size(), 50U);
}

// Whichever of their names the till has.
TEST(Transport, WhatIsKnownOfSomebodyIsKnownUnderEachOfTheirNames) {
  Desk desk;
  desk.config.mode = CloudConfig::Mode::direct;
  desk.begin();
  const std::string number = "4915550007777@c.us";
  const std::string user_id = "DE.1a2B@bsuid";
  const auto named = [&desk](const std::string& chat) {
    Job job = desk.job();
    job.chat = chat;
    return job;
  };
  desk.transport->on_inbound(user_id, desk.clock.now().unix_seconds());
  EXPECT_FALSE(desk.transport->on_failed("3EB0X", user_id, 131049, "held back"));
  desk.run(hours(10));
  desk.kept_as[user_id] = number;  // it has come to be known
  desk.transport->on_joined(user_id, number);
  for (const std::string& chat : {number, user_id}) {
    EXPECT_EQ(desk.transport->way_of(named(chat)), Way::free_form) << chat;
  }
  EXPECT_EQ(desk.transport->status_json()["windows"]["open"].asUInt(), 1U) << "one person";
  EXPECT_FALSE(desk.transport->on_failed("3EB0X", user_id, 131047, "closed"));
  for (const std::string& chat : {number, user_id}) {
    EXPECT_EQ(desk.transport->way_of(named(chat)), Way::template_) << chat;
    EXPECT_FALSE(desk.transport->can_send(named(chat))) << chat;
  }
  EXPECT_EQ(desk.transport->status_json()["heldToday"].asUInt(), 1U);
  desk.run(hours(14));
  EXPECT_TRUE(desk.transport->can_send(named(number))) << "held for a day, not for a day anew";
  for (int i = 0; i < 50; ++i) desk.post(named(i % 2 == 0 ? number : user_id));
  desk.run(seconds(3));
  EXPECT_EQ(desk.meta.requests.size(), 45U) << "one pace for one person";
  desk.opted_out.insert(number);
  desk.run(minutes(1));
  EXPECT_EQ(desk.fates.back().description, "opted_out");
  EXPECT_EQ(desk.meta.requests.size(), 45U);
}

TEST(Transport, AStatusReadsEachLedgerOnce) {
  Desk desk;
  desk.config.mode = CloudConfig::Mode::direct;
  desk.begin();
  for (int i = 0; i < 300; ++i) {
    desk.transport->on_inbound(desk.job().chat, desk.clock.now().unix_seconds());
  }
  desk.blobs.loads = 0;
  EXPECT_EQ(desk.transport->status_json()["windows"]["open"].asUInt(), 300U);
  EXPECT_LT(desk.blobs.loads, 3 * static_cast<int>(Ledger::kBuckets));
}

TEST(Transport, AUserIdIsWrittenToAsRecipient) {
  Desk desk;
  Job job = desk.job();
  job.chat = "DE.1a2B@bsuid";
  desk.post(job);
  desk.run();
  EXPECT_EQ(desk.meta.bodies.at(0)["recipient"].asString(), "DE.1a2B");
  EXPECT_FALSE(desk.meta.bodies.at(0).isMember("to"));
}

Job answer_to(Desk& desk, const Job& target, Content::What what) {
  Job out = desk.job();
  out.chat = target.chat;
  out.content.what = std::move(what);
  out.content.quote.emplace().id = target.id;
  return out;
}

TEST(Transport, AnAnswerToAMessageOfOursNamesItAsMetaDoes) {
  Desk desk;
  desk.config.mode = CloudConfig::Mode::direct;
  desk.restart();
  const Job first = desk.job();
  desk.transport->on_inbound(first.chat, desk.clock.now().unix_seconds());
  desk.post(first);
  // In the same moment: what it answers has no wamid yet.
  desk.post(answer_to(desk, first, content::Text{"and a coffee", true, std::nullopt}));
  desk.post(answer_to(desk, first, content::Reaction{"👍"}));
  desk.run();
  ASSERT_EQ(desk.meta.bodies.size(), 3U);
  EXPECT_EQ(desk.meta.bodies[1]["context"]["message_id"].asString(), "wamid." + first.id);
  EXPECT_EQ(desk.meta.bodies[2]["reaction"]["message_id"].asString(), "wamid." + first.id);
  EXPECT_FALSE(desk.meta.bodies[2].isMember("context"));
}

TEST(Transport, WhatTheOfficialNumberDoesNotHaveIsNotNamedThere) {
  Desk desk;
  desk.config.mode = CloudConfig::Mode::direct;
  desk.restart();
  const Job stranger = desk.job();
  desk.transport->on_inbound(stranger.chat, desk.clock.now().unix_seconds());
  desk.post(answer_to(desk, stranger, content::Text{"yes", true, std::nullopt}));
  desk.post(answer_to(desk, stranger, content::Reaction{"👍"}));
  desk.run();
  ASSERT_EQ(desk.meta.bodies.size(), 1U);
  EXPECT_FALSE(desk.meta.bodies[0].isMember("context"));
  EXPECT_NE(desk.fates.back().description.find("neither sent nor got"), std::string::npos)
      << desk.fates.back().description;
}

TEST(Transport, WhoHearsNothingKnowsNoSum) {
  Desk desk;
  const json::Value month = desk.transport->status_json()["month"];
  EXPECT_TRUE(month["service"].isNull());
  EXPECT_TRUE(month["cost"].isNull());
  EXPECT_EQ(month["freeService"].asUInt(), 1000U);
  desk.config.mode = CloudConfig::Mode::direct;
  desk.restart();
  EXPECT_EQ(desk.transport->status_json()["month"]["service"].asUInt(), 0U);
}

}  // namespace
}  // namespace posthorn::cloud
