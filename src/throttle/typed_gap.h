#pragma once

#include <algorithm>
#include <array>

#include "throttle/state.h"

namespace posthorn::throttle {

/// Gaps run from the charge, and a message that is typed first leaves later than its charge. So
/// that typing is part of the gap before a message and never shortens the one behind it, here is
/// before when the next one may not leave, counted from the real send. Nobody waits longer for it
/// than the typing took. Not stored: after a restart nothing is in flight.
class TypedGap {
 public:
  /// A job that was charged at `charged` leaves only now.
  void sent(const State& state, Lane lane, const ChatKey& chat, Tick charged, Tick now) {
    const Tick late = now - charged;
    any_ = state.next_any + late;
    in_lane_[static_cast<std::size_t>(lane)] =
        state.next_in_lane[static_cast<std::size_t>(lane)] + late;
    chat_ = chat;
    in_chat_ = now + state.settings.gap_chat_ms;
  }
  /// The next job of that kind leaves no earlier.
  [[nodiscard]] Tick earliest(const State& state, Lane lane, const ChatKey& chat) const {
    if (state.settings.unpaced_for_benchmarks) return 0;
    const Tick general = std::max(any_, in_lane_[static_cast<std::size_t>(lane)]);
    return chat == chat_ ? std::max(general, in_chat_) : general;
  }
  /// The calendar jumped ahead: gaps are counted in real time.
  void jump(Tick by, Tick now) {
    for (Tick* at : {&any_, &in_lane_[0], &in_lane_[1], &in_lane_[2], &in_chat_}) {
      if (*at > now - by) *at += by;
    }
  }

 private:
  Tick any_ = 0;
  std::array<Tick, 3> in_lane_{};
  ChatKey chat_{};
  Tick in_chat_ = 0;
};

}  // namespace posthorn::throttle
