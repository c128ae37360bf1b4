#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "posthorn/throttle/settings.h"
#include "posthorn/throttle/status.h"
#include "posthorn/throttle/valve.h"
#include "throttle/chats.h"
#include "throttle/rolling.h"
#include "throttle/standing.h"
#include "throttle/texts.h"
#include "throttle/tick.h"

namespace posthorn::throttle {

/// One first message to a chat that had never written to us.
struct Opening {
  ChatKey chat;
  Tick at = 0;  ///< 0: none
  bool consent = false;
  bool answered = false;
  bool read = false;  ///< the customer has opened what we wrote
};

/// The last N yes/no answers to one question, newest in bit 0.
struct LastAnswers {
  static constexpr std::uint32_t kMost = 64;
  std::uint64_t bits = 0;
  std::uint32_t count = 0;

  void push(bool yes, std::uint32_t keep) {
    bits = ((bits << 1) | (yes ? 1 : 0)) & (keep >= 64 ? ~0ULL : (1ULL << keep) - 1);
    count = count < keep ? count + 1 : keep;
  }
  /// The oldest yes becomes a no.
  void forgive() {
    if (bits != 0) bits &= ~(1ULL << (63 - __builtin_clzll(bits)));
  }
  /// The oldest `n` answers were never given.
  void forget(std::uint32_t n) {
    count -= std::min(count, n);
    bits &= count == 0 ? 0 : ~0ULL >> (64 - count);
  }
  [[nodiscard]] std::uint32_t yes() const {
    return static_cast<std::uint32_t>(__builtin_popcountll(bits));
  }
};

/// What an operator may double or approve. Stored: do not renumber.
enum class Exception : std::uint8_t {
  none = 0,
  openings = 1,
  minute = 2,
  minute_reply = 3,
  hour = 4,
  day = 5,
  budget_30d = 6,
  campaign = 7,
  yellow_hold = 8,
};
struct RunningOverride {
  Exception limit = Exception::none;
  std::uint64_t text = 0;  ///< campaign: hash of its text
  Tick until = 0;
  std::string who, reason;
};

/// Everything the throttle remembers. Fixed size but for the chats' pages, which stop at kMaxChats.
struct State {
  Settings settings;
  Standing standing;
  std::uint64_t random = 1;  ///< of the jitter; moves with each charge
  std::uint64_t salt = 0;    ///< of chat hashes in the audit log

  // Windows. known_first: both lanes together.
  MinuteWindow minute_known_first, minute_reply;
  HourWindow hour_known_first, hour_checks, hour_look_ups;
  DayWindow day_known_first, day_total, day_checks;
  DayWindow day_groups, day_members, day_statuses, day_profile;
  MonthWindow month_unanswered;
  std::array<Opening, 128> openings;  ///< ring, newest at openings_head
  std::uint32_t openings_head = 0;
  LastAnswers checks;       ///< yes: NOT on WhatsApp; the last 50 new people
  LastAnswers known_sends;  ///< yes: failed; last 10
  std::int64_t night = 0;   ///< which night urgent_at_night counts
  std::uint32_t urgent_at_night = 0;
  std::array<RunningOverride, 4> overrides;

  /// Ticks before this lag behind real time for good: the box was off and nobody ever told for how
  /// long. What was written before it opens no reply window.
  Tick unsure_always = 0;

  // When the next send may be handed over, by the gaps alone.
  Tick next_any = 0;
  std::array<Tick, 3> next_in_lane{};  ///< by Lane
  /// Jobs that are charged and not final: they are no new opening when they are handed over again.
  std::array<std::uint64_t, 16> charged{};

  Chats chats;
  Texts texts;

  // Not stored.
  bool connected = false;
  bool paused = false;
  Tick connected_at = 0;
  bool time_unknown = false;  ///< PolicyClock::awaits_time()
};

/// What one send costs, to be charged before it is handed over.
struct Charge {
  ChatKey chat;
  Lane lane = Lane::first;
  bool opening = false;
  bool consent = false;
  std::int64_t night = 0;      ///< night_of() when it is an urgent one in quiet hours, else 0
  bool again = false;          ///< handed over before: counts in the windows of time only
  bool own_device = false;     ///< typed on the phone: counts, but draws no gap
  std::uint64_t text = 0;      ///< 0: own device
  std::uint64_t sequence = 0;  ///< of the job; 0: none

  bool operator==(const Charge&) const = default;
};

/// What a charge changed, for when nothing of it leaves the box.
struct Charged {
  Charge what;
  Tick at = 0;
  bool day = false, month = false, quota = false;  ///< counted there
  bool pushed = false;                             ///< one more opening
  Tick moved = 0;                                  ///< when its opening was before; 0: not moved
  bool marked = false;                             ///< among State::charged
  bool night = false;                              ///< one of State::urgent_at_night
  std::optional<ChatRecord> record;                ///< as it was
  std::optional<TextUse> text;                     ///< as it was; nullopt: there was none
};

// Facts ---------------------------------------------------------------------------------------

/// Within 24 h, as far as that is sure.
[[nodiscard]] bool wrote_lately(const State& state, const ChatRecord& record, Tick now);
[[nodiscard]] Lane lane_of(const State& state, const ChatRecord* record, Tick now);
/// For people: a group is nobody new, however little is known of it.
[[nodiscard]] Lane shown_lane(const State& state, const ChatKey& chat, Tick now);
[[nodiscard]] bool in_quiet_hours(const Settings& settings, const Moment& moment);
/// When the present night ends; only while in quiet hours.
[[nodiscard]] Tick morning_after(const Settings& settings, const Moment& moment);
[[nodiscard]] std::int64_t night_of(const Settings& settings, const Moment& moment);
[[nodiscard]] bool is_charged(const State& state, std::uint64_t sequence);
/// Share of the last 100 openings of 14 days that were answered; < 0: fewer than 20.
[[nodiscard]] double reply_share(const State& state, Tick now);
/// The same, where a message that was asked for (consent) and opened is as good as an answer:
/// receipts are rarely answered.
[[nodiscard]] double welcome_share(const State& state, Tick now);
/// Share of "not on WhatsApp" among the last 50 new people; < 0: fewer than 20. A clerk mistypes up
/// to one in ten, which shows in no more than a quarter of any 50.
[[nodiscard]] double bad_number_share(const State& state);
inline constexpr double kPoorList = 0.10;     ///< for those without consent: a list
inline constexpr double kPoorNumbers = 0.25;  ///< for all
/// We have heard of each other within 30 days: no stranger to the day's total.
[[nodiscard]] bool in_touch(const ChatRecord& record, Tick now);
[[nodiscard]] const RunningOverride* find_override(const State& state, Exception limit, Tick now);

// Changes -------------------------------------------------------------------------------------

/// Returns what take_back() needs.
Charged charge(State& state, const Charge& what, Tick now);
/// Nothing of it has left the box: as if it had not been charged, but for the jitter. chat: under
/// which the person is kept now; where that is another name than then, what was counted with the
/// person stays. So does what came meanwhile (an answer, a message typed on the phone).
void take_back(State& state, const Charged& charged, const ChatKey& chat);
/// An inbound message, without its opt-out meaning. written_at: when the customer wrote it.
void note_inbound(State& state, const ChatKey& chat, Tick written_at, Tick now);
void note_check(State& state, const ChatKey& chat, bool on_whatsapp, Tick now);
/// Both names are one person's: what is known of `from` is known of `into` from now on.
void join_chats(State& state, const ChatKey& from, const ChatKey& into, Tick now);
/// One question more; before it is asked.
void charge_check(State& state, Tick now);
void note_final(State& state, std::uint64_t sequence);
void note_known_send(State& state, bool failed);
/// The chat has opened a message of ours.
void note_read(State& state, const ChatKey& chat);
/// Runs standing's clock and the counters' own alarm (share of welcome openings).
void pass_time(State& state, const Moment& moment);

}  // namespace posthorn::throttle
