#pragma once

#include <algorithm>
#include <array>
#include <utility>

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
    before_ = now_;
    of_ = charged;
    const Tick late = now - charged;
    now_.any = state.next_any + late;
    now_.in_lane[static_cast<std::size_t>(lane)] =
        state.next_in_lane[static_cast<std::size_t>(lane)] + late;
    now_.chat = chat;
    now_.in_chat = now + state.settings.gap_chat_ms;
  }
  /// The job that was charged at `charged` did not leave after all.
  void not_sent(Tick charged) {
    if (std::exchange(of_, -1) == charged) now_ = before_;
  }
  /// The next job of that kind leaves no earlier.
  [[nodiscard]] Tick earliest(const State& state, Lane lane, const ChatKey& chat) const {
    if (state.settings.unpaced_for_benchmarks) return 0;
    const Tick general = std::max(now_.any, now_.in_lane[static_cast<std::size_t>(lane)]);
    return chat == now_.chat ? std::max(general, now_.in_chat) : general;
  }
  /// The calendar jumped ahead: gaps are counted in real time.
  void jump(Tick by, Tick now) {
    for (Ends* ends : {&now_, &before_}) {
      for (Tick* at :
           {&ends->any, &ends->in_lane[0], &ends->in_lane[1], &ends->in_lane[2], &ends->in_chat}) {
        if (*at > now - by) *at += by;
      }
    }
  }

 private:
  struct Ends {
    Tick any = 0;
    std::array<Tick, 3> in_lane{};
    ChatKey chat{};
    Tick in_chat = 0;
  };
  Ends now_, before_;
  Tick of_ = -1;  ///< when the job that made now_ of before_ was charged
};

}  // namespace posthorn::throttle
