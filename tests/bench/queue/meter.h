#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace posthorn::bench {

/// One way to keep messages, measured once.
struct Sample {
  double messages_per_second = 0;
  double p50_ms = 0, p99_ms = 0;  ///< from the post to its confirmation
  double device_bytes = 0;        ///< per message, accept and done together, at the block device
  double syncs = 0;               ///< flushes per message at the block device
};

/// The block device's own counters (/sys/block/NAME/stat). A process's write_bytes in /proc is no
/// substitute: it misses the journal and counts what direct I/O skips.
class DeviceCounters {
 public:
  /// folder: on the file system that lives on the device.
  DeviceCounters(std::string device, std::string folder)
      : device_(std::move(device)), folder_(std::move(folder)) {}
  void start();
  /// Bytes written and flushes since start(), after everything outstanding is written.
  struct Delta {
    double bytes = 0, flushes = 0;
  };
  [[nodiscard]] Delta stop() const;

 private:
  struct Raw {
    std::uint64_t sectors = 0, flushes = 0;
  };
  [[nodiscard]] Raw read() const;
  void settle() const;
  std::string device_;
  std::string folder_;
  Raw before_;
};

using Clock = std::chrono::steady_clock;

/// Turns what was measured into a Sample.
[[nodiscard]] Sample summarize(std::vector<double> latencies_ms, double seconds,
                               DeviceCounters::Delta delta);

inline constexpr std::size_t kMessageBytes = 512;

}  // namespace posthorn::bench
