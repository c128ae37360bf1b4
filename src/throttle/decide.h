#pragma once

#include <cstdint>
#include <optional>

#include "posthorn/throttle/status.h"
#include "throttle/state.h"
#include "throttle/waiting.h"

namespace posthorn::throttle {

/// What to do next. Only `send`, `refuse` and `wait` reach the outside; the others put one chat of
/// the view where it belongs, after which decide() is asked again.
struct Decision {
  enum class Kind : std::uint8_t {
    send,    ///< charge, then hand `job` over
    refuse,  ///< `job` leaves the outbox as failed, with `refusal`
    wait,    ///< nothing before `at` (kNever: nothing before news)
    hold,    ///< `chat` is stepped over until `at`, for `why`
    move,    ///< `chat` belongs into `line` now
    check,   ///< ask whether `chat` is on WhatsApp, then decide again
  };
  Kind kind = Kind::wait;
  std::uint32_t job = kNone;
  std::uint32_t chat = kNone;
  Tick at = kNever;
  Hold why = Hold::none;
  Refusal refusal = Refusal::expired;
  Line line = Line::busy;
  Lane lane = Lane::first;

  bool operator==(const Decision&) const = default;
};

/// The policy: pure, no allocation, no chance (the jitter is drawn when a send is charged).
/// pass_time(state, moment) has run for this moment.
[[nodiscard]] Decision decide(const State& state, const Moment& moment, const Waiting& waiting);

/// Where a chat whose oldest job is `head` belongs.
[[nodiscard]] Line classify(const State& state, const ChatKey& chat, const WaitingJob& head,
                            Tick now);

/// A door that opens at `at`; `why` is what keeps it shut.
struct Gate {
  Tick at = 0;
  Hold why = Hold::none;
};
/// Everything that holds a whole lane, or with `opening` set the openings, at this moment.
[[nodiscard]] Gate gate_of(const State& state, const Moment& moment, Line line);

/// A job for this chat waits because of the yellow state.
[[nodiscard]] bool stopped_by_yellow(const State& state, const ChatKey& chat, Tick now);
/// Asked again just before a charged job is handed over: a signal may have come since.
[[nodiscard]] bool still_allowed(const State& state, const ChatKey& chat, Lane lane, Tick now);

/// What to refuse when a job comes in, before it waits for anything.
struct Admission {
  std::optional<Refusal> refusal;
  Tick earliest = 0;  ///< no_capacity: when it could go at the earliest
};
[[nodiscard]] Admission admit(const State& state, const Moment& moment, const Waiting& waiting,
                              const ChatKey& chat, const WaitingJob& job);
/// When the windows that every first-lane message is counted in have room behind `ahead` others.
[[nodiscard]] Tick earliest_first(const State& state, const Moment& moment, std::uint32_t ahead);
/// When the next opening of this kind could go that has `ahead` others before it.
[[nodiscard]] Tick earliest_opening(const State& state, const Moment& moment, bool consent,
                                    std::uint32_t ahead);

/// What would become of a job that came in now; nothing is changed.
struct Forecast {
  Lane lane = Lane::first;
  bool new_customer = false;
  bool asked_first = false;  ///< about the number or the group
  Hold why = Hold::none;
  Tick at = 0;  ///< kNever: unknown
  std::optional<Refusal> refusal;
};
[[nodiscard]] Forecast forecast_of(const State& state, const Moment& moment, const Waiting& waiting,
                                   const ChatKey& chat, const WaitingJob& job);

/// The facts of a waiting job, for showMessagesQueue.
struct Explanation {
  Lane lane = Lane::first;
  Hold why = Hold::none;
  Tick not_before = 0;  ///< 0: now; kNever: unknown
};
[[nodiscard]] Explanation explain(const State& state, const Moment& moment, const Waiting& waiting,
                                  std::uint32_t job);

}  // namespace posthorn::throttle
