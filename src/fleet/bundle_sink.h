#pragma once

#include <algorithm>
#include <functional>

#include "posthorn/base/scheduler.h"
#include "posthorn/fleet/updater.h"

namespace posthorn::fleet {

/// Takes a bundle as it comes, not faster than `bytes_per_second` (0: as it comes), and not more of
/// it than was announced.
class BundleSink final : public net::HttpSink {
 public:
  BundleSink(Scheduler& scheduler, BundleFile& file, std::uint64_t size,
             std::uint64_t bytes_per_second)
      : scheduler_(scheduler),
        timer_(scheduler),
        file_(file),
        left_(size - std::min(size, file.size())),
        bytes_per_second_(bytes_per_second),
        started_(scheduler.now()) {}

  void on_room(std::function<void()> wake) override { wake_ = std::move(wake); }
  Result<bool> write(ByteView piece) override;

 private:
  Scheduler& scheduler_;
  Timer timer_;
  BundleFile& file_;
  std::uint64_t left_;
  std::uint64_t bytes_per_second_;
  std::uint64_t taken_ = 0;
  Mono started_;
  std::function<void()> wake_;
};

}  // namespace posthorn::fleet
