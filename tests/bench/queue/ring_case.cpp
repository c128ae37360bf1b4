#include <malloc.h>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "posthorn/loop/loop.h"
#include "posthorn/queue/ring_file.h"
#include "rivals.h"

namespace posthorn::bench {

namespace {

/// Posters that each append, wait for the confirmation, acknowledge, and append again.
class Posters {
 public:
  Posters(queue::RingFile& ring, loop::Loop& loop, double seconds)
      : ring_(ring), loop_(loop), start_(Clock::now()), seconds_(seconds) {}

  void post() {
    const auto asked = Clock::now();
    if (std::chrono::duration<double>(asked - start_).count() > seconds_) {
      if (open_ == 0) finish();
      return;
    }
    ++open_;
    ring_.append(Bytes(kMessageBytes), Wall{}, [this, asked](Result<queue::Sequence> sequence) {
      if (!sequence) {
        std::fprintf(stderr, "append: %s\n", to_string(sequence.error()).c_str());
        std::exit(1);
      }
      latencies.push_back(std::chrono::duration<double, std::milli>(Clock::now() - asked).count());
      ring_.ack(*sequence);
      --open_;
      post();
    });
  }

  std::vector<double> latencies;

 private:
  void finish() {
    ring_.flush([this](Result<void>) { loop_.stop(); });
  }
  queue::RingFile& ring_;
  loop::Loop& loop_;
  Clock::time_point start_;
  double seconds_;
  int open_ = 0;
};

}  // namespace

Sample measure_ring(const std::string& folder, bool buffered, DeviceCounters& counters, int posters,
                    double seconds) {
  loop::Loop loop;
  loop::PoolWorker worker(loop);
  loop::SystemRandom random;
  queue::PosixDisk disk(buffered ? queue::PosixDisk::Mode::buffered
                                 : queue::PosixDisk::Mode::automatic);
  queue::RingFile::Options options;
  options.path = folder + "/bench.ring";
  std::remove(options.path.c_str());
  auto ring = queue::RingFile::open(disk, loop, worker, random, options);
  if (!ring) {
    std::fprintf(stderr, "open: %s\n", to_string(ring.error()).c_str());
    std::exit(1);
  }
  counters.start();
  const auto start = Clock::now();
  Posters all(**ring, loop, seconds);
  for (int i = 0; i < posters; ++i) all.post();
  loop.run();
  const double took = std::chrono::duration<double>(Clock::now() - start).count();
  return summarize(std::move(all.latencies), took, counters.stop());
}

namespace {

double heap_in_use() { return static_cast<double>(mallinfo2().uordblks + mallinfo2().hblkhd); }

}  // namespace

Opening measure_opening(const std::string& folder, int entries) {
  loop::Loop loop;
  loop::PoolWorker worker(loop);
  loop::SystemRandom random;
  queue::PosixDisk disk;
  queue::RingFile::Options options;
  options.path = folder + "/large.ring";
  options.bytes = 128ULL << 20;
  std::remove(options.path.c_str());
  {
    auto ring = queue::RingFile::open(disk, loop, worker, random, options);
    for (int i = 0; ring && i < entries; i += 1000) {
      for (int k = 0; k < 1000; ++k) {
        (*ring)->append(Bytes(kMessageBytes), Wall{}, [](const Result<queue::Sequence>&) {});
      }
      (*ring)->flush([&](Result<void>) { loop.stop(); });
      loop.run();
    }
  }
  malloc_trim(0);
  const double before = heap_in_use();
  const auto start = Clock::now();
  auto ring = queue::RingFile::open(disk, loop, worker, random, options);
  Opening opening;
  opening.milliseconds = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  opening.heap_mib = (heap_in_use() - before) / (1 << 20);
  if (!ring || (*ring)->status().pending != static_cast<std::uint64_t>(entries)) std::exit(1);
  return opening;
}

}  // namespace posthorn::bench
