#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/chat/events.h"
#include "posthorn/queue/ring_file.h"
#include "posthorn/session/events.h"
#include "posthorn/throttle/valve.h"

namespace posthorn::daemon {

/// Counts what the composition root sees pass by, for /metrics.
class Counters {
 public:
  void on_event(const session::Event& event);
  void on_event(const chat::Event& event);
  void on_fate(const throttle::Fate& fate);
  void add_to(std::vector<throttle::Metric>& out) const;

 private:
  std::map<std::string, std::uint64_t> receipts_;  ///< by kind
  std::map<std::string, std::uint64_t> fates_;     ///< by fate
  std::map<int, std::uint64_t> failures_;          ///< by ack error code
  std::map<std::string, std::uint64_t> states_;    ///< session states entered
  std::uint64_t messages_in_ = 0;
  std::uint64_t reconnects_ = 0;  ///< times online again, the first not counted
  bool was_online_ = false;
};

/// Depth, age, bytes and losses of one ring; now: for the age of its oldest entry.
void add_ring(std::vector<throttle::Metric>& out, const std::string& name,
              const queue::RingStatus& status, Wall now);
/// Resident memory of this process; nullopt where the system does not tell.
[[nodiscard]] std::optional<std::uint64_t> resident_bytes();
/// The same as a metric; nothing where the system does not tell.
void add_process(std::vector<throttle::Metric>& out);

}  // namespace posthorn::daemon
