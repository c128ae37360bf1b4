#include "throttle/decide.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "throttle/limits.h"

namespace posthorn::throttle {
namespace {

constexpr Tick kYesFor = 30 * kDay;  // how long an answer about a number is believed
constexpr Tick kNoFor = 7 * kDay;
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
      return Lane::known;
    default:
      return Lane::first;
  }
}

/// Where a job that is handed over again stands among the others of its lane.
Line line_of_lane(Lane lane) {
  switch (lane) {
    case Lane::reply:
      return Line::reply;
    case Lane::known:
      return Line::known;
    case Lane::first:
      return Line::follow_up;
  }
  return Line::follow_up;
}

bool is_opening(Line line) { return line == Line::opening_consent || line == Line::opening_plain; }

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
  const bool ramp = lane != Lane::reply && reconnect_ramp(state, now) < 1.0;
  return later({state.next_any, Hold::pace}, {in_lane, ramp ? Hold::reconnect_ramp : Hold::pace});
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
  Gate minute{state.minute_known_first.free_at(now, minute_limit(state, now)), Hold::pace};
  if (minute.at > now && reconnect_ramp(state, now) < 1.0) minute.why = Hold::reconnect_ramp;
  gate = later(gate, minute);
  gate = later(gate, {state.hour_known_first.free_at(now, hour_limit(state, now)), Hold::hour_cap});
  gate = later(gate, {state.day_known_first.free_at(now, day_limit(state, m)), Hold::day_cap});
  if (lane == Lane::first && budget == Budget::counts) {
    gate = later(gate,
                 {state.month_unanswered.free_at(now, budget_limit(state, m)), Hold::budget_30d});
  }
  return gate;
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

Tick opening_free_at(const State& state, const Moment& m, double allowed, bool consent) {
  if (allowed < 1.0) {
    const Tick spacing = spacing_of(allowed);
    if (spacing == kNever) return kNever;
    const Tick newest = nth_opening(state, 0, false);
    return newest == 0 ? m.now : std::max(m.now, newest + spacing);
  }
  const Tick any = opening_slot(state, m.now, static_cast<std::uint32_t>(allowed), false);
  if (consent) return any;
  return std::max(any, opening_slot(state, m.now, plain_opening_limit(allowed), true));
}

Gate gate_of_openings(const State& state, const Moment& m, bool consent) {
  const Standing& s = state.standing;
  if (s.openings_closed_until > m.now) return {s.openings_closed_until, Hold::yellow};
  const OpeningLimit limit = opening_limit(state, m);
  const Tick at = opening_free_at(state, m, limit.allowed, consent);
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

std::optional<Decision> number_check(const State& state, const ChatKey& chat,
                                     const ChatRecord* record, const WaitingJob& job,
                                     std::uint32_t slot, Tick now) {
  if (chat.kind != ChatKey::Kind::phone) return std::nullopt;
  if (record != nullptr) {
    const Tick age = now - from_stamp(record->checked);
    if (record->is(ChatRecord::checked_yes) && age < kYesFor) return std::nullopt;
    if (record->is(ChatRecord::checked_no) && age < kNoFor)
      return refused(slot, Refusal::no_account);
  }
  const Tick free = std::max(
      state.hour_checks.free_at(now, static_cast<std::uint32_t>(state.settings.checks_hour_limit)),
      state.day_checks.free_at(now, static_cast<std::uint32_t>(state.settings.checks_day_limit)));
  if (free > now) return held(job.chat, free, Hold::check_budget);
  return Decision{.kind = Decision::Kind::check, .job = slot, .chat = job.chat};
}

Tick group_opens(const ChatKey& chat, const ChatRecord* record, Tick now) {
  if (!chat.is_group() || (record != nullptr && record->last_out != 0)) return now;
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
  if (record != nullptr && record->is(ChatRecord::reachout_refused) && state.standing.yellow)
    return held(chat_slot, std::max(reopening(state.standing), m.now + kMinute), Hold::yellow);
  if (state.settings.unpaced_for_benchmarks || line == Line::retry)
    return send(chat.head, chat_slot, line, lane);

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
  if (is_opening(line)) {
    if (const auto verdict = number_check(state, chat.key, record, job, chat.head, m.now))
      return *verdict;
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

}  // namespace

Line classify(const State& state, const ChatKey& key, const WaitingJob& head, Tick now) {
  const ChatRecord* record = state.chats.find(key);
  if (record != nullptr && record->is(ChatRecord::opted_out)) {
    const bool confirmation = head.confirmation && record->is(ChatRecord::confirm_due);
    const bool wrote_since = record->last_in > record->opted && wrote_lately(state, *record, now);
    if (!confirmation && !wrote_since) return Line::opted_out;
    return is_charged(state, head.sequence) ? Line::retry : Line::reply;
  }
  if (is_charged(state, head.sequence)) return Line::retry;
  switch (lane_of(state, record, now)) {
    case Lane::reply:
      return Line::reply;
    case Lane::known:
      return Line::known;
    case Lane::first:
      break;
  }
  if (key.is_group()) return Line::known;
  if (record != nullptr && record->last_out != 0) return Line::follow_up;
  return head.consent ? Line::opening_consent : Line::opening_plain;
}

Gate gate_of(const State& state, const Moment& m, Line line) {
  const Lane lane = lane_of_line(line);
  Gate gate = gate_of_account(state, m.now);
  gate = later(gate, gate_of_yellow(state, lane, m.now));
  if (state.settings.unpaced_for_benchmarks) return gate;
  gate = later(gate, gate_of_gaps(state, lane, m.now));
  gate = later(gate, gate_of_windows(state, m, lane, Budget::counts));
  if (is_opening(line))
    gate = later(gate, gate_of_openings(state, m, line == Line::opening_consent));
  return gate;
}

Decision decide(const State& state, const Moment& m, const Waiting& waiting) {
  if (const std::uint32_t job = expired(state, waiting, m.now); job != kNone)
    return refused(job, Refusal::expired);
  if (const std::uint32_t chat = waiting.top(Line::opted_out); chat != kNone) {
    const Line line =
        classify(state, waiting.chat(chat).key, waiting.job(waiting.chat(chat).head), m.now);
    if (line != Line::opted_out) return {.kind = Decision::Kind::move, .chat = chat, .line = line};
    return refused(waiting.chat(chat).head, Refusal::opted_out);
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
  for (const Line line : {Line::reply, Line::known}) {
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

Tick earliest_opening(const State& state, const Moment& m, bool consent, std::uint32_t ahead) {
  const Standing& s = state.standing;
  Tick start = std::max(m.now, s.openings_closed_until);
  if (s.yellow) start = std::max(start, reopening(s));
  if (start == kNever) return kNever;
  const double allowed = opening_limit(state, m).allowed;
  if (allowed < 1.0) {
    const Tick free = opening_free_at(state, m, allowed, consent);
    const Tick spacing = spacing_of(allowed);
    return free == kNever ? kNever : std::max(start, free) + spacing * ahead;
  }
  const std::uint32_t limit =
      consent ? static_cast<std::uint32_t>(allowed) : plain_opening_limit(allowed);
  // Slots come free 24 h after the openings that hold them; what does not fit into those that are
  // left today repeats their pattern a day later.
  const std::uint32_t days = ahead / limit;
  const Tick holder = nth_opening(state, limit - 1 - ahead % limit, !consent);
  const Tick slot = holder == 0 ? m.now : std::max(m.now, holder + kDay);
  return std::max(start, slot) + days * kDay;
}

Admission admit(const State& state, const Moment& m, const Waiting& waiting, const ChatKey& chat,
                const WaitingJob& job) {
  if (!is_possible(chat)) return {Refusal::bad_chat};
  const Line line = classify(state, chat, job, m.now);
  if (line == Line::opted_out) return {Refusal::opted_out};
  if (state.settings.unpaced_for_benchmarks || !is_opening(line)) return {};
  const ChatRecord* record = state.chats.find(chat);
  if (record != nullptr && record->is(ChatRecord::checked_no) &&
      m.now - from_stamp(record->checked) < kNoFor)
    return {Refusal::no_account};
  if (waiting.find_chat(chat) != kNone) return {};  // the opening is ahead of it in its chat
  const auto plain = static_cast<std::uint32_t>(waiting.at_home(Line::opening_plain));
  const auto with_consent = static_cast<std::uint32_t>(waiting.at_home(Line::opening_consent));
  const std::uint32_t plain_turns =
      std::min(plain, plain_opening_limit(opening_limit(state, m).allowed));
  Tick earliest = earliest_opening(state, m, true, with_consent + plain_turns);
  if (!job.consent) earliest = std::max(earliest, earliest_opening(state, m, false, plain));
  if (earliest != kNever) {
    Moment then = m;
    then.now = earliest;
    then.wall_ms = m.to_wall(earliest);
    if (in_quiet_hours(state.settings, then)) earliest = morning_after(state.settings, then);
  }
  if (earliest < job.expires) return {};
  return {Refusal::no_capacity, earliest};
}

Explanation explain(const State& state, const Moment& m, const Waiting& waiting,
                    std::uint32_t slot) {
  const WaitingJob& job = waiting.job(slot);
  const WaitingChat& chat = waiting.chat(job.chat);
  const Lane lane = lane_of(state, state.chats.find(chat.key), m.now);
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
