#include "throttle/decide.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "throttle/limits.h"

namespace posthorn::throttle {
namespace {

constexpr Tick kYesFor = 30 * kDay;  // how long an answer about a number is believed
constexpr Tick kNoFor = 7 * kDay;
constexpr Tick kNoGroupFor = kMinute;  // whoever is told so may put the account into it at once
constexpr Tick kGroupAge = 12 * kHour;
constexpr std::uint32_t kCampaignChats = 30;
constexpr std::uint32_t kUrgentPerNight = 20;
constexpr std::uint8_t kRunLimit = 3;
constexpr std::uint8_t kRunLimitWithConsent = 10;

Gate later(Gate a, Gate b) { return b.at > a.at ? b : a; }

Lane lane_of_line(Line line) {
  switch (line) {
    case Line::reply:
      return Lane::reply;
    case Line::known:
    case Line::unchecked_known:
      return Lane::known;
    default:
      return Lane::first;
  }
}

/// Where a job that is handed over again stands among the others of its lane.
Line line_of_lane(Lane lane) {
  if (lane == Lane::first) return Line::follow_up;
  return lane == Lane::reply ? Line::reply : Line::known;
}

bool is_unchecked(Line line) {
  return line == Line::unchecked_known || line == Line::unchecked_consent ||
         line == Line::unchecked_plain;
}
bool is_opening(Line line) {
  return line == Line::opening_consent || line == Line::opening_plain ||
         line == Line::unchecked_consent || line == Line::unchecked_plain;
}
/// Of a chat in Line::refused.
Refusal refusal_of(const State& state, const ChatKey& chat) {
  const ChatRecord* record = state.chats.find(chat);
  if (record != nullptr && record->is(ChatRecord::opted_out)) return Refusal::opted_out;
  return chat.is_group() ? Refusal::not_in_group : Refusal::no_account;
}
bool has_consent(Line line) {
  return line == Line::opening_consent || line == Line::unchecked_consent;
}

/// Somebody has said lately that this number is on WhatsApp, or that it is not.
bool checked(const ChatRecord* record, ChatRecord::Flag answer, Tick lasts, Tick now) {
  return record != nullptr && record->is(answer) && now - from_stamp(record->checked) < lasts;
}

/// What stops everything.
Gate gate_of_account(const State& state, Tick now) {
  const Standing& s = state.standing;
  if (s.black) return {kNever, Hold::red};
  if (s.red) return {s.acknowledged && s.red_until > now ? s.red_until : kNever, Hold::red};
  if (!state.connected) return {kNever, Hold::offline};
  if (state.time_unknown) return {now + kSecond, Hold::offline};
  if (state.paused) return {kNever, Hold::pace};
  return later({now, Hold::none}, {s.pause_until, Hold::pace});
}

Gate gate_of_gaps(const State& state, Lane lane, Tick now) {
  const Tick in_lane = state.next_in_lane[static_cast<std::size_t>(lane)];
  return {std::max({now, state.next_any, in_lane}), Hold::pace};
}

enum class Budget : std::uint8_t { counts, is_paid };

Gate gate_of_windows(const State& state, const Moment& m, Lane lane, Budget budget) {
  const Tick now = m.now;
  Gate gate{
      state.day_total.free_at(now, static_cast<std::uint32_t>(state.settings.day_total_limit)),
      Hold::day_cap};
  if (lane == Lane::reply) {
    return later(gate,
                 {state.minute_reply.free_at(now, minute_reply_limit(state, now)), Hold::pace});
  }
  gate = later(gate, {state.minute_known_first.free_at(now, minute_limit(state, now)), Hold::pace});
  gate = later(gate, {state.hour_known_first.free_at(now, hour_limit(state, now)), Hold::hour_cap});
  if (lane != Lane::first) return gate;
  gate = later(gate, {state.day_known_first.free_at(now, day_limit(state, m)), Hold::day_cap});
  if (budget == Budget::counts) {
    gate = later(gate,
                 {state.month_unanswered.free_at(now, budget_limit(state, m)), Hold::budget_30d});
    gate = later(gate, {quota_free_at(state, now), Hold::budget_30d});
  }
  return gate;
}

/// Questions about numbers.
Gate gate_of_checks(const State& state, Tick now) {
  const auto limit = [](std::int64_t value) { return static_cast<std::uint32_t>(value); };
  const Tick hour = state.hour_checks.free_at(now, limit(state.settings.checks_hour_limit));
  const Tick day = state.day_checks.free_at(now, limit(state.settings.checks_day_limit));
  return {std::max(hour, day), Hold::check_budget};
}

/// The time of the nth newest opening (0: the newest); 0: there is none.
Tick nth_opening(const State& state, std::uint32_t nth, bool plain_only) {
  const std::size_t size = state.openings.size();
  for (std::size_t i = 0; i < size; ++i) {
    const Opening& opening = state.openings[(state.openings_head + size - i) % size];
    if (opening.at == 0) return 0;
    if (plain_only && opening.consent) continue;
    if (nth-- == 0) return opening.at;
  }
  return 0;
}

Tick spacing_of(double allowed) {
  return allowed <= 0 ? kNever : static_cast<Tick>(static_cast<double>(kDay) / allowed);
}

/// When one more opening fits under `limit` in 24 h.
Tick opening_slot(const State& state, Tick now, std::uint32_t limit, bool plain_only) {
  const Tick nth = nth_opening(state, limit - 1, plain_only);
  return nth == 0 ? now : std::max(now, nth + kDay);
}

Tick opening_free_at(const State& state, const Moment& m, const OpeningLimit& limit, bool consent) {
  if (limit.allowed < 1.0) {
    const Tick spacing = spacing_of(limit.allowed);
    if (spacing == kNever) return kNever;
    const Tick newest = nth_opening(state, 0, false);
    return newest == 0 ? m.now : std::max(m.now, newest + spacing);
  }
  const Tick any = opening_slot(state, m.now, static_cast<std::uint32_t>(limit.allowed), false);
  if (consent) return any;
  return std::max(any, opening_slot(state, m.now, limit.plain, true));
}

Gate gate_of_openings(const State& state, const Moment& m, bool consent) {
  const Standing& s = state.standing;
  if (s.openings_closed_until > m.now) return {s.openings_closed_until, Hold::yellow};
  const OpeningLimit limit = opening_limit(state, m);
  const Tick at = opening_free_at(state, m, limit, consent);
  return {at, limit.by_reply_ratio ? Hold::reply_ratio : Hold::opening_cap};
}

Tick reopening(const Standing& s) { return level_ends(s, s.yellow_at) == 0 ? kNever : s.reopen_at; }

/// Yellow stops the first lane, and the known lane for the harder kinds.
Gate gate_of_yellow(const State& state, Lane lane, Tick now) {
  const Standing& s = state.standing;
  const bool stopped =
      s.yellow && (lane == Lane::first || (lane == Lane::known && s.known_stopped));
  if (!stopped) return {now, Hold::none};
  return {std::max(reopening(s), now + kMinute), Hold::yellow};
}

// What holds or refuses one job ------------------------------------------------------------------

/// Keeps the same answer for the same job, so that a hold is not drawn again and again.
Tick spread_over_first_hour(std::uint64_t sequence) {
  return static_cast<Tick>(mix(sequence) % static_cast<std::uint64_t>(kHour));
}

Decision held(std::uint32_t chat, Tick at, Hold why) {
  return {.kind = Decision::Kind::hold, .chat = chat, .at = at, .why = why};
}

Decision refused(std::uint32_t job, Refusal why) {
  return {.kind = Decision::Kind::refuse, .job = job, .refusal = why};
}

Tick chat_gap_ends(const Settings& settings, const ChatRecord& record, Lane lane, Tick now) {
  if (record.last_out == 0) return now;
  const Tick since = now - record.last_out;
  if (lane == Lane::reply) {
    int in_minute = since < kMinute ? 1 : 0;
    for (const std::uint8_t before : record.before)
      in_minute += before < 255 && since + before * kSecond < kMinute ? 1 : 0;
    if (in_minute < 3) return now;
  }
  return std::max(now, record.last_out + settings.gap_chat_ms);
}

std::optional<Decision> quiet_hours(const State& state, const Moment& m, const WaitingJob& job,
                                    Lane lane) {
  if (lane == Lane::reply || !in_quiet_hours(state.settings, m)) return std::nullopt;
  if (job.urgent && lane == Lane::known) {
    const bool same_night = state.night == night_of(state.settings, m);
    if (!same_night || state.urgent_at_night < kUrgentPerNight) return std::nullopt;
  }
  const Tick morning = morning_after(state.settings, m) + spread_over_first_hour(job.sequence);
  return held(job.chat, morning, Hold::quiet_hours);
}

std::optional<Decision> unanswered_run(const ChatRecord& record, const WaitingJob& job,
                                       std::uint32_t slot, Tick now) {
  if (record.run >= (job.consent ? kRunLimitWithConsent : kRunLimit))
    return refused(slot, Refusal::unanswered_limit);
  if (record.run >= 2 && now < record.last_out + kDay)
    return held(job.chat, record.last_out + kDay, Hold::unanswered);
  return std::nullopt;
}

std::optional<Decision> same_text(const State& state, const ChatRecord* record,
                                  const WaitingJob& job, std::uint32_t slot, Lane lane, Tick now) {
  const TextUse* use = state.texts.find(job.text, now);
  if (use == nullptr) return std::nullopt;
  const bool got_it =
      record != nullptr && record->text == static_cast<std::uint32_t>(job.text >> 32);
  const Tick since = got_it ? now - from_stamp(record->text_at) : kNever;
  if (lane == Lane::first && since >= kDay && use->first_chats.used(now) >= kCampaignChats) {
    const RunningOverride* approved = find_override(state, Exception::campaign, now);
    if (approved == nullptr || approved->text != job.text)
      return refused(slot, Refusal::campaign_needs_approval);
  }
  if (since < kHour || use->in_last_hour(now) < 3 || now >= use->next) return std::nullopt;
  return held(job.chat, use->next, Hold::same_text);
}

Tick group_opens(const ChatKey& chat, const ChatRecord* record, Tick now) {
  if (!chat.is_group() || chat == kStories || (record != nullptr && record->last_out != 0))
    return now;
  if (record == nullptr || record->joined == 0) return now + kGroupAge;
  return from_stamp(record->joined) + kGroupAge;
}

Decision send(std::uint32_t job, std::uint32_t chat, Line line, Lane lane) {
  return {.kind = Decision::Kind::send, .job = job, .chat = chat, .line = line, .lane = lane};
}

/// The oldest job of a chat whose line is open.
Decision look_at(const State& state, const Moment& m, const Waiting& waiting,
                 std::uint32_t chat_slot) {
  const WaitingChat& chat = waiting.chat(chat_slot);
  const WaitingJob& job = waiting.job(chat.head);
  const Line line = classify(state, chat.key, job, m.now);
  if (line != chat.line) return {.kind = Decision::Kind::move, .chat = chat_slot, .line = line};
  const ChatRecord* record = state.chats.find(chat.key);
  const Lane lane = line == Line::retry ? lane_of(state, record, m.now) : lane_of_line(line);
  if (line == Line::retry) {
    Gate gate = gate_of_yellow(state, lane, m.now);
    if (!state.settings.unpaced_for_benchmarks) {
      gate = later(gate, gate_of_gaps(state, lane, m.now));
      gate = later(gate, gate_of_windows(state, m, lane, Budget::is_paid));
    }
    if (gate.at > m.now) return held(chat_slot, gate.at, gate.why);
  }
  if (record != nullptr && record->is(ChatRecord::reachout_refused)) {
    const Tick until = state.standing.yellow ? std::max(reopening(state.standing), m.now + kMinute)
                                             : record->last_out + kDay;
    if (until > m.now) return held(chat_slot, until, Hold::yellow);
  }
  if (state.settings.unpaced_for_benchmarks || line == Line::retry)
    return send(chat.head, chat_slot, line, lane);
  // Asked as soon as it waits, so that the clerk hears of a mistyped number at once and it never
  // stands in a real one's way.
  if (is_unchecked(line))
    return {.kind = Decision::Kind::check, .job = chat.head, .chat = chat_slot};

  if (const Tick opens = group_opens(chat.key, record, m.now); opens > m.now)
    return held(chat_slot, opens, Hold::opening_cap);
  if (const auto verdict = quiet_hours(state, m, job, lane)) return *verdict;
  if (record != nullptr) {
    if (const Tick ends = chat_gap_ends(state.settings, *record, lane, m.now); ends > m.now)
      return held(chat_slot, ends, Hold::chat_gap);
    if (lane == Lane::first) {
      if (const auto verdict = unanswered_run(*record, job, chat.head, m.now)) return *verdict;
    }
  }
  if (lane != Lane::reply) {
    if (const auto verdict = same_text(state, record, job, chat.head, lane, m.now)) return *verdict;
  }
  if (lane == Lane::known && record != nullptr && !in_touch(*record, m.now)) {
    const Tick free = state.day_known_first.free_at(m.now, day_limit(state, m));
    if (free > m.now) return held(chat_slot, free, Hold::day_cap);
  }
  return send(chat.head, chat_slot, line, lane);
}

/// The line of the first lane that is open and whose oldest job is the oldest.
Line open_first_line(const State& state, const Moment& m, const Waiting& waiting, Tick& earliest) {
  constexpr std::array kLines{Line::follow_up, Line::opening_consent, Line::opening_plain};
  Line found = Line::busy;
  std::uint64_t oldest = 0;
  for (const Line line : kLines) {
    const std::uint32_t chat = waiting.top(line);
    if (chat == kNone) continue;
    const Gate gate = gate_of(state, m, line);
    if (gate.at > m.now) {
      earliest = std::min(earliest, gate.at);
    } else if (found == Line::busy || waiting.order_of(chat) < oldest) {
      found = line;
      oldest = waiting.order_of(chat);
    }
  }
  return found;
}

/// A job whose time is over and that is not just being sent. While nobody knows the time, nobody
/// knows that either.
std::uint32_t expired(const State& state, const Waiting& waiting, Tick now) {
  const std::uint32_t job = waiting.next_to_expire();
  if (state.time_unknown || job == kNone || waiting.job(job).expires > now) return kNone;
  const WaitingChat& chat = waiting.chat(waiting.job(job).chat);
  return chat.line == Line::busy && chat.head == job ? kNone : job;
}

/// When something changes by time alone, whatever the lanes do.
Tick next_event(const Waiting& waiting, Tick now) {
  Tick at = kNever;
  if (const std::uint32_t chat = waiting.next_held(); chat != kNone)
    at = std::min(at, waiting.chat(chat).until);
  if (const std::uint32_t job = waiting.next_to_expire(); job != kNone)
    at = std::min(at, std::max(waiting.job(job).expires, now + kSecond));
  return at;
}

/// The line of somebody who has to be asked about before anything is sent to them, by number or
/// LID; `line` when they have not.
Line line_before(const State& state, const ChatKey& key, const ChatRecord* record, Line unchecked,
                 Line line, Tick now) {
  using Kind = ChatKey::Kind;
  if (state.settings.unpaced_for_benchmarks || (key.kind != Kind::phone && key.kind != Kind::lid))
    return line;
  if (checked(record, ChatRecord::checked_yes, kYesFor, now)) return line;
  return checked(record, ChatRecord::checked_no, kNoFor, now) ? Line::refused : unchecked;
}

/// A group that nothing was ever heard of is asked about, as numbers are.
Line line_of_group(const State& state, const ChatKey& key, const ChatRecord* record, Tick now) {
  if (key == kStories || state.settings.unpaced_for_benchmarks) return Line::known;
  if (record != nullptr && (record->joined != 0 || record->last_out != 0)) return Line::known;
  const bool no = checked(record, ChatRecord::checked_no, kNoGroupFor, now);
  return no ? Line::refused : Line::unchecked_known;
}

}  // namespace

Line classify(const State& state, const ChatKey& key, const WaitingJob& head, Tick now) {
  const ChatRecord* record = state.chats.find(key);
  if (record != nullptr && record->is(ChatRecord::opted_out)) {
    const bool confirmation = head.confirmation && record->is(ChatRecord::confirm_due);
    const bool wrote_since = record->last_in > record->opted && wrote_lately(state, *record, now);
    if (!confirmation && !wrote_since) return Line::refused;
    return is_charged(state, head.sequence) ? Line::retry : Line::reply;
  }
  if (is_charged(state, head.sequence)) return Line::retry;
  const Lane lane = lane_of(state, record, now);
  if (key.is_group() && lane != Lane::reply) return line_of_group(state, key, record, now);
  switch (lane) {
    case Lane::reply:
      return Line::reply;
    case Lane::known:
      if (record == nullptr || !record->is(ChatRecord::listed) || record->last_out != 0)
        return Line::known;
      return line_before(state, key, record, Line::unchecked_known, Line::known, now);
    case Lane::first:
      break;
  }
  if (record != nullptr && record->last_out != 0) return Line::follow_up;
  return head.consent
             ? line_before(state, key, record, Line::unchecked_consent, Line::opening_consent, now)
             : line_before(state, key, record, Line::unchecked_plain, Line::opening_plain, now);
}

Gate gate_of(const State& state, const Moment& m, Line line) {
  const Lane lane = lane_of_line(line);
  Gate gate = gate_of_account(state, m.now);
  gate = later(gate, gate_of_yellow(state, lane, m.now));
  if (state.settings.unpaced_for_benchmarks) return gate;
  if (is_unchecked(line)) return later(gate, gate_of_checks(state, m.now));
  gate = later(gate, gate_of_gaps(state, lane, m.now));
  gate = later(gate, gate_of_windows(state, m, lane, Budget::counts));
  if (is_opening(line)) gate = later(gate, gate_of_openings(state, m, has_consent(line)));
  return gate;
}

Decision decide(const State& state, const Moment& m, const Waiting& waiting) {
  if (const std::uint32_t job = expired(state, waiting, m.now); job != kNone)
    return refused(job, Refusal::expired);
  if (const std::uint32_t chat = waiting.top(Line::refused); chat != kNone) {
    const Line line =
        classify(state, waiting.chat(chat).key, waiting.job(waiting.chat(chat).head), m.now);
    if (line != Line::refused) return {.kind = Decision::Kind::move, .chat = chat, .line = line};
    return refused(waiting.chat(chat).head, refusal_of(state, waiting.chat(chat).key));
  }
  if (const std::uint32_t chat = waiting.next_held();
      chat != kNone && waiting.chat(chat).until <= m.now) {
    const WaitingJob& head = waiting.job(waiting.chat(chat).head);
    return {.kind = Decision::Kind::move,
            .chat = chat,
            .line = classify(state, waiting.chat(chat).key, head, m.now)};
  }
  Tick earliest = next_event(waiting, m.now);
  const Gate account = gate_of_account(state, m.now);
  if (account.at > m.now) return {.at = std::min(earliest, account.at), .why = account.why};

  // Each retry has the gates of its own lane, so look_at() asks for them.
  if (const std::uint32_t chat = waiting.top(Line::retry); chat != kNone)
    return look_at(state, m, waiting, chat);
  for (const Line line : {Line::reply, Line::known, Line::unchecked_known, Line::unchecked_consent,
                          Line::unchecked_plain}) {
    const std::uint32_t chat = waiting.top(line);
    if (chat == kNone) continue;
    const Gate gate = gate_of(state, m, line);
    if (gate.at <= m.now) return look_at(state, m, waiting, chat);
    earliest = std::min(earliest, gate.at);
  }
  if (const Line line = open_first_line(state, m, waiting, earliest); line != Line::busy)
    return look_at(state, m, waiting, waiting.top(line));
  return {.at = earliest};
}

bool stopped_by_yellow(const State& state, const ChatKey& chat, Tick now) {
  const ChatRecord* record = state.chats.find(chat);
  if (gate_of_yellow(state, lane_of(state, record, now), now).at > now) return true;
  return record != nullptr && record->is(ChatRecord::reachout_refused) && state.standing.yellow;
}

bool still_allowed(const State& state, const ChatKey& chat, Lane lane, Tick now) {
  if (gate_of_account(state, now).at > now) return false;
  if (gate_of_yellow(state, lane, now).at > now) return false;
  const ChatRecord* record = state.chats.find(chat);
  if (record == nullptr) return true;
  return !(record->is(ChatRecord::reachout_refused) && state.standing.yellow);
}

namespace {

/// When `window` has room behind `ahead` others.
template <class Window>
Tick free_behind(const Window& window, Tick now, std::uint32_t limit, Tick length,
                 std::uint32_t ahead) {
  const Tick whole = static_cast<Tick>(ahead / std::max(1U, limit)) * length;
  return window.free_at(now, limit - ahead % std::max(1U, limit)) + whole;
}

}  // namespace

Tick earliest_first(const State& state, const Moment& m, std::uint32_t ahead) {
  return std::max(
      {free_behind(state.day_known_first, m.now, day_limit(state, m), kDay, ahead),
       free_behind(state.month_unanswered, m.now, budget_limit(state, m), 30 * kDay, ahead),
       quota_free_at(state, m.now)});
}

Tick earliest_opening(const State& state, const Moment& m, bool consent, std::uint32_t ahead) {
  const Standing& s = state.standing;
  Tick start = std::max(m.now, s.openings_closed_until);
  if (s.yellow) start = std::max(start, reopening(s));
  if (start == kNever) return kNever;
  const OpeningLimit opening = opening_limit(state, m);
  if (opening.allowed < 1.0) {
    const Tick free = opening_free_at(state, m, opening, consent);
    const Tick spacing = spacing_of(opening.allowed);
    return free == kNever ? kNever : std::max(start, free) + spacing * ahead;
  }
  const std::uint32_t limit = consent ? static_cast<std::uint32_t>(opening.allowed) : opening.plain;
  // Slots come free 24 h after the openings that hold them; what does not fit into those that are
  // left today repeats their pattern a day later.
  const std::uint32_t days = ahead / limit;
  const Tick holder = nth_opening(state, limit - 1 - ahead % limit, !consent);
  const Tick slot = holder == 0 ? m.now : std::max(m.now, holder + kDay);
  return std::max(start, slot) + days * kDay;
}

namespace {

/// The morning, where `at` is in the night.
Tick out_of_the_night(const State& state, const Moment& m, Tick at) {
  Moment then = m;
  then.now = at;
  then.wall_ms = m.to_wall(at);
  return in_quiet_hours(state.settings, then) ? morning_after(state.settings, then) : at;
}

/// When a first message that comes in now could go, behind those that wait already.
Tick earliest_turn(const State& state, const Moment& m, const Waiting& waiting, Line line) {
  const auto count = [&waiting](Line a, Line b) {
    return static_cast<std::uint32_t>(waiting.at_home(a) + waiting.at_home(b));
  };
  const std::uint32_t plain = count(Line::opening_plain, Line::unchecked_plain);
  const std::uint32_t with_consent = count(Line::opening_consent, Line::unchecked_consent);
  const std::uint32_t plain_turns = std::min(plain, opening_limit(state, m).plain);
  const auto follow_ups = static_cast<std::uint32_t>(waiting.at_home(Line::follow_up));
  const std::uint32_t openings = is_opening(line) ? with_consent + plain_turns : 0;
  Tick earliest = earliest_first(state, m, openings + follow_ups);
  if (is_opening(line)) earliest = std::max(earliest, earliest_opening(state, m, true, openings));
  if (is_opening(line) && !has_consent(line))
    earliest = std::max(earliest, earliest_opening(state, m, false, plain));
  return earliest == kNever ? kNever : out_of_the_night(state, m, earliest);
}

/// When a message to a regular could go behind those that wait already, at the lane's mean gap.
/// Urgent ones go at night too.
Tick regulars_turn(const State& state, const Moment& m, const Waiting& waiting, bool urgent) {
  const auto ahead = static_cast<std::uint32_t>(waiting.in_line(Line::known));
  const GapRange gap = gap_range(state, Lane::known, m.now);
  const Tick turn =
      std::max(m.now + static_cast<Tick>(ahead) * (gap.low + gap.high) / 2,
               free_behind(state.hour_known_first, m.now, hour_limit(state, m.now), kHour, ahead));
  return urgent ? turn : out_of_the_night(state, m, turn);
}

}  // namespace

Admission admit(const State& state, const Moment& m, const Waiting& waiting, const ChatKey& chat,
                const WaitingJob& job) {
  if (!is_possible(chat)) return {Refusal::bad_chat};
  const Line line = classify(state, chat, job, m.now);
  if (line == Line::refused) return {refusal_of(state, chat)};
  if (state.settings.unpaced_for_benchmarks) return {};
  if (!is_opening(line) && line != Line::follow_up) return {};
  if (waiting.find_chat(chat) != kNone) return {};  // it goes after those of its own chat
  const Tick earliest = earliest_turn(state, m, waiting, line);
  if (earliest < job.expires) return {};
  return {Refusal::no_capacity, earliest};
}

Forecast forecast_of(const State& state, const Moment& m, const Waiting& waiting,
                     const ChatKey& chat, const WaitingJob& job) {
  const Line line = classify(state, chat, job, m.now);
  Forecast out;
  out.lane = shown_lane(state, chat, m.now);
  out.new_customer = is_opening(line);
  out.asked_first = is_unchecked(line);
  if (const Admission admission = admit(state, m, waiting, chat, job); admission.refusal) {
    out.refusal = admission.refusal;
    out.at = admission.earliest == 0 ? kNever : admission.earliest;
    return out;
  }
  // The same decisions, for this job alone.
  Waiting alone;
  const std::uint32_t slot = alone.add(chat, job, line);
  Decision decision = decide(state, m, alone);
  for (int i = 0; i < 4 && decision.kind == Decision::Kind::move; ++i) {
    alone.move(decision.chat, decision.line);
    decision = decide(state, m, alone);
  }
  out.at = m.now;
  if (decision.kind == Decision::Kind::refuse) out.refusal = decision.refusal;
  if (decision.kind == Decision::Kind::hold) {
    out.at = decision.at;
    out.why = decision.why;
  }
  if (decision.kind == Decision::Kind::wait) {
    const Explanation why = explain(state, m, alone, slot);
    out.at = why.not_before == 0 ? m.now : why.not_before;
    out.why = why.why;
  }
  if (out.refusal || out.at == kNever) return out;
  if (chat.is_group() && out.asked_first && out.why == Hold::none) {
    out.at = m.now + kGroupAge;  // how long we are in it nobody has said
    out.why = Hold::opening_cap;
  }
  if (line == Line::known && out.why == Hold::none) {
    out.at = regulars_turn(state, m, waiting, job.urgent);
    if (out.at > m.now) out.why = Hold::pace;
  }
  if (out.lane != Lane::first) return out;
  // Where it would wait once its number is known, and behind whom.
  const Line later_line = job.consent ? Line::opening_consent : Line::opening_plain;
  const Gate gate = is_opening(line) ? gate_of(state, m, later_line) : Gate{};
  const Tick turn = earliest_turn(state, m, waiting, line);
  if (std::max(gate.at, turn) <= out.at) return out;
  out.at = std::max(gate.at, turn);
  if (gate.at > m.now) out.why = gate.why;
  if (out.why == Hold::none) out.why = Hold::opening_cap;
  return out;
}

Explanation explain(const State& state, const Moment& m, const Waiting& waiting,
                    std::uint32_t slot) {
  const WaitingJob& job = waiting.job(slot);
  const WaitingChat& chat = waiting.chat(job.chat);
  const Lane lane = shown_lane(state, chat.key, m.now);
  const Gate account = gate_of_account(state, m.now);
  if (account.at > m.now) return {lane, account.why, account.at};
  if (chat.head != slot) return {lane, Hold::chat_gap, 0};
  if (chat.line == Line::held) return {lane, chat.why, chat.until};
  if (chat.line == Line::busy) return {lane, chat.why, 0};
  const Gate gate = gate_of(state, m, chat.line == Line::retry ? line_of_lane(lane) : chat.line);
  if (gate.at <= m.now)
    return {lane, waiting.top(chat.line) == job.chat ? Hold::none : Hold::pace, 0};
  return {lane, gate.why, gate.at};
}

}  // namespace posthorn::throttle
