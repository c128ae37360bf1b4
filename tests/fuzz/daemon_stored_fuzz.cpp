// Small records as they come back from a disk that has damaged them: whatever they say, the box
// starts, shows them and goes on.
//
// Input: what every record says.

#include "api/idempotency.h"
#include "api/page/password.h"
#include "daemon/hour_counts.h"
#include "daemon/refused_list.h"
#include "fuzz/fuzz_support.h"
#include "posthorn/api/settings.h"
#include "posthorn/api/state_history.h"
#include "posthorn/base/log.h"
#include "posthorn/cloud/media_ids.h"
#include "posthorn/cloud/prices.h"
#include "posthorn/cloud/standing.h"
#include "posthorn/cloud/templates.h"
#include "posthorn/cloud/user_ids.h"
#include "session/credentials.h"
#include "support/fakes.h"

using namespace posthorn;

namespace {

constexpr std::int64_t kNow = 1'795'000'000;

/// Says the same whatever is asked for, until something is saved.
class SameBlobs final : public BlobStore {
 public:
  explicit SameBlobs(ByteView value) : value_(to_bytes(value)) {}
  Result<std::optional<Bytes>> load(std::string_view name) override {
    const auto saved = saved_.find(name);
    return std::optional<Bytes>(saved == saved_.end() ? value_ : saved->second);
  }
  Result<void> save(std::string_view name, ByteView value) override {
    saved_.insert_or_assign(std::string(name), to_bytes(value));
    return {};
  }
  void durable(Once<void(Result<void>)> done) override { done(Result<void>()); }

 private:
  Bytes value_;
  std::map<std::string, Bytes, std::less<>> saved_;
};

void use_cloud(SameBlobs& blobs, const Clock& clock) {
  test::SeededRandom random;
  cloud::Prices prices(blobs, CloudConfig{});
  (void)prices.month_json(kNow, true);
  prices.add("wamid.1", json::Value(::Json::objectValue), kNow);
  cloud::Templates templates(blobs, random);
  for (const auto& one : templates.all()) (void)cloud::to_json(one);
  templates.on_reply("1@c.us", Wall::from_unix(kNow));
  cloud::Standing standing(blobs, clock);
  (void)standing.paused_until();
  standing.hold("1@c.us", hours(24));
  fuzz::require(standing.held_until("1@c.us").has_value(), "who is held is held");
  (void)standing.held_people();
  (void)cloud::MediaIds(blobs).find("1");
  cloud::UserIds users(blobs, {});
  (void)users.newest(users.learn("DE.1a2b", ""));
}

void use_api(SameBlobs& blobs, test::FakeScheduler& scheduler) {
  test::SeededRandom random;
  test::InlineWorker worker(scheduler);
  api::SettingsStore settings(blobs);
  (void)api::settings_to_json(settings.current(), "");
  fuzz::require(api::StateHistory(blobs).newest(100).size() <= 100, "a hundred states");
  (void)api::PagePassword({blobs, worker, random, 1}, "").is_set();
  api::Idempotency keys(scheduler, blobs, hours(24));
  (void)keys.known("key", "digest");
  (void)session::CredentialStore(blobs, random).load_standstill();
  (void)session::CredentialStore(blobs, random).load();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  log::set_sink([](log::Level, std::string_view) {});
  test::FakeScheduler scheduler;
  const Clock clock(scheduler, Wall::from_unix(kNow, true));
  SameBlobs blobs(fuzz::Input(data, size).rest());
  use_cloud(blobs, clock);
  use_api(blobs, scheduler);
  daemon::HourCounts hours(scheduler, blobs, clock);
  hours.load();
  hours.on_status(api::MessageStatus::sent);
  (void)hours.to_json();
  daemon::RefusedList refused(blobs, clock);
  fuzz::require(refused.list().has_value(), "the list is shown");
  refused.add({7, "{}"}, {.status = 422, .answer = "no", .times = 5}, [](const Result<void>&) {});
  fuzz::require((*refused.list())["notifications"].size() >= 1, "and goes on");
  return 0;
}
