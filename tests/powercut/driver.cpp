#include "driver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

namespace posthorn::powercut {

using Fate = MemDisk::Fate;

Driver::Driver(std::uint64_t seed, std::size_t alignment, RingFile::Options options, CutPlan plan)
    : seed_(seed),
      chance_(seed),
      options_(std::move(options)),
      plan_(plan),
      random_(seed),
      disk_(std::make_unique<MemDisk>(alignment)) {
  options_.path = "ring";
  hook();
}

Driver::~Driver() {
  disk_->on_boundary = nullptr;
  disk_->fault = nullptr;
  ring_.reset();
  scheduler_.run_posted();
}

void Driver::hook() {
  disk_->on_boundary = [this] { on_boundary(*disk_, 1); };
  disk_->fault = [this](MemDisk::Call call) -> std::optional<MemDisk::Fault> {
    const bool writes = call == MemDisk::Call::write || call == MemDisk::Call::sync ||
                        call == MemDisk::Call::create;
    if (failing_for_good_ && writes) return MemDisk::Fault{*failing_for_good_, 512};
    if (fail_call_ != 0 && --fail_call_ == 0) {
      fault_met_ = true;
      return single_fault_;
    }
    if (failures_left_ == 0 || call != failing_) return std::nullopt;
    --failures_left_;
    return MemDisk::Fault{Errc::io, static_cast<std::size_t>(chance_() % 4096)};
  };
}

void Driver::open() {
  auto opened = RingFile::open(*disk_, scheduler_, worker_, random_, options_);
  if (!opened) return complain(to_string(opened.error()), "open");
  ring_ = std::move(*opened);
  dropped_ = 0;
  if (std::string what = oracle_.adopt(*ring_); !what.empty()) complain(std::move(what), "open");
}

bool Driver::open_in_spite_of_fault() {
  const bool had_met = fault_met_;
  open();
  if (wrong_.empty() || had_met || !fault_met_) return wrong_.empty();
  wrong_.clear();
  open();
  return wrong_.empty();
}

void Driver::append(std::uint32_t length) {
  ++operations_;
  const Sent sent{next_id_++, std::max<std::uint32_t>(length, 8)};
  oracle_.on_offered(sent);
  const std::uint64_t acks = oracle_.acks_issued();
  ring_->append(sent.payload(), sent.accepted_at(), sent.worth(),
                [this, id = sent.id, acks](Result<Sequence> sequence) {
                  if (!sequence) return oracle_.on_failed(id, sequence.error().code);
                  oracle_.on_confirmed(id, *sequence);
                  oracle_.on_acks_durable(acks);
                });
  check_drops();
}

/// Dropping to make room happens inside append; a cut may meet it before the listener is told.
void Driver::check_drops() {
  if (ring_->status().dropped == dropped_) return;
  dropped_ = ring_->status().dropped;
  const auto pending = oracle_.pending();
  for (const auto& [sequence, sent] : pending) {
    if (!ring_->find(sequence)) oracle_.on_acked(sequence);
  }
}

void Driver::ack(Sequence sequence) {
  ++operations_;
  ring_->ack(sequence);
  oracle_.on_acked(sequence);
}

void Driver::ack_oldest() {
  if (const auto entry = ring_->first()) ack(entry->sequence);
}

void Driver::ack_random() {
  if (oracle_.pending().empty()) return;
  auto at = oracle_.pending().begin();
  std::advance(at, static_cast<std::ptrdiff_t>(chance_() % oracle_.pending().size()));
  ack(at->first);
}

void Driver::add_reader() {
  reads_ = true;
  if (!ring_->readers().empty()) return;
  EXPECT_TRUE(ring_->add_reader("page", 0));
  oracle_.on_reader_added();
}

void Driver::read_on(std::size_t most_bytes) {
  ++operations_;
  add_reader();  // a cut may have come before the first one was on disk
  const Sequence since = ring_->readers()[0].position;
  RingFile::Reading reading;
  bool answered = false;
  ring_->read("page", 0, most_bytes, [&](Result<RingFile::Reading> read) {
    if (read) reading = std::move(*read);
    answered = read.has_value();
  });
  turn();
  if (!answered) return;  // the device failed, as it was told to
  ++readings_;
  if (std::string what = oracle_.check_reading(since, reading); !what.empty()) {
    complain(std::move(what), "reading");
  }
  if (reading.position <= since) return;
  ring_->advance("page", reading.position);
  oracle_.on_advanced(reading.position);
}

void Driver::turn() {
  scheduler_.run_posted();
  ++operations_;
  if (std::string what = oracle_.compare_live(*ring_); !what.empty())
    complain(std::move(what), "live");
}

void Driver::pass(milliseconds time) {
  scheduler_.advance(time);
  ++operations_;
}

void Driver::flush() {
  ++operations_;
  const std::uint64_t acks = oracle_.acks_issued();
  ring_->flush([this, acks](Result<void> flushed) {
    if (flushed) oracle_.on_acks_durable(acks);
  });
  scheduler_.run_posted();
}

void Driver::stop() {
  ++operations_;
  const std::uint64_t acks = oracle_.acks_issued();
  ring_->end([this, acks](Result<void> flushed) {
    if (flushed) oracle_.on_acks_durable(acks);
  });
  scheduler_.run_posted();
  ring_.reset();
  scheduler_.run_posted();
}

void Driver::cut() {
  ++operations_;
  disk_->on_boundary = nullptr;
  auto after = random_cut();
  // What the ring answers while it is dropped, the application never heard.
  const Oracle at_cut = oracle_;
  ring_.reset();
  scheduler_.run_posted();
  oracle_ = at_cut;
  disk_ = std::move(after);
  failures_left_ = 0;
  hook();
}

std::unique_ptr<MemDisk> Driver::random_cut() {
  ++cuts_;
  return disk_->after_cut(
      [this](std::size_t) { return static_cast<Fate>(chance_() % MemDisk::kFates); }, chance_());
}

void Driver::die() {
  moment_of_death_ = std::make_unique<Moment>(Moment{random_cut(), oracle_});
  disk_->on_boundary = nullptr;
}

void Driver::resume(std::uint64_t boundaries) {
  const std::unique_ptr<Moment> moment = std::move(moment_of_death_);
  disk_->on_boundary = nullptr;
  ring_.reset();
  scheduler_.run_posted();
  oracle_ = std::move(moment->oracle);
  disk_ = std::move(moment->disk);
  failures_left_ = 0;
  cut_in_ = boundaries;
  hook();
  open();
  // A cut within this start, too, may have ended it.
  if (died() || !wrong_.empty()) return;
  if (std::string what = damage_in(*ring_); !what.empty()) complain(std::move(what), "resume");
}

std::string Driver::damage_in(const RingFile& ring) {
  const queue::Recovery& report = ring.recovery();
  if (report.damaged == 0 && report.lost.empty() && report.set_aside.empty()) return {};
  return "reports damage that a cut does not do: damaged " + std::to_string(report.damaged) +
         ", lost " + std::to_string(report.lost.size()) + ", torn " + std::to_string(report.torn) +
         " " + report.set_aside;
}

void Driver::fail_next(MemDisk::Call call, int count) {
  failing_ = call;
  failures_left_ = count;
}

void Driver::step(std::uint32_t largest) {
  if (reads_ && chance_() % 8 == 0) return read_on(chance_() % 5000);
  const std::uint64_t dice = chance_() % 100;
  const auto length = [&] { return static_cast<std::uint32_t>(8 + chance_() % (largest - 7)); };
  if (dice < 45) {
    append(length());
  } else if (dice < 65) {
    ack_oldest();
  } else if (dice < 75) {
    ack_random();
  } else if (dice < 94) {
    turn();
  } else if (dice < 96) {
    pass(milliseconds(chance_() % 3000));
  } else if (dice < 98) {
    flush();
  } else {
    for (int i = 0; i < 5; ++i) append(length());
    turn();
  }
}

void Driver::complain(std::string what, std::string_view how) {
  if (!wrong_.empty()) return;
  wrong_ = what + " (seed " + std::to_string(seed_) + ", boundary " + std::to_string(boundaries_) +
           ", cut " + std::to_string(cuts_) + ", " + std::string(how) + ")";
}

void Driver::on_boundary(MemDisk& disk, std::size_t depth) {
  if (!wrong_.empty()) return;
  ++boundaries_;
  if (depth == 1 && cut_in_ != 0 && --cut_in_ == 0) return die();
  const std::size_t count = disk.unsynced_blocks();
  if (plan_.every_boundary) {
    cut_here(
        disk, depth, [](std::size_t) { return Fate::written; }, "all written");
    if (count == 0) return;
    cut_here(
        disk, depth, [](std::size_t) { return Fate::lost; }, "all lost");
    if (depth > 1) return;
    for (std::size_t fate = 2; fate < MemDisk::kFates; ++fate) {
      cut_here(
          disk, depth,
          [&](std::size_t i) { return i + 1 == count ? static_cast<Fate>(fate) : Fate::written; },
          "last block torn");
    }
  }
  if (count == 0) return;
  if (count <= plan_.exhaustive_up_to) {
    for (std::uint64_t subset = 0; subset < (1ULL << count); ++subset) {
      cut_here(
          disk, depth,
          [&](std::size_t i) { return (subset >> i & 1) != 0 ? Fate::written : Fate::lost; },
          "subset");
    }
  } else {
    for (std::size_t n = 0; n < plan_.random_subsets; ++n) {
      std::mt19937_64 dice(chance_());
      cut_here(
          disk, depth,
          [&](std::size_t) {
            const std::uint64_t roll = dice() % 16;
            return roll < 7    ? Fate::written
                   : roll < 13 ? Fate::lost
                               : static_cast<Fate>(2 + dice() % 6);
          },
          "random subset");
    }
  }
}

void Driver::cut_here(const MemDisk& disk, std::size_t depth, const MemDisk::Chooser& fate,
                      std::string_view how) {
  if (!wrong_.empty()) return;
  ++cuts_;
  const auto after = disk.after_cut(fate, cuts_);
  test::FakeScheduler scheduler;
  test::InlineWorker worker(scheduler);
  test::SeededRandom random(cuts_);
  if (depth < plan_.nested_depth) {
    after->on_boundary = [&] { on_boundary(*after, depth + 1); };
  }
  auto opened = RingFile::open(*after, scheduler, worker, random, options_);
  after->on_boundary = nullptr;
  if (!opened) return complain("does not open: " + to_string(opened.error()), how);
  RingFile& ring = **opened;
  if (std::string what = damage_in(ring); !what.empty()) return complain(std::move(what), how);
  Oracle oracle = oracle_;
  if (std::string what = oracle.adopt(ring); !what.empty()) return complain(std::move(what), how);
  if (plan_.use_every != 0 && cuts_ % plan_.use_every == 0) {
    use(*after, ring, std::move(oracle), scheduler);
  }
}

/// A recovered ring must go on working, and be found again whole.
void Driver::use(MemDisk& disk, RingFile& ring, Oracle oracle, test::FakeScheduler& scheduler) {
  const auto oldest = ring.first();
  const bool had = oldest.has_value();
  if (had) {
    ring.ack(oldest->sequence);
    oracle.on_acked(oldest->sequence);
  }
  for (std::uint64_t id = 1'000'000'000'000; id < 1'000'000'000'003; ++id) {
    const Sent sent{id, static_cast<std::uint32_t>(8 + (id + cuts_) % 900)};
    oracle.on_offered(sent);
    const std::uint64_t acks = oracle.acks_issued();
    ring.append(sent.payload(), sent.accepted_at(), sent.worth(),
                [&oracle, id, acks](Result<Sequence> sequence) {
                  if (!sequence) return oracle.on_failed(id, sequence.error().code);
                  oracle.on_confirmed(id, *sequence);
                  oracle.on_acks_durable(acks);
                });
    if (ring.status().dropped > 0) {
      const auto pending = oracle.pending();
      for (const auto& [sequence, unused] : pending) {
        if (!ring.find(sequence)) oracle.on_acked(sequence);
      }
    }
    scheduler.run_posted();
  }
  const auto again = disk.after_cut([](std::size_t) { return Fate::lost; }, cuts_);
  ++cuts_;
  test::FakeScheduler other;
  test::InlineWorker worker(other);
  test::SeededRandom random;
  auto opened = RingFile::open(*again, other, worker, random, options_);
  if (!opened) return complain("does not open again: " + to_string(opened.error()), "use");
  if (std::string what = oracle.adopt(**opened); !what.empty()) complain(std::move(what), "use");
}

}  // namespace posthorn::powercut
