// How long decide() takes with ten thousand jobs waiting, what a whole step costs, what it
// allocates, and how much memory the view needs. Bars: decide() below 10 us, nothing allocated, 2
// MiB.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <vector>

#include "support/fakes.h"
#include "throttle/engine.h"
#include "throttle/persist.h"

namespace {
std::uint64_t g_allocations = 0;
}
void* operator new(std::size_t size) {
  ++g_allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using namespace posthorn;
using namespace posthorn::throttle;
using Stopwatch = std::chrono::steady_clock;

constexpr Tick kStart = 1'790'000'000'000;

Moment at(Tick now) {
  Moment moment;
  moment.now = now;
  moment.wall_ms = now;
  return moment;
}
ChatKey chat_of(std::uint64_t n) { return {491'500'000'000ULL + n, 0, ChatKey::Kind::phone}; }

/// Ten thousand jobs for `chats` people, a third of each lane.
void fill(Engine& engine, std::uint64_t chats) {
  engine.set_connected(true, at(kStart - kHour));
  for (std::uint64_t chat = 0; chat < chats; ++chat) {
    if (chat % 3 == 0) continue;
    note_inbound(engine.state, chat_of(chat), kStart - (chat % 3 == 1 ? 2 * kDay : kHour), kStart);
  }
  for (std::uint64_t i = 0; i < 10'000; ++i)
    (void)engine.add(i + 1, chat_of(i % chats), mix(i) | 1, kStart + 400 * kDay, false, true, false,
                     true, at(kStart));
}

void print(const char* what, std::vector<double>& microseconds) {
  std::sort(microseconds.begin(), microseconds.end());
  double sum = 0;
  for (const double each : microseconds) sum += each;
  const auto part = [&](double q) {
    return microseconds[static_cast<std::size_t>(q * static_cast<double>(microseconds.size() - 1))];
  };
  std::printf("%-34s mean %6.3f us   p50 %6.3f   p99 %6.3f   p99.9 %6.3f   max %7.2f\n", what,
              sum / static_cast<double>(microseconds.size()), part(0.5), part(0.99), part(0.999),
              microseconds.back());
}

void measure(std::uint64_t chats) {
  Engine engine;
  fill(engine, chats);
  std::vector<double> deciding, stepping;
  deciding.reserve(400'000);
  stepping.reserve(400'000);
  Tick now = kStart;
  std::uint64_t sent = 0, allocated = 0, sequence = 10'000;
  for (int i = 0; i < 300'000; ++i) {
    const Moment moment = at(now);
    pass_time(engine.state, moment);
    const auto begin = Stopwatch::now();
    const Decision decision = decide(engine.state, moment, engine.waiting);
    const auto decided = Stopwatch::now();
    const std::uint64_t before = g_allocations;
    const Engine::Step step = engine.next(moment);
    allocated += g_allocations - before;
    const auto end = Stopwatch::now();
    (void)decision;
    deciding.push_back(std::chrono::duration<double, std::micro>(decided - begin).count());
    stepping.push_back(std::chrono::duration<double, std::micro>(end - decided).count());
    switch (step.kind) {
      case Engine::Step::Kind::wait:
        now = std::max(now + 1, std::min(step.at, now + kMinute));
        break;
      case Engine::Step::Kind::check:
        engine.on_checked(step.chat, true, moment);
        break;
      case Engine::Step::Kind::send:
      case Engine::Step::Kind::refuse: {
        const ChatKey chat = engine.waiting.chat(engine.waiting.job(step.job).chat).key;
        engine.finish(step.job, moment);
        ++sequence;
        ++sent;
        (void)engine.add(sequence, chat, mix(sequence) | 1, now + 400 * kDay, false, true, false,
                         true, moment);
        break;
      }
    }
  }
  std::printf("\n10,000 jobs waiting for %llu chats, 300,000 steps, %llu jobs gone and replaced\n",
              static_cast<unsigned long long>(chats), static_cast<unsigned long long>(sent));
  print("decide()", deciding);
  print("whole step (pass_time, holds, charge)", stepping);
  std::printf("allocations in the steps: %llu;  view: %.2f MiB\n",
              static_cast<unsigned long long>(allocated),
              static_cast<double>(engine.waiting.memory_bytes()) / (1 << 20));
}

void measure_writes() {
  test::FakeScheduler scheduler;
  test::MemoryBlobStore blobs(scheduler);
  Persist persist(blobs);
  Engine engine;
  engine.set_connected(true, at(kStart - kHour));
  std::uint64_t bytes = 0;
  constexpr int kSends = 2'000;
  const auto total = [&blobs] {
    std::size_t sum = 0;
    for (const auto& [name, value] : blobs.values) sum += value.size();
    return sum;
  };
  for (int i = 0; i < kSends; ++i) {
    JournalEvent event;
    event.at = kStart + i * kMinute;
    event.charge.chat = chat_of(static_cast<std::uint64_t>(i % 500));
    event.charge.text = mix(static_cast<std::uint64_t>(i));
    event.charge.sequence = static_cast<std::uint64_t>(i + 1);
    charge(engine.state, event.charge, event.at);
    const Tick now = event.at;
    blobs.values.clear();
    (void)persist.record(std::move(event));
    bytes += total();
    if (!persist.wants_checkpoint()) continue;
    blobs.values.clear();
    (void)persist.checkpoint(engine, {now, now, now});
    persist.on_durable(persist.last_checkpoint());
    bytes += total();
  }
  std::printf("\nbytes given to the store per charged send, 500 chats in turn: %.0f\n",
              static_cast<double>(bytes) / kSends);
}

}  // namespace

int main() {
  measure(10'000);
  measure(3'000);
  measure(50);
  measure_writes();
  std::printf("State: %zu bytes besides its pages of chats (at most %zu bytes)\n",
              sizeof(State) + 1'024 * sizeof(TextUse), kMaxPages * sizeof(Chats::Page));
  return 0;
}
