#include <gtest/gtest.h>

#include "fleet/box_view.h"
#include "fleet/command_journal.h"
#include "fleet/command_table.h"
#include "fleet/ddi.h"
#include "fleet/event_share.h"
#include "fleet/reports.h"
#include "posthorn/base/utf8.h"
#include "posthorn/fleet/identity.h"
#include "posthorn/fleet/local_box_api.h"
#include "posthorn/fleet/settings.h"
#include "posthorn/net/certificate.h"
#include "support/fakes.h"

namespace posthorn::fleet {
namespace {

constexpr const char* kLeast = "[fleet]\norg = \"bakery\"\n[broker]\nhost = \"b\"\n";

TEST(FleetSettings, NamesLineKeyAndWhatIsAllowed) {
  ASSERT_TRUE(parse_settings(kLeast, "fleet.toml"));
  const auto bad = [](const std::string& text) {
    const auto parsed = parse_settings(text, "fleet.toml");
    return parsed ? std::string() : parsed.error().detail;
  };
  EXPECT_EQ(bad(std::string(kLeast) + "port = 0\n"),
            "fleet.toml:5: broker.port: must be a whole number from 1 to 65535");
  EXPECT_NE(bad(std::string(kLeast) + "prot = 1\n").find("fleet.toml:5: broker.prot: no such key"),
            std::string::npos);
  EXPECT_NE(bad("[fleet]\norg = \"a/b\"\n").find("1 to 32 of a-z"), std::string::npos);
  EXPECT_NE(bad("[broker]\nhost = \"b\"\n").find("fleet.org is missing"), std::string::npos);
  EXPECT_NE(bad(std::string(kLeast) + "[events]\nshare = \"all\"\n").find("\"metadata\""),
            std::string::npos);
  EXPECT_NE(bad(std::string(kLeast) + "[hawkbit]\nurl = \"http://x\"\n").find("https://"),
            std::string::npos);
  EXPECT_NE(bad("[fleet"), "");
}

TEST(FleetEventShare, MetadataHasNoNumberNameOrText) {
  json::Value event(::Json::objectValue);
  event["typeWebhook"] = "incomingMessageReceived";
  event["idMessage"] = "4915550001234";  // a peer chose it
  event["senderData"]["chatId"] = "4915550001234@c.us";
  event["senderData"]["chatName"] = "Anna";
  event["messageData"]["typeMessage"] = "call me at 4915550001234";
  event["status"] = "read";
  const Bytes key(32, std::byte{1});
  const SharedEvent shared = share_event(event, Share::metadata, key);
  EXPECT_EQ(shared.type, "incomingMessageReceived");
  EXPECT_EQ(shared.payload.find("4915"), std::string::npos) << shared.payload;
  EXPECT_EQ(shared.payload.find("Anna"), std::string::npos);
  EXPECT_NE(shared.payload.find(chat_hash(key, "4915550001234@c.us")), std::string::npos);
  EXPECT_NE(chat_hash(key, "1@c.us"), chat_hash(key, "2@c.us"));
  EXPECT_NE(share_event(event, Share::full, key).payload.find("Anna"), std::string::npos);
}

TEST(FleetCommandJournal, KeepsAWeekAndNeverForgetsEarlier) {
  test::FakeScheduler scheduler;
  test::MemoryBlobStore blobs(scheduler);
  CommandJournal journal(blobs);
  ASSERT_TRUE(journal.load());
  const Wall now = Wall::from_unix(1'790'000'000);
  std::size_t kept = 0;
  Result<void> put;
  for (int i = 0; i < 5000; ++i) {
    CommandJournal::Entry entry;
    entry.key = "k" + std::to_string(i);
    entry.reply = "{}";
    entry.replied = true;
    entry.at = now.unix_seconds();
    put = journal.put(entry, now);
    if (put) ++kept;
  }
  EXPECT_FALSE(put);
  EXPECT_EQ(put.error().code, Errc::full);
  EXPECT_EQ(kept, CommandJournal::kBuckets * CommandJournal::kPerBucket);
  ASSERT_NE(journal.find("k0"), nullptr);
  CommandJournal again(blobs);
  ASSERT_TRUE(again.load());
  ASSERT_NE(again.find("k0"), nullptr);
  CommandJournal::Entry fresh;
  fresh.key = "later";
  fresh.at = now.unix_seconds() + 8 * 86400;
  ASSERT_TRUE(again.put(fresh, now + hours(8 * 24)));
  EXPECT_EQ(again.open().size(), 1U);
}

TEST(FleetCommandJournal, ADamagedPartCostsThatPartOnly) {
  test::FakeScheduler scheduler;
  test::MemoryBlobStore blobs(scheduler);
  blobs.values["commands/3"] = to_bytes("{not JSON");
  CommandJournal journal(blobs);
  EXPECT_TRUE(journal.load());
  EXPECT_TRUE(journal.open().empty());
}

TEST(FleetCommandTable, WhatTheCentreMayNotSetIsNamed) {
  Command command;
  command.what = "setSettings";
  command.key = "k";
  command.args["webhookUrl"] = "http://evil/";
  const auto request = request_of(*find_box_command("setSettings"), command);
  ASSERT_FALSE(request);
  EXPECT_NE(request.error().detail.find("webhookUrl"), std::string::npos);
  EXPECT_EQ(find_box_command("resetBox"), nullptr);
  EXPECT_TRUE(find_box_command("logout")->opt_in);
}

TEST(FleetCommandTable, LogsGiveTheLastLines) {
  Command command;
  command.what = "logs";
  command.args["lines"] = 2;
  const Outcome outcome = outcome_of(command, {200, R"({"log":"a\nb\nc\nd\n"})"});
  EXPECT_EQ(json::string_at(outcome.body, "log"), "c\nd\n");
  for (const char* strange : {"[]", "\"x\"", "no JSON", ""}) {
    EXPECT_EQ(outcome_of(command, {200, strange}).code, 200) << strange;
  }
}

TEST(FleetCommandTable, WhatIsTooLongIsCutBetweenLetters) {
  std::string text = "x";
  while (text.size() < 2000) text += "ж";
  const Outcome outcome = outcome_of(Command(), {500, text});
  EXPECT_EQ(outcome.body.asString(), cut_utf8(text, 1000));
  EXPECT_EQ(outcome.body.asString().size() % 2, 1U);
  const auto told = json::parse(feedback_text("1", "closed", "failure", text));
  ASSERT_TRUE(told);
  EXPECT_EQ((*told)["status"]["details"][0].asString(), cut_utf8(text, 500));
}

TEST(FleetLocalBoxApi, ReadsAnswersByteByByte) {
  const std::string whole = "HTTP/1.1 200 OK\r\nDate: x\r\ncontent-length: 5\r\n\r\nhello";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto part = decode_answer(std::string_view(whole).substr(0, size), false);
    ASSERT_TRUE(part) << size;
    EXPECT_FALSE(part->has_value()) << size;
    EXPECT_FALSE(decode_answer(std::string_view(whole).substr(0, size), true)) << size;
  }
  const auto answer = decode_answer(whole, false);
  ASSERT_TRUE(answer && answer->has_value());
  EXPECT_EQ((*answer)->status, 200);
  EXPECT_EQ((*answer)->body, "hello");
  EXPECT_FALSE(decode_answer("SSH-2.0-x\r\n\r\n", false));
  EXPECT_FALSE(decode_answer("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", false));
  EXPECT_FALSE(decode_answer(std::string(20000, 'x'), false));
}

TEST(FleetLocalBoxApi, OnlyThisMachineIsTheBox) {
  const auto access = [](const std::string& url) {
    return parse_box_access(R"({"url":")" + url +
                            R"(","idInstance":7100000001,"apiTokenInstance":"t"})");
  };
  ASSERT_TRUE(access("http://127.0.0.1:8080"));
  EXPECT_EQ(access("http://127.0.0.1:8080")->port, 8080);
  EXPECT_EQ(access("http://[::1]:81")->host, "::1");
  EXPECT_FALSE(access("http://shop.example:80"));
  EXPECT_FALSE(access("https://127.0.0.1"));
  EXPECT_FALSE(parse_box_access("{}"));
  BoxAccess with = *access("http://127.0.0.1");
  with.care_token = "c";
  const std::string text = encode_request(with, {.name = "/healthz"});
  EXPECT_NE(text.find("Authorization: Bearer t"), std::string::npos);
  const std::string care = encode_request(with, {.name = "getLog", .right = BoxRight::care});
  EXPECT_NE(care.find("GET /waInstance7100000001/getLog/c HTTP/1.1"), std::string::npos);
}

TEST(FleetIdentity, TheRequestIsForTheBoxAndItsKey) {
  test::SeededRandom random;
  const auto key = net::make_p256_key(random);
  ASSERT_TRUE(key);
  const auto request = make_request(random, *key, "box-1");
  ASSERT_TRUE(request);
  EXPECT_NE(request->find("BEGIN CERTIFICATE REQUEST"), std::string::npos);
  EXPECT_FALSE(make_request(random, *key, "a,O=b"));
  EXPECT_FALSE(make_request(random, "no key", "box-1"));
  EXPECT_FALSE(read_certificate("no certificate"));
  net::AuthorityWish wish;
  wish.subject = "box-1";
  wish.names = {"local"};
  wish.from = Wall::from_unix(1'700'000'000);
  wish.until = Wall::from_unix(1'790'000'000);
  const auto certificate = net::make_authority(random, *key, wish);
  ASSERT_TRUE(certificate);
  const auto facts = read_certificate(*certificate);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->box, "box-1");
  EXPECT_EQ(facts->from, 1'700'000'000);
  EXPECT_EQ(facts->until, 1'790'000'000);
  EXPECT_FALSE(facts->due(1'759'999'000));
  EXPECT_TRUE(facts->due(1'760'000'100));
  EXPECT_EQ(box_id_of("0123\n"), box_id_of("0123"));
  EXPECT_EQ(box_id_of("0123").size(), 16U);
}

TEST(FleetReports, DayCountersOutliveARestartOfTheDaemonAndEndWithTheDay) {
  DayCounters day;
  const std::string sent = "posthorn_jobs_total{fate=\"sent\"}";
  const auto at = [](int hour) {
    return Wall::from_unix(1'790'000'000 / 86400 * 86400 + hour * 3600);
  };
  day.on_metrics({{sent, 100}}, at(1));
  day.on_metrics({{sent, 105}}, at(2));
  day.on_metrics({{sent, 2}}, at(3));  // started again
  EXPECT_EQ(json::int_at(day.to_json(), "sent"), 7);
  day.on_metrics({{sent, 3}}, at(25));
  EXPECT_EQ(json::int_at(day.to_json(), "sent"), 1);
}

TEST(FleetReports, DiscoveryNamesTheTopicsOfState) {
  Settings settings;
  const auto [topic, payload] = discovery_of({"bakery", "box1"}, settings, {}, "0.1.0");
  EXPECT_EQ(topic, "homeassistant/device/posthorn_box1/config");
  const auto value = json::parse(payload);
  ASSERT_TRUE(value);
  EXPECT_EQ(json::string_at(*value, "state_topic"), "posthorn/v1/bakery/box1/state");
  for (const char* key : {"device", "origin", "components", "availability"}) {
    EXPECT_TRUE(value->isMember(key)) << key;
  }
  for (const auto& name : json::at(*value, "components").getMemberNames()) {
    EXPECT_TRUE(json::at(json::at(*value, "components"), name.c_str()).isMember("unique_id"));
  }
}

TEST(FleetReports, MetricsAreRead) {
  const auto samples = parse_metrics("# TYPE a counter\na{b=\"c d\"} 3\nb 1.5\nbroken\nx nan\n");
  EXPECT_EQ(samples.at("a{b=\"c d\"}"), 3);
  EXPECT_EQ(samples.at("b"), 1.5);
}

}  // namespace
}  // namespace posthorn::fleet
