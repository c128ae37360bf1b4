#include <algorithm>

#include "posthorn/base/crypto.h"
#include "posthorn/base/log.h"
#include "throttle/opt_out_words.h"
#include "throttle/valve_impl.h"

namespace posthorn::throttle {

bool Valve::Impl::on_opt_out_list(const ChatKey& chat) const {
  const ChatRecord* record = engine_.state.chats.find(chat);
  return record != nullptr && record->is(ChatRecord::opted_out);
}

ChatKey Valve::Impl::key_of(const std::string& chat) const {
  return parse_chat(o_.identities == nullptr ? chat : o_.identities->account_of(chat));
}

void Valve::Impl::on_joined(const std::string& from, const std::string& into) {
  const ChatKey old_key = parse_chat(from);
  const ChatKey new_key = key_of(into);
  if (!started_ || old_key == new_key || new_key.kind == ChatKey::Kind::none) return;
  recent_.join(old_key, new_key);
  engine_.join(old_key, new_key, moment().now);
  wake();
}

/// What was learned in the last moments before a cut, or while nobody listened: the chats are saved
/// more rarely than the names.
void Valve::Impl::join_known() {
  std::vector<std::pair<ChatKey, ChatKey>> joined;
  engine_.state.chats.for_each([&](const ChatRecord& record) {
    if (record.key.kind != ChatKey::Kind::lid && record.key.kind != ChatKey::Kind::phone) return;
    const ChatKey account = key_of(build_chat(record.key));
    if (!(account == record.key)) joined.emplace_back(record.key, account);
  });
  const Tick now = moment().now;
  for (const auto& [from, into] : joined) engine_.join(from, into, now);
}

void Valve::Impl::on_inbound(const std::string& chat, std::string_view text, Wall at) {
  const Moment m = moment();
  const ChatKey key = key_of(chat);
  if (key.kind == ChatKey::Kind::none) return;
  recent_.on_spoken(key);
  JournalEvent event;
  event.kind = JournalEvent::Kind::inbound;
  event.at = m.now;
  event.charge.chat = key;
  event.written = m.to_tick(at.since_epoch.count());
  const bool request = !key.is_group() && parse_request(text).wish != Wish::none;
  if (request) event.request = std::string(text);
  const bool was_out = on_opt_out_list(key);
  const std::string_view confirmation = engine_.on_inbound(key, text, event.written, m);
  if (request) {
    record(std::move(event));
  } else {
    record_with_others(std::move(event));
  }
  const bool is_out = on_opt_out_list(key);
  if (was_out != is_out) {
    audit("throttle", "opt_out", was_out ? "on" : "off", is_out ? "on" : "off",
          "written by chat " + chat_hash(chat));
    save();
  }
  if (!confirmation.empty()) o_.listener.confirm_opt_out(chat, std::string(confirmation));
  wake();
}

void Valve::Impl::on_own_send(const std::string& chat, Wall) {
  const Moment m = moment();
  const ChatKey key = key_of(chat);
  if (key.kind == ChatKey::Kind::none) return;
  JournalEvent event;
  event.at = m.now;
  event.charge = engine_.own_send(key, m);
  charge(engine_.state, event.charge, m.now);
  engine_.reconsider(key, m.now);
  record(std::move(event));
  wake();
}

void Valve::Impl::on_group(const std::string& chat, Wall member_since) {
  const Moment m = moment();
  const ChatKey key = key_of(chat);
  if (!key.is_group()) return;
  ChatRecord* record = engine_.state.chats.touch(key, m.now);
  if (record == nullptr) return;
  // Each message of the group tells it again: the earliest counts.
  const std::uint32_t since =
      to_stamp(std::min(m.now, m.to_tick(member_since.since_epoch.count())));
  if (record->joined != 0 && record->joined <= since) return;
  record->joined = since;
  engine_.reconsider(key, m.now);
  wake();
}

void Valve::Impl::on_read(const std::string& chat) { note_read(engine_.state, key_of(chat)); }

void Valve::Impl::on_account_made(Wall made) {
  const Moment m = moment();
  if (!m.trusted) return;
  Standing& standing = engine_.state.standing;
  const std::int32_t before = standing.trust_days;
  if (!credit_age(standing, m.now - m.to_tick(made.since_epoch.count()))) return;
  audit("throttle", "trust_days", std::to_string(before), std::to_string(standing.trust_days),
        "the account is that old, says WhatsApp");
  save();
  wake();
}

void Valve::Impl::on_signal(const Signal& signal) {
  const Moment m = moment();
  ++counters_.signals;
  Signal about_person = signal;
  if (o_.identities != nullptr) about_person.chat = o_.identities->account_of(signal.chat);
  const bool news = engine_.on_signal(about_person, m);
  if (signal.kind == Signal::Kind::reachout_ack) o_.listener.ask_restriction();
  publish_level(m);
  if (news) {
    const Level level = level_of(engine_.state.standing, m.now);
    audit("throttle", "signal", "", std::string(to_string(level)),
          std::string(to_string(signal.kind)) +
              (signal.code != 0 ? " " + std::to_string(signal.code) : ""));
    engine_.reconsider_all(m.now);
    save();
  }
  if (engine_.state.standing.yellow) tell_held();
  wake();
}

void Valve::Impl::set_connected(bool connected) {
  const Moment m = moment();
  if (engine_.state.connected == connected) return;
  engine_.set_connected(connected, m);
  if (connected) {
    // What came back from a broken link need not wait for its timer.
    engine_.reconsider_all(m.now);
  }
  wake();
}

void Valve::Impl::publish_level(const Moment& m) {
  Standing& standing = engine_.state.standing;
  const Level level = level_of(standing, m.now);
  if (level == standing.told) return;
  LevelChange change;
  change.from = standing.told;
  change.to = level;
  const std::string_view cause = cause_of(standing, level);
  change.signal = level < change.from ? "resumed" : std::string(cause);
  if (const Tick ends = level_ends(standing, m.now); ends != 0 && ends != kNever)
    change.until = Wall{milliseconds(m.to_wall(ends)), m.trusted};
  standing.told = level;
  standing.told_at = m.now;
  audit("throttle", "level", std::string(to_string(change.from)), std::string(to_string(change.to)),
        change.signal);
  log::warn(
      "throttle", "the level changed",
      {{"from", to_string(change.from)}, {"to", to_string(change.to)}, {"signal", change.signal}});
  if (level < change.from) {
    engine_.reconsider_all(m.now);
    wake();
  }
  save();
  o_.listener.on_level(change);
}

void Valve::Impl::tell_held() {
  const Tick now = moment().now;
  engine_.waiting.for_each_job([this, now](std::uint32_t slot) {
    WaitingJob& job = engine_.waiting.job(slot);
    if (job.told_held || (in_flight_ && flying_ == job.sequence)) return;
    if (!stopped_by_yellow(engine_.state, engine_.waiting.chat(job.chat).key, now)) return;
    job.told_held = true;
    to_tell_.push_back(job.sequence);
  });
  if (!telling_) tell_next_held();
}

void Valve::Impl::tell_next_held() {
  telling_ = !to_tell_.empty();
  if (!telling_) return;
  const std::uint64_t sequence = to_tell_.front();
  to_tell_.pop_front();
  if (engine_.waiting.find_job(sequence) == kNone) {
    o_.scheduler.post(guarded([this] { tell_next_held(); }));
    return;
  }
  o_.outbox.read(sequence, guarded([this, sequence](Result<Job> job) {
                   const bool waits = engine_.waiting.find_job(sequence) != kNone;
                   if (job && waits && engine_.state.standing.yellow) {
                     Fate fate;
                     fate.kind = Fate::Kind::held;
                     fate.sequence = sequence;
                     fate.job = std::move(*job);
                     fate.description = "yellow";
                     if (const auto seen = view(sequence)) fate.not_before = seen->not_before;
                     o_.listener.on_fate(fate, [] {});
                   }
                   tell_next_held();
                 }));
}

void Valve::Impl::alarms() {
  const Moment m = moment();
  const bool poor = bad_number_share(engine_.state) > kPoorNumbers;
  if (poor && !poor_list_told_)
    o_.listener.tell_operator(
        "More than one in four of the new numbers is not on WhatsApp. Until that changes, which "
        "takes four days at most, only two new customers a day are written to.");
  poor_list_told_ = poor;
  const double share = welcome_share(engine_.state, m.now);
  const bool low = share >= 0 && share < 0.10;
  if (low && !low_reply_told_)
    o_.listener.tell_operator(
        "Fewer than one in ten new customers answers or opens what was written to them. Until that "
        "changes, one new customer is written to every five days. Let customers write first.");
  low_reply_told_ = low;
  // A lock that should be over is asked about, so that sending resumes by itself.
  const Standing& standing = engine_.state.standing;
  if (standing.yellow && m.now >= standing.lock_until && !standing.lock_inactive &&
      engine_.state.connected && m.now >= ask_again_) {
    ask_again_ = m.now + kHour;
    o_.listener.ask_restriction();
  }
}

}  // namespace posthorn::throttle
