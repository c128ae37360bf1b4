#include "throttle/state.h"

#include <algorithm>
#include <utility>

#include "throttle/limits.h"

namespace posthorn::throttle {
namespace {

std::uint64_t draw(State& state) {
  state.random += 0x9e3779b97f4a7c15ULL;
  return mix(state.random);
}

/// Even over low..high.
Tick draw_between(State& state, Tick low, Tick high) {
  if (high <= low) return low;
  return low + static_cast<Tick>(draw(state) % static_cast<std::uint64_t>(high - low + 1));
}

void count_in_windows(State& state, const Charge& what, Tick now, Charged& done) {
  state.day_total.add(now);
  if (what.lane == Lane::reply) {
    state.minute_reply.add(now);
    return;
  }
  state.minute_known_first.add(now);
  state.hour_known_first.add(now);
  const ChatRecord* record = state.chats.find(what.chat);
  const bool regular = what.lane == Lane::known && record != nullptr && in_touch(*record, now);
  done.day = !regular;
  done.month = what.lane == Lane::first && !what.again;
  if (done.day) state.day_known_first.add(now);
  if (done.month) state.month_unanswered.add(now);
}

void take_from_windows(State& state, const Charged& charged) {
  state.day_total.take_back(charged.at);
  if (charged.what.lane == Lane::reply) return state.minute_reply.take_back(charged.at);
  state.minute_known_first.take_back(charged.at);
  state.hour_known_first.take_back(charged.at);
  if (charged.day) state.day_known_first.take_back(charged.at);
}

void note_text(State& state, ChatRecord& record, const Charge& what, Tick now) {
  if (what.text == 0 || what.lane == Lane::reply) return;
  const auto tag = static_cast<std::uint32_t>(what.text >> 32);
  const Tick before = record.text == tag ? from_stamp(record.text_at) : 0;
  record.text = tag;
  record.text_at = to_stamp(now);
  TextUse& use = state.texts.touch(what.text, now);
  if (what.lane == Lane::first && (before == 0 || now - before >= kDay)) use.first_chats.add(now);
  if (before != 0 && now - before < kHour) return;
  std::rotate(use.recent.begin(), use.recent.end() - 1, use.recent.end());
  use.recent[0] = to_stamp(now);
  use.last = now;
  const double factor = 1000.0 / state.standing.factor;
  use.next =
      now + static_cast<Tick>(static_cast<double>(draw_between(state, 15 * kMinute, 25 * kMinute)) *
                              factor);
}

void note_in_record(ChatRecord& record, Tick now, bool again) {
  const Tick since = record.last_out == 0 ? 255 : (now - record.last_out) / kSecond;
  const auto seconds_ago = static_cast<std::uint8_t>(std::clamp<Tick>(since, 0, 255));
  record.before[1] = static_cast<std::uint8_t>(
      record.last_out == 0 ? 255 : std::min<int>(255, record.before[0] + seconds_ago));
  record.before[0] = seconds_ago;
  record.last_out = now;
  if (!again && record.run < 255) ++record.run;
}

void draw_gaps(State& state, Lane lane, Tick now) {
  state.next_any = now + std::max(state.settings.gap_any_ms, state.settings.delay_ms);
  const GapRange range = gap_range(state, lane, now);
  state.next_in_lane[static_cast<std::size_t>(lane)] =
      now + draw_between(state, range.low, range.high);
}

/// The nth newest.
Opening& opening_at(State& state, std::size_t nth) {
  const std::size_t size = state.openings.size();
  return state.openings[(state.openings_head + size - nth) % size];
}

void push_opening(State& state, const Opening& opening) {
  state.openings_head =
      static_cast<std::uint32_t>((state.openings_head + 1) % state.openings.size());
  state.openings[state.openings_head] = opening;
}

/// The chat's newest one; size(): there is none.
std::size_t find_opening(State& state, const ChatKey& chat) {
  std::size_t nth = 0;
  while (nth < state.openings.size() && opening_at(state, nth).chat != chat) ++nth;
  return nth;
}

/// It is one opening, and the newest now. Returns when it was; 0: there is none.
Tick move_opening(State& state, const ChatKey& chat, Tick now) {
  std::size_t nth = find_opening(state, chat);
  if (nth == state.openings.size()) return 0;
  Opening moved = opening_at(state, nth);
  for (; nth > 0; --nth) opening_at(state, nth) = opening_at(state, nth - 1);
  const Tick was = std::exchange(moved.at, now);
  opening_at(state, 0) = moved;
  return was;
}

/// The opposite of move_opening.
void return_opening(State& state, const ChatKey& chat, Tick was) {
  std::size_t nth = find_opening(state, chat);
  const std::size_t size = state.openings.size();
  if (nth == size) return;
  Opening moved = opening_at(state, nth);
  moved.at = was;
  for (; nth + 1 < size && opening_at(state, nth + 1).at > was; ++nth)
    opening_at(state, nth) = opening_at(state, nth + 1);
  opening_at(state, nth) = moved;
}

void drop_opening(State& state, const ChatKey& chat, Tick at) {
  std::size_t nth = find_opening(state, chat);
  const std::size_t size = state.openings.size();
  if (nth == size || opening_at(state, nth).at != at) return;
  for (; nth + 1 < size; ++nth) opening_at(state, nth) = opening_at(state, nth + 1);
  opening_at(state, size - 1) = {};
}

/// What the chat's record says of the send that did not happen. True: its opening is to go too.
bool take_from_record(State& state, const Charged& charged, const ChatKey& chat) {
  // The person has got another name meanwhile, and what was counted went along with it.
  if (chat != charged.what.chat) return false;
  ChatRecord* record = state.chats.touch(chat, charged.at);
  if (record == nullptr || !charged.record) return true;
  const ChatRecord& before = *charged.record;
  const bool answered = record->last_in != before.last_in || record->run == 0;
  if (!answered && charged.month) state.month_unanswered.take_back(charged.at);
  if (!answered && !charged.what.again && record->run < 255) --record->run;
  if (before.is(ChatRecord::confirm_due) && record->is(ChatRecord::opted_out))
    record->set(ChatRecord::confirm_due);
  if (record->last_out != charged.at) return false;  // another one has gone out since
  record->last_out = before.last_out;
  record->before = before.before;
  record->text = before.text;
  record->text_at = before.text_at;
  return true;
}

/// The first message to a chat is handed over once more: it counts where it really leaves.
bool opens_again(const State& state, const Charge& what) {
  if (!what.again || what.lane != Lane::first) return false;
  const ChatRecord* record = state.chats.find(what.chat);
  return record != nullptr && record->run == 1;
}

/// Of the last 100 openings of 14 days those that `counts`; < 0: fewer than 20.
template <class Counts>
double share_of_openings(const State& state, Tick now, Counts counts) {
  std::uint32_t count = 0;
  std::uint32_t hits = 0;
  const std::size_t size = state.openings.size();
  for (std::size_t i = 0; i < 100; ++i) {
    const Opening& opening = state.openings[(state.openings_head + size - i) % size];
    if (opening.at == 0 || now - opening.at >= 14 * kDay) break;
    ++count;
    if (counts(opening)) ++hits;
  }
  return count < 20 ? -1.0 : static_cast<double>(hits) / count;
}

/// Our messages since the person's last one, whichever name they went to.
std::uint8_t joined_run(const ChatRecord& a, const ChatRecord& b) {
  const std::uint32_t wrote = std::max(a.last_in, b.last_in);
  const auto since = [wrote](const ChatRecord& record) {
    return to_stamp(record.last_out) > wrote || record.last_in == wrote ? record.run : 0;
  };
  return static_cast<std::uint8_t>(std::min(255, since(a) + since(b)));
}

/// What only one of them knows counts; where both know something, the later word, and an opt-out
/// before anything else.
void take_over(Chats& chats, ChatRecord& into, const ChatRecord& from) {
  into.run = joined_run(into, from);
  if (from.last_out > into.last_out) {
    into.last_out = from.last_out;
    into.before = from.before;
  }
  if (from.text_at > into.text_at) {
    into.text = from.text;
    into.text_at = from.text_at;
  }
  if (from.is(ChatRecord::checked_yes) && !into.is(ChatRecord::checked_yes)) {
    into.set(ChatRecord::checked_yes);
    into.set(ChatRecord::checked_no, false);
    into.checked = from.checked;
  }
  const bool by_operator = from.is(ChatRecord::opted_out) && from.is(ChatRecord::by_operator);
  if (from.is(ChatRecord::opted_out)) chats.set_opted_out(into, true);
  into.set(ChatRecord::by_operator, into.is(ChatRecord::by_operator) || by_operator);
  for (const auto flag :
       {ChatRecord::has_inbound, ChatRecord::confirm_due, ChatRecord::reachout_refused}) {
    into.set(flag, into.is(flag) || from.is(flag));
  }
  into.last_in = std::max(into.last_in, from.last_in);
  into.opted = std::max(into.opted, from.opted);
  into.joined = std::max(into.joined, from.joined);
}

/// What the chat got before its first answer and what the budget still counts as unanswered: not
/// what the phone's history tells of.
std::uint32_t budgeted_run(const State& state, const ChatRecord& record, Tick now) {
  if (now - record.last_out >= 30 * kDay) return 0;
  const Regular* past = state.chats.regulars.find(record.key);
  const std::uint8_t told = past == nullptr ? std::uint8_t{0} : past->run;
  return record.run - std::min(record.run, told);
}

std::int64_t local_ms_of_day(const Moment& m) {
  const std::int64_t local = m.wall_ms + m.utc_offset_ms;
  return ((local % kDay) + kDay) % kDay;
}

}  // namespace

bool wrote_lately(const State& state, const ChatRecord& record, Tick now) {
  const Tick wrote = from_stamp(record.last_in);
  return record.last_in != 0 && now - wrote < kDay && wrote >= state.unsure_always;
}

Lane lane_of(const State& state, const ChatRecord* record, Tick now) {
  if (record == nullptr) return Lane::first;
  if (wrote_lately(state, *record, now)) return Lane::reply;
  if (record->is(ChatRecord::has_inbound) || record->key.is_group()) return Lane::known;
  return Lane::first;
}

Lane shown_lane(const State& state, const ChatKey& chat, Tick now) {
  const Lane lane = lane_of(state, state.chats.find(chat), now);
  return chat.is_group() && lane == Lane::first ? Lane::known : lane;
}

bool in_quiet_hours(const Settings& settings, const Moment& m) {
  if (!m.trusted || settings.quiet_from_min == settings.quiet_to_min) return false;
  const std::int64_t minute = local_ms_of_day(m) / kMinute;
  const std::int64_t from = settings.quiet_from_min;
  const std::int64_t to = settings.quiet_to_min;
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}

Tick morning_after(const Settings& settings, const Moment& m) {
  const std::int64_t wait = settings.quiet_to_min * kMinute - local_ms_of_day(m);
  return m.now + (wait > 0 ? wait : wait + kDay);
}

std::int64_t night_of(const Settings& settings, const Moment& m) {
  return (m.wall_ms + m.utc_offset_ms - settings.quiet_from_min * kMinute) / kDay;
}

bool is_charged(const State& state, std::uint64_t sequence) {
  return std::find(state.charged.begin(), state.charged.end(), sequence) != state.charged.end();
}

double reply_share(const State& state, Tick now) {
  return share_of_openings(state, now, [](const Opening& o) { return o.answered; });
}

double welcome_share(const State& state, Tick now) {
  return share_of_openings(state, now,
                           [](const Opening& o) { return o.answered || (o.consent && o.read); });
}

bool in_touch(const ChatRecord& record, Tick now) {
  const Tick newest = std::max(from_stamp(record.last_in), record.last_out);
  return newest != 0 && now - newest < 30 * kDay;
}

double bad_number_share(const State& state) {
  if (state.checks.count < 20) return -1.0;
  return static_cast<double>(state.checks.yes()) / state.checks.count;
}

const RunningOverride* find_override(const State& state, Exception limit, Tick now) {
  for (const RunningOverride& running : state.overrides) {
    if (running.limit == limit && now < running.until) return &running;
  }
  return nullptr;
}

Charged charge(State& state, const Charge& what, Tick now) {
  Charged done;
  done.what = what;
  done.at = now;
  count_in_windows(state, what, now, done);
  done.pushed = what.opening;
  if (what.opening) push_opening(state, {what.chat, now, what.consent, false, false});
  if (opens_again(state, what)) done.moved = move_opening(state, what.chat, now);
  done.quota = what.lane == Lane::first && !what.again;
  if (done.quota) ++state.standing.quota_used;
  if (const TextUse* use = state.texts.find(what.text, now)) done.text = *use;
  if (ChatRecord* record = state.chats.touch(what.chat, now)) {
    done.record = *record;
    if (!what.again) note_text(state, *record, what, now);
    note_in_record(*record, now, what.again);
    if (!what.own_device) record->set(ChatRecord::confirm_due, false);
  }
  if (what.night != 0) {
    state.urgent_at_night = state.night == what.night ? state.urgent_at_night + 1 : 1;
    state.night = what.night;
    done.night = true;
  }
  if (!what.own_device) draw_gaps(state, what.lane, now);
  if (what.sequence != 0 && !is_charged(state, what.sequence)) {
    std::rotate(state.charged.begin(), state.charged.end() - 1, state.charged.end());
    state.charged[0] = what.sequence;
    done.marked = true;
  }
  state.standing.last_traffic = now;
  return done;
}

void take_back(State& state, const Charged& charged, const ChatKey& chat) {
  const Charge& what = charged.what;
  take_from_windows(state, charged);
  const bool untouched = take_from_record(state, charged, chat);
  if (charged.pushed && untouched) drop_opening(state, chat, charged.at);
  if (charged.moved != 0 && untouched) return_opening(state, chat, charged.moved);
  if (charged.quota && state.standing.quota_used > 0) --state.standing.quota_used;
  if (!what.again && what.text != 0 && what.lane != Lane::reply && untouched)
    state.texts.restore(what.text, charged.text);
  if (charged.night && state.night == what.night && state.urgent_at_night > 0)
    --state.urgent_at_night;
  // They were open when it was charged, so no earlier moment than that is needed.
  state.next_any = std::min(state.next_any, charged.at);
  Tick& in_lane = state.next_in_lane[static_cast<std::size_t>(what.lane)];
  in_lane = std::min(in_lane, charged.at);
  if (charged.marked) note_final(state, what.sequence);
}

void note_inbound(State& state, const ChatKey& chat, Tick written_at, Tick now) {
  ChatRecord* record = state.chats.touch(chat, now);
  if (record == nullptr) return;
  // A backlog can bring old messages: they are no reason to treat the chat as answered just now.
  const std::uint32_t stamp = to_stamp(std::min(written_at, now));
  const bool first_word = !record->is(ChatRecord::has_inbound) && !chat.is_group();
  for (Opening& opening : state.openings) {
    if (opening.chat != chat || opening.answered) continue;
    opening.answered = true;
    // A list whose people answer is no poor list, whatever else was mistyped.
    state.checks.forgive();
  }
  if (first_word) state.month_unanswered.refund(now, budgeted_run(state, *record, now));
  record->set(ChatRecord::has_inbound);
  record->set(ChatRecord::listed, false);
  record->last_in = std::max(record->last_in, stamp);
  record->run = 0;
  state.standing.last_traffic = now;
}

void note_read(State& state, const ChatKey& chat) {
  for (Opening& opening : state.openings) {
    if (opening.chat == chat) opening.read = true;
  }
}

void note_check(State& state, const ChatKey& chat, bool on_whatsapp, Tick now) {
  ChatRecord* record = state.chats.touch(chat, now);
  // People are counted, not questions: one wrong number stays one.
  const bool same = record != nullptr &&
                    record->is(on_whatsapp ? ChatRecord::checked_yes : ChatRecord::checked_no);
  if (!same && !chat.is_group()) state.checks.push(!on_whatsapp, 50);
  if (record == nullptr) return;
  record->set(ChatRecord::checked_yes, on_whatsapp);
  record->set(ChatRecord::checked_no, !on_whatsapp);
  record->checked = to_stamp(now);
}

void join_chats(State& state, const ChatKey& from, const ChatKey& into, Tick now) {
  if (from == into) return;
  if (const Regular* past = state.chats.regulars.find(from)) {
    const Regular facts = *past;
    state.chats.regulars.forget(from);
    state.chats.learn(into, facts, now);
  }
  const ChatRecord* known = state.chats.find(from);
  if (known == nullptr) return;
  const ChatRecord old = *known;
  state.chats.erase(from);
  if (ChatRecord* record = state.chats.touch(into, now)) take_over(state.chats, *record, old);
  for (Opening& opening : state.openings) {
    if (opening.chat == from) opening.chat = into;
  }
}

void charge_check(State& state, Tick now) {
  state.hour_checks.add(now);
  state.day_checks.add(now);
}

void note_final(State& state, std::uint64_t sequence) {
  std::replace(state.charged.begin(), state.charged.end(), sequence, std::uint64_t{0});
}

void note_known_send(State& state, bool failed) {
  state.known_sends.push(failed, 10);
  // Section 8.2: in yellow the known lane stops when it begins to fail as well.
  if (state.standing.yellow && state.known_sends.yes() >= 2) state.standing.known_stopped = true;
}

void pass_time(State& state, const Moment& m) {
  Standing& standing = state.standing;
  const Tick up_since = state.connected ? state.connected_at : kNever;
  const std::int64_t day = standing.day;
  if (pass_time(standing, m.now, up_since) && !standing.yellow) {
    state.known_sends = {};
    state.chats.change_each([](ChatRecord& record) {
      const bool refused = record.is(ChatRecord::reachout_refused);
      record.set(ChatRecord::reachout_refused, false);
      return refused;
    });
  }
  // What was wrong days ago says little of today's numbers, and held back new customers would never
  // bring newer answers.
  if (standing.day != day && day != 0) state.checks.forget(10);
  // An alarm that lasts is told once and keeps amber on.
  if (standing.amber_until < m.now + kDay - kHour) {
    const double share = welcome_share(state, m.now);
    if (share >= 0 && share < 0.10) turn_amber(standing, Standing::Alarm::reply_share, m.now);
  }
}

}  // namespace posthorn::throttle
