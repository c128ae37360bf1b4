// The throttle's state as it comes back from a disk that has damaged it: a job can be decided on,
// and what is saved again is the same after the next start.
//
// Input: which blob the bytes are (its lowest bits), then the blob without its version.

#include "fuzz/fuzz_support.h"
#include "posthorn/base/log.h"
#include "support/fakes.h"
#include "throttle/audit_log.h"
#include "throttle/engine.h"
#include "throttle/persist.h"

using namespace posthorn;
using namespace posthorn::throttle;

namespace {

constexpr std::array<const char*, 7> kBlobs{
    "throttle/hot",           "throttle/journal",    "throttle/chats/0", "throttle/regulars/0",
    "throttle/opted-out-ids", "throttle/audit/head", "throttle/audit/0"};
constexpr Tick kNow = 20'000 * kDay;

/// A state like a shop's after some weeks, as it was saved.
std::map<std::string, Bytes, std::less<>> usual() {
  test::FakeScheduler scheduler;
  test::MemoryBlobStore blobs{scheduler};
  Engine engine;
  for (std::uint64_t i = 0; i < 5; ++i) {
    note_inbound(engine.state, {491'500'000'000ULL + i, 0, ChatKey::Kind::phone}, kNow, kNow);
  }
  Persist persist(blobs);
  fuzz::require(persist.checkpoint(engine, {kNow, kNow, kNow}).has_value(), "it is saved");
  return blobs.values;
}

void use(Engine& engine, Tick now) {
  Moment moment;
  moment.now = now;
  moment.wall_ms = now;
  engine.set_connected(true, moment);
  const ChatKey chat{491'500'000'001ULL, 0, ChatKey::Kind::phone};
  (void)engine.add(1, chat, 7, now + kDay, false, false, false, false, moment);
  for (int i = 0; i < 20; ++i) {
    const Engine::Step step = engine.next(moment);
    if (step.kind == Engine::Step::Kind::send) engine.finish(step.job, moment);
    if (step.kind == Engine::Step::Kind::check) engine.on_checked(step.chat, true, moment);
    if (step.kind == Engine::Step::Kind::refuse) engine.finish(step.job, moment);
    moment.now = std::max(moment.now + kMinute, std::min(step.at, moment.now + kDay));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto kUsual = usual();
  log::set_sink([](log::Level, std::string_view) {});
  fuzz::Input input(data, size);
  test::FakeScheduler scheduler;
  test::MemoryBlobStore blobs{scheduler};
  blobs.values = kUsual;
  Bytes& blob = blobs.values[kBlobs.at(input.byte() % kBlobs.size())];
  blob.assign(1, std::byte{1});
  append(blob, input.rest());
  auto engine = std::make_unique<Engine>();
  Persist persist(blobs);
  PolicyClock::Saved clock;
  fuzz::require(persist.load(*engine, clock).has_value(), "whatever it says, it is loaded");
  (void)persist.load_opted_out_ids();
  AuditLog audit(blobs);
  fuzz::require(audit.load() && audit.append({}) && audit.newest(100), "the log goes on");
  use(*engine, kNow + kHour);
  fuzz::require(persist.checkpoint(*engine, clock).has_value(), "and is saved again");
  auto again = std::make_unique<Engine>();
  Persist next(blobs);
  fuzz::require(next.load(*again, clock).has_value(), "and loaded");
  fuzz::require(again->state.chats.size() == engine->state.chats.size(), "with the same chats");
  return 0;
}
