#pragma once

#include <functional>
#include <memory>
#include <random>
#include <string>

#include "oracle.h"

namespace posthorn::powercut {

/// How thoroughly a run cuts at each boundary.
struct CutPlan {
  bool every_boundary = true;  ///< all written, all lost, and the last block torn in every way
  std::size_t exhaustive_up_to = 0;  ///< at a sync: every subset of so many unsynced blocks
  std::size_t random_subsets =
      0;                         ///< at a sync with more: so many random ones, torn ones among them
  std::size_t nested_depth = 1;  ///< cuts during the recovery after the cut, and so on
  std::size_t use_every =
      16;  ///< each so-manieth recovered ring is also used, cut and opened again
};

[[nodiscard]] inline RingFile::Options ring_of(std::uint64_t bytes) {
  RingFile::Options options;
  options.bytes = bytes;
  return options;
}

/// Runs one ring on a MemDisk as an application would, and at every moment that `plan` names asks
/// what a power cut then would leave. Stops at the first thing that is wrong.
class Driver {
 public:
  Driver(std::uint64_t seed, std::size_t alignment, RingFile::Options options, CutPlan plan);
  ~Driver();

  // What an application does.
  void open();
  void append(std::uint32_t length);
  void ack(Sequence sequence);
  void ack_oldest();
  void ack_random();
  /// A named reader reads beside the queue; step() lets it from then on.
  void add_reader();
  void read_on(std::size_t most_bytes);
  void turn();                   ///< one turn of the loop
  void pass(milliseconds time);  ///< timers
  void flush();
  void stop();  ///< an orderly end; open() starts again
  /// Power is really lost now, with a random fate for each block; open() starts again.
  void cut();
  /// Power is lost at the so-manieth boundary from now on, in the midst of whatever is written
  /// then; what runs on does so without consequence until resume() goes on from that moment.
  void cut_within(std::uint64_t boundaries) { cut_in_ = boundaries; }
  [[nodiscard]] bool died() const { return moment_of_death_ != nullptr; }
  /// Starts from what the power left, and loses it again after so many boundaries (0: not).
  void resume(std::uint64_t boundaries);

  /// The next `count` writes or syncs fail.
  void fail_next(MemDisk::Call call, int count);
  /// The so-manieth call from now on fails, whatever it is; 0: none. True from fault_met() on.
  void fail_call(std::uint64_t number, MemDisk::Fault fault) {
    fail_call_ = number;
    single_fault_ = fault;
    fault_met_ = false;
  }
  [[nodiscard]] bool fault_met() const { return fault_met_; }
  /// Every write and sync fails until this is called with nullopt.
  void fail_writes(std::optional<Errc> code) { failing_for_good_ = code; }
  /// Open, and once more when the fault hit that. False: refused twice.
  bool open_in_spite_of_fault();
  /// One of the above, by chance. `largest`: of payloads.
  void step(std::uint32_t largest);

  [[nodiscard]] RingFile& ring() { return *ring_; }
  [[nodiscard]] MemDisk& disk() { return *disk_; }
  RingFile::Options& options() { return options_; }
  [[nodiscard]] Oracle& oracle() { return oracle_; }
  [[nodiscard]] std::mt19937_64& chance() { return chance_; }
  [[nodiscard]] std::uint64_t cuts() const { return cuts_; }
  [[nodiscard]] std::uint64_t readings() const { return readings_; }
  [[nodiscard]] std::uint64_t operations() const { return operations_; }
  /// Empty while all is well.
  [[nodiscard]] const std::string& wrong() const { return wrong_; }
  [[nodiscard]] std::uint32_t next_length() const { return static_cast<std::uint32_t>(next_id_); }

 private:
  /// What the medium and the outside world have when the power goes.
  struct Moment {
    std::unique_ptr<MemDisk> disk;
    Oracle oracle;
  };
  void on_boundary(MemDisk& disk, std::size_t depth);
  void cut_here(const MemDisk& disk, std::size_t depth, const MemDisk::Chooser& fate,
                std::string_view how);
  void use(MemDisk& disk, RingFile& ring, Oracle oracle, test::FakeScheduler& scheduler);
  void hook();
  void die();
  [[nodiscard]] std::unique_ptr<MemDisk> random_cut();
  /// A cut is no damage: empty when the ring says so too.
  [[nodiscard]] static std::string damage_in(const RingFile& ring);
  void complain(std::string what, std::string_view how);
  void check_drops();

  std::uint64_t seed_;
  std::mt19937_64 chance_;
  RingFile::Options options_;
  CutPlan plan_;
  test::FakeScheduler scheduler_;
  test::InlineWorker worker_{scheduler_};
  test::SeededRandom random_;
  std::unique_ptr<MemDisk> disk_;
  std::unique_ptr<RingFile> ring_;
  Oracle oracle_;
  std::uint64_t next_id_ = 1;
  std::uint64_t dropped_ = 0;
  bool reads_ = false;
  std::uint64_t readings_ = 0;
  std::uint64_t cuts_ = 0;
  std::uint64_t boundaries_ = 0;
  std::uint64_t operations_ = 0;
  std::uint64_t cut_in_ = 0;
  std::unique_ptr<Moment> moment_of_death_;
  int failures_left_ = 0;
  std::uint64_t fail_call_ = 0;
  MemDisk::Fault single_fault_;
  bool fault_met_ = false;
  std::optional<Errc> failing_for_good_;
  MemDisk::Call failing_ = MemDisk::Call::write;
  std::string wrong_;
};

}  // namespace posthorn::powercut
