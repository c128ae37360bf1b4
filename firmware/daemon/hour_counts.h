#pragma once

#include <array>
#include <cstdint>

#include "posthorn/api/notification.h"
#include "posthorn/base/blob_store.h"
#include "posthorn/base/clock.h"
#include "posthorn/base/json.h"
#include "posthorn/base/scheduler.h"

namespace posthorn::daemon {

/// How many messages of the till were sent, arrived and failed in each of the last 24 hours: the
/// bars of the page. Hours are those of UTC. Kept on disk at most every ten minutes, so a power cut
/// takes so much of the picture, and an idle box writes nothing.
class HourCounts {
 public:
  static constexpr std::size_t kHours = 24;  ///< the present one and those before
  static constexpr minutes kSaveEvery{10};
  static constexpr std::string_view kBlob = "hours/counts";

  HourCounts(Scheduler& scheduler, BlobStore& blobs, const Clock& clock)
      : blobs_(blobs), clock_(clock), timer_(scheduler) {}

  /// What cannot be read is begun anew.
  void load();
  /// A status of a message that is told for the first time since the start, as far as the inbox
  /// does not know it.
  void on_status(api::MessageStatus status);
  /// Writes what is not written yet: at an orderly end.
  void save();
  /// {"now", "hours": [{"from", "sent", "delivered", "failed"}]}, 24 of them, oldest first; times
  /// in seconds since 1970.
  [[nodiscard]] json::Value to_json() const;

 private:
  struct Hour {
    std::int64_t number = 0;  ///< hours since 1970
    std::uint32_t sent = 0;
    std::uint32_t delivered = 0;
    std::uint32_t failed = 0;
  };
  [[nodiscard]] std::int64_t present() const { return clock_.now().unix_seconds() / 3600; }
  [[nodiscard]] static std::size_t place_of(std::int64_t number) {
    return static_cast<std::size_t>(number) % kHours;
  }

  BlobStore& blobs_;
  const Clock& clock_;
  Timer timer_;
  bool changed_ = false;
  std::array<Hour, kHours> hours_{};  ///< each in its place; one that is too old counts for nothing
};

}  // namespace posthorn::daemon
