#include <cstdio>
#include <cstdlib>
#include <new>

#include "posthorn/base/log.h"
#include "throttle/engine.h"
#include "throttle/valve_fixture.h"

namespace {
std::uint64_t g_allocations = 0;
}

// Counts what the engine allocates; the tests read the difference around what they measure. Not
// inline: the compiler would see a free() where it looks for a delete.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++g_allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace posthorn::throttle {
namespace {

using posthorn::test::SeededRandom;

constexpr Tick kStart = 1'790'000'000'000;

Moment at(Tick now) {
  Moment moment;
  moment.now = now;
  moment.wall_ms = now;
  return moment;
}

ChatKey chat_of(std::uint64_t n) { return {491'500'000'000ULL + n, 0, ChatKey::Kind::phone}; }

/// An engine with its world in one place: every number exists, every send is answered at once.
class Shop {
 public:
  explicit Shop(std::uint64_t seed) : random_(seed) {
    engine.state.random = seed;
    engine.set_connected(true, at(now - kHour));
  }

  std::uint64_t below(std::uint64_t n) { return random_.between(0, n - 1); }
  std::uint64_t add(std::uint64_t chat, Tick life = kDay, bool consent = true) {
    const std::uint64_t sequence = ++last_;
    const Admission admission = engine.add(sequence, chat_of(chat), mix(sequence) | 1, now + life,
                                           false, consent, false, false, at(now));
    return admission.refusal ? 0 : sequence;
  }
  void wrote(std::uint64_t chat, Tick ago) {
    engine.on_inbound(chat_of(chat), "hello", now - ago, at(now));
  }
  /// Lets time pass to `until`, stopping at each thing to do. sent(sequence) is told each
  /// hand-over, refused(sequence, why) each refusal.
  template <class Sent, class Refused>
  void run(Tick until, Sent sent, Refused refused) {
    for (;;) {
      const Engine::Step step = engine.next(at(now));
      const std::uint64_t sequence = step.job == kNone ? 0 : engine.waiting.job(step.job).sequence;
      switch (step.kind) {
        case Engine::Step::Kind::wait: {
          if (now >= until) return;
          now = std::clamp(step.at, now + 1, until);
          continue;
        }
        case Engine::Step::Kind::check:
          engine.on_checked(step.chat, true, at(now));
          continue;
        case Engine::Step::Kind::send:
          sent(sequence, step.charge);
          break;
        case Engine::Step::Kind::refuse:
          refused(sequence, step.refusal);
          break;
      }
      engine.finish(step.job, at(now));
    }
  }

  Engine engine;
  Tick now = kStart;

 private:
  SeededRandom random_;
  std::uint64_t last_ = 0;
};

void tell(int property, std::uint64_t steps) {
  std::printf("[property %d] %llu steps\n", property, static_cast<unsigned long long>(steps));
}

// Property 6.
TEST(Lanes, AReplyAloneInItsLaneLeavesWithinThreeSeconds) {
  std::uint64_t steps = 0;
  for (std::uint64_t seed = 1; steps < 1'000'000; ++seed) {
    Shop shop(seed);
    for (std::uint64_t chat = 1'000; chat < 1'400; ++chat) {
      if (chat % 2 == 0) shop.wrote(chat, 3 * kDay);
      for (int i = 0; i < 4; ++i) shop.add(chat, 30 * kDay);
    }
    Tick posted = 0;
    std::uint64_t waiting = 0;
    Tick worst = 0;
    for (int round = 0; round < 20'000; ++round) {
      // Other lanes are full; every now and then a customer asks something.
      if (waiting == 0 && shop.below(10) == 0) {
        const std::uint64_t chat = shop.below(900);
        shop.wrote(chat, 0);
        waiting = shop.add(chat, kDay);
        posted = shop.now;
      }
      shop.run(
          shop.now + static_cast<Tick>(shop.below(4'000)),
          [&](std::uint64_t sequence, const Charge&) {
            ++steps;
            if (sequence != waiting) return;
            worst = std::max(worst, shop.now - posted);
            waiting = 0;
          },
          [](std::uint64_t, Refusal) {});
      ++steps;
      if (shop.engine.waiting.size() < 800) shop.add(1'000 + shop.below(400), 30 * kDay);
    }
    // One gap of at most 3 s after the reply before it, and 1 s after any other message.
    ASSERT_LE(worst, 4'000) << "seed " << seed;
  }
  tell(6, steps);
}

// Property 7.
TEST(Lanes, EveryJobLeavesBeforeItExpiresWhenThereIsRoom) {
  std::uint64_t steps = 0;
  std::uint64_t left = 0;
  for (std::uint64_t seed = 1; steps < 1'000'000; ++seed) {
    Shop shop(seed);
    for (std::uint64_t chat = 0; chat < 200; ++chat) shop.wrote(chat, 3 * kDay);
    std::uint64_t fresh = 10'000;
    Tick next_new = shop.now;
    std::uint64_t expected = 0;
    std::uint64_t gone = 0;
    for (int round = 0; round < 20'000; ++round, ++steps) {
      // About 24 messages a day to people who know us, and one new customer a day, who answers.
      if (shop.below(2) == 0) expected += shop.add(shop.below(200)) != 0 ? 1 : 0;
      if (shop.now >= next_new) {
        next_new = shop.now + kDay + static_cast<Tick>(shop.below(kHour));
        ASSERT_NE(shop.add(++fresh), 0U) << "an opening was refused though there is room";
        ++expected;
      }
      shop.run(
          shop.now + static_cast<Tick>(shop.below(kHour)),
          [&](std::uint64_t, const Charge& charge) {
            ++gone;
            if (charge.opening)
              shop.engine.on_inbound(charge.chat, "thanks", shop.now, at(shop.now));
          },
          [&](std::uint64_t sequence, Refusal why) {
            ADD_FAILURE() << "job " << sequence << " was refused: " << to_string(why);
          });
      ASSERT_FALSE(HasFailure());
    }
    shop.run(
        shop.now + kDay, [&](std::uint64_t, const Charge&) { ++gone; },
        [&](std::uint64_t, Refusal why) { ADD_FAILURE() << to_string(why); });
    ASSERT_EQ(gone, expected) << "seed " << seed;
    left += gone;
  }
  EXPECT_GT(left, 100'000U);
  tell(7, steps);
}

// Property 8, the first two parts; its time is measured by tests/bench.
TEST(Decide, IsDeterministicAndAllocatesNothingWithTenThousandJobsWaiting) {
  Shop one(5);
  Shop two(5);
  for (Shop* shop : {&one, &two}) {
    for (std::uint64_t chat = 0; chat < 3'000; ++chat) {
      if (chat % 3 != 0) shop->wrote(chat, chat % 3 == 1 ? 2 * kDay : kHour);
    }
    for (std::uint64_t i = 0; i < 10'000; ++i) shop->add(i % 3'000, 400 * kDay);
  }
  const auto nothing = [](std::uint64_t, Refusal) {};
  std::vector<std::pair<Tick, std::uint64_t>> first, second;
  first.reserve(200'000);
  second.reserve(200'000);
  std::uint64_t allocated = 0;
  constexpr std::uint64_t kSteps = 1'000'000;
  for (std::uint64_t step = 0; step < kSteps; ++step) {
    const Tick until = one.now + static_cast<Tick>(one.below(2'000));
    const std::uint64_t before = g_allocations;
    one.run(
        until, [&](std::uint64_t s, const Charge&) { first.emplace_back(one.now, s); }, nothing);
    allocated += g_allocations - before;
    (void)two.below(2'000);
    two.run(
        until, [&](std::uint64_t s, const Charge&) { second.emplace_back(two.now, s); }, nothing);
    // Keeps ten thousand waiting, as one more from a chat that already waits.
    while (one.engine.waiting.size() < 10'000) {
      const std::uint64_t chat = one.below(3'000);
      (void)two.below(3'000);
      one.add(chat, 400 * kDay);
      two.add(chat, 400 * kDay);
    }
    if (step % 100 == 0) {
      const Moment now = at(one.now);
      ASSERT_EQ(decide(one.engine.state, now, one.engine.waiting),
                decide(two.engine.state, now, two.engine.waiting));
    }
  }
  EXPECT_EQ(first, second);
  EXPECT_GT(first.size(), 1'000U);
  EXPECT_LE(allocated, 64U) << "only the pages of new chats and the first growth of a heap";
  EXPECT_LE(one.engine.waiting.memory_bytes(), 2U << 20);
  tell(8, kSteps);
}

}  // namespace
}  // namespace posthorn::throttle
