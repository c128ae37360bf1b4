#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "posthorn/loop/loop.h"
#include "posthorn/queue/ring_file.h"
#include "rivals.h"

namespace posthorn::bench {

namespace {

/// A card that takes its time: every sync lasts so long on top of its own time.
class SlowFile final : public queue::DiskFile {
 public:
  SlowFile(std::unique_ptr<queue::DiskFile> file, std::chrono::milliseconds per_sync)
      : file_(std::move(file)), per_sync_(per_sync) {}
  [[nodiscard]] std::size_t alignment() const override { return file_->alignment(); }
  [[nodiscard]] std::uint64_t size() const override { return file_->size(); }
  Result<void> read(std::uint64_t offset, std::span<std::byte> out) override {
    return file_->read(offset, out);
  }
  Result<void> write(std::uint64_t offset, ByteView data) override {
    return file_->write(offset, data);
  }
  Result<void> sync() override {
    std::this_thread::sleep_for(per_sync_);
    return file_->sync();
  }

 private:
  std::unique_ptr<queue::DiskFile> file_;
  std::chrono::milliseconds per_sync_;
};

class SlowDisk final : public queue::Disk {
 public:
  explicit SlowDisk(std::chrono::milliseconds per_sync) : per_sync_(per_sync) {}
  Result<std::unique_ptr<queue::DiskFile>> open(const std::string& path) override {
    return slowed(disk_.open(path));
  }
  Result<std::unique_ptr<queue::DiskFile>> create(const std::string& path,
                                                  std::uint64_t size) override {
    return slowed(disk_.create(path, size));
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    return disk_.rename(from, to);
  }
  Result<void> remove(const std::string& path) override { return disk_.remove(path); }

 private:
  Result<std::unique_ptr<queue::DiskFile>> slowed(Result<std::unique_ptr<queue::DiskFile>> file) {
    if (!file) return file;
    return std::make_unique<SlowFile>(std::move(*file), per_sync_);
  }
  queue::PosixDisk disk_;
  std::chrono::milliseconds per_sync_;
};

/// A timer every millisecond, and by how much it came late at worst: how long the loop was kept.
class Watch {
 public:
  Watch(loop::Loop& loop, double seconds)
      : loop_(loop),
        timer_(loop),
        end_(Clock::now() + std::chrono::milliseconds(static_cast<int>(1000 * seconds))) {
    tick();
  }
  double worst_ms = 0;

 private:
  void tick() {
    const auto asked = Clock::now();
    if (asked > end_) return loop_.stop();
    timer_.start(milliseconds(1), [this, asked] {
      const double took = std::chrono::duration<double, std::milli>(Clock::now() - asked).count();
      worst_ms = std::max(worst_ms, took - 1);
      tick();
    });
  }
  loop::Loop& loop_;
  Timer timer_;
  Clock::time_point end_;
};

/// Keeps so many appends open, acknowledging what is confirmed.
void keep_posting(queue::RingFile& ring, std::uint64_t& confirmed) {
  ring.append(Bytes(kMessageBytes), Wall{}, [&](Result<queue::Sequence> sequence) {
    if (!sequence) return;  // closed at the end
    ++confirmed;
    ring.ack(*sequence);
    keep_posting(ring, confirmed);
  });
}

}  // namespace

LoopKept measure_loop_kept(const std::string& folder, int posters, double seconds) {
  LoopKept result;
  {
    loop::Loop idle;
    Watch watch(idle, seconds);
    idle.run();
    result.without_ms = watch.worst_ms;
  }
  loop::Loop loop;
  loop::PoolWorker worker(loop);
  loop::SystemRandom random;
  SlowDisk disk(std::chrono::milliseconds(500));
  queue::RingFile::Options options;
  options.path = folder + "/slow.ring";
  auto ring = queue::RingFile::open(disk, loop, worker, random, options);
  if (!ring) std::exit(1);
  for (int i = 0; i < posters; ++i) keep_posting(**ring, result.confirmed);
  Watch watch(loop, seconds);
  loop.run();
  result.with_ms = watch.worst_ms;
  return result;
}

}  // namespace posthorn::bench
