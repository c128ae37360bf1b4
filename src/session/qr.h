#pragma once

#include <deque>
#include <optional>
#include <string>

#include "posthorn/base/bytes.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/base/time.h"

namespace posthorn::session {

/// The text of a QR code: five fields, client type 1 (Chrome). Source: protocol chapter 03
/// section 2.3.
[[nodiscard]] std::string qr_text(const std::string& ref, ByteView noise_public,
                                  ByteView identity_public, ByteView adv_secret);

/// The refs of one <pair-device> in turn: the first for 60 s, each following one for 20 s.
class QrRound {
 public:
  static constexpr seconds kFirst{60};
  static constexpr seconds kFollowing{20};
  static constexpr std::size_t kMostRefs = 16;

  /// Begins a round, or replaces the refs of the one that runs.
  void begin(std::deque<std::string> refs, Mono now);
  void end() { refs_.clear(); }
  /// The ref to show now; nullopt when none is left.
  [[nodiscard]] std::optional<std::string> current(Mono now);
  /// When the ref that is shown now gives way; nullopt when none is shown.
  [[nodiscard]] std::optional<Mono> next_change() const;

 private:
  std::deque<std::string> refs_;
  Mono until_;
};

}  // namespace posthorn::session
