#include "cloud/transport_desk.h"

namespace posthorn::cloud {
namespace {

/// Every code of the contract, as an answer and as a status that comes later.
struct CodeCase {
  int code, http;
  const char* now;    ///< "sent" after that many requests, "failed", "no_account", "waits", "stops"
  std::size_t posts;  ///< requests within an hour
  bool again;         ///< as a status: it goes once more
};
constexpr CodeCase kCodes[] = {
    {1, 400, "sent", 2, true},
    {2, 503, "sent", 2, true},
    {4, 429, "sent", 2, true},
    {80007, 429, "sent", 2, true},
    {130429, 429, "sent", 2, true},
    {131000, 500, "sent", 2, true},
    {131016, 500, "sent", 2, true},
    {131057, 500, "sent", 2, true},
    {131056, 429, "sent", 2, true},
    {100, 400, "failed", 1, false},
    {131008, 400, "failed", 1, false},
    {131009, 400, "failed", 1, false},
    {131021, 400, "failed", 1, false},
    {131030, 400, "failed", 1, false},
    {131051, 400, "failed", 1, false},
    {131052, 400, "failed", 1, true},
    {131053, 400, "failed", 1, true},
    {131047, 400, "failed", 1, true},
    {132000, 400, "failed", 1, false},
    {132001, 404, "failed", 1, false},
    {132005, 400, "failed", 1, false},
    {132007, 400, "failed", 1, false},
    {132008, 400, "failed", 1, false},
    {132012, 400, "failed", 1, false},
    {132015, 400, "failed", 1, false},
    {132016, 400, "failed", 1, false},
    {132021, 400, "failed", 1, false},
    {132068, 400, "failed", 1, false},
    {132069, 400, "failed", 1, false},
    {135000, 400, "failed", 1, false},
    {137000, 400, "failed", 1, false},
    {131020, 400, "failed", 1, false},
    {131041, 400, "failed", 1, false},
    {131059, 400, "failed", 1, false},
    {131060, 400, "failed", 1, false},
    {131062, 400, "failed", 1, false},
    {131063, 400, "failed", 1, false},
    {131064, 429, "failed", 1, false},
    {130497, 403, "failed", 1, false},
    {139200, 400, "failed", 1, false},
    {138000, 400, "failed", 1, false},
    {139000, 400, "failed", 1, false},
    {131026, 400, "no_account", 1, false},
    {131050, 400, "failed", 1, false},
    {131049, 400, "failed", 1, false},
    {130472, 400, "failed", 1, false},
    {131048, 429, "waits", 1, false},
    {368, 403, "waits", 1, false},
    {0, 401, "stops", 1, false},
    {3, 500, "stops", 1, false},
    {10, 403, "stops", 1, false},
    {33, 400, "stops", 1, false},
    {190, 401, "stops", 1, false},
    {200, 403, "stops", 1, false},
    {299, 403, "stops", 1, false},
    {131005, 403, "stops", 1, false},
    {131031, 403, "stops", 1, false},
    {131037, 400, "stops", 1, false},
    {131042, 400, "stops", 1, false},
    {131044, 400, "stops", 1, false},
    {131045, 500, "stops", 1, false},
    {133000, 400, "stops", 1, false},
    {133010, 400, "stops", 1, false},
    {133016, 400, "stops", 1, false},
};

std::string end_of(const Desk& desk) {
  if (!desk.transport->works()) return "stops";
  if (desk.fates.empty()) return "waits";
  switch (desk.fates.back().end) {
    case Transport::End::sent:
      return "sent";
    case Transport::End::failed:
      return "failed";
    case Transport::End::no_account:
      return "no_account";
  }
  return "";
}

TEST(Transport, ReactsToEveryCodeOfTheTable) {
  for (const CodeCase& one : kCodes) {
    Desk desk;
    desk.meta.answers = {refusal(one.http, one.code)};
    const Job job = desk.post(desk.job());
    desk.run(hours(1));
    EXPECT_EQ(end_of(desk), one.now) << one.code;
    EXPECT_EQ(desk.meta.requests.size(), one.posts) << one.code;
    EXPECT_EQ(desk.opted_out.contains(job.chat), one.code == 131050) << one.code;
    const bool held = one.code == 131049 || one.code == 130472;
    EXPECT_EQ(desk.transport->can_send(job), !held) << one.code;
  }
}

TEST(Transport, ReactsToEveryCodeThatComesLater) {
  for (const CodeCase& one : kCodes) {
    if (one.code == 0) continue;  // a status has a code
    Desk desk;
    desk.config.mode = CloudConfig::Mode::direct;
    desk.begin();
    const Job job = desk.post(desk.job());
    desk.run();
    ASSERT_EQ(desk.meta.requests.size(), 1U) << one.code;
    EXPECT_EQ(desk.transport->on_failed(job.id, job.chat, one.code, "why"), one.again) << one.code;
    desk.run(hours(1));
    EXPECT_EQ(desk.meta.requests.size(), one.again ? 2U : 1U) << one.code;
    EXPECT_FALSE(desk.transport->on_failed(job.id, job.chat, one.code, "why"))
        << "once " << one.code;
    const std::string now = one.now;
    EXPECT_EQ(desk.transport->works(), now != "stops") << one.code;
    const bool paused = !desk.transport->status_json()["pausedUntil"].isNull();
    EXPECT_EQ(paused, now == "waits") << one.code;
  }
}

}  // namespace
}  // namespace posthorn::cloud
