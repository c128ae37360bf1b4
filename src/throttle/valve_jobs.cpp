#include "throttle/valve_impl.h"

#include <algorithm>

#include "posthorn/base/crypto.h"
#include "posthorn/base/log.h"
#include "throttle/opt_out_words.h"

namespace posthorn::throttle {
namespace {

constexpr milliseconds kLongestSleep = hours(1);
constexpr milliseconds kLongestUnsaved = hours(6);
constexpr milliseconds kRetryFirst = seconds(5);
constexpr milliseconds kRetryLongest = minutes(10);
constexpr milliseconds kDiskTrouble = seconds(10);

/// tries: before this one.
milliseconds wait_after(int tries) {
  return std::min(kRetryFirst * (1 << std::min(tries, 10)), kRetryLongest);
}

}  // namespace

// Start and time -----------------------------------------------------------------------------

Moment Valve::Impl::moment() {
  const Wall wall = o_.clock.now();
  Tick jumped = 0;
  Moment m;
  m.now = clock_.now(o_.scheduler.now(), wall, jumped);
  m.wall_ms = wall.since_epoch.count();
  m.utc_offset_ms = milliseconds(o_.utc_offset(wall)).count();
  m.trusted = wall.trusted;
  engine_.state.time_unknown = clock_.awaits_time();
  if (jumped > 0) {
    // Gaps are counted in real time: a jump of the calendar does not shorten them.
    State& state = engine_.state;
    if (state.next_any > m.now - jumped) state.next_any += jumped;
    typed_gap_.jump(jumped, m.now);
    for (Tick& next : state.next_in_lane) {
      if (next > m.now - jumped) next += jumped;
    }
  }
  const std::int64_t lead = m.wall_ms - m.now;
  if (m.trusted && !trusted_) redate_jobs(jumped, lead_ms_, lead);
  trusted_ = m.trusted;
  lead_ms_ = lead;
  return m;
}

void Valve::Impl::redate_jobs(Tick jumped, std::int64_t lead_before, std::int64_t lead_now) {
  engine_.waiting.for_each_job([&](std::uint32_t slot) {
    const WaitingJob& job = engine_.waiting.job(slot);
    // Accepted in the dark: the time that passed for it is the time the box was on. Accepted
    // earlier, by a clock that was right: its end was only misread while the clock was wrong.
    const Tick by = job.undated ? jumped : lead_before - lead_now;
    if (by != 0) engine_.waiting.set_expiry(slot, job.expires + by);
  });
}

Result<void> Valve::Impl::start(const Settings& settings) {
  TRY(check_settings(settings));
  PolicyClock::Saved mark;
  TRY(const bool found, persist_.load(engine_, mark));
  TRY(audit_.load());
  TRY(opted_out_ids_, persist_.load_opted_out_ids());
  clock_.start(mark, o_.scheduler.now(), o_.clock.now());
  engine_.state.settings = settings;
  if (mark.newest != 0 && mark.tick == 0) engine_.state.unsure_always = mark.newest;
  if (!found || engine_.state.salt == 0) {
    engine_.state.random = o_.random.next_u64();
    engine_.state.salt = o_.random.next_u64() | 1;
  }
  started_ = true;
  if (o_.identities != nullptr) join_known();
  o_.outbox.for_each_pending(
      [this](std::uint64_t sequence, const Job& job) { admit(sequence, job, true); });
  wake();
  return {};
}

void Valve::Impl::stop() {
  if (!started_) return;
  started_ = false;
  timer_.stop();
  typing_.stop();
  save();
}

bool Valve::Impl::save() {
  save_at_ = o_.scheduler.now() + kLongestUnsaved;
  (void)moment();  // so that the clock's mark is of now
  if (const Result<void> saved = persist_.checkpoint(engine_, clock_.saved()); !saved) {
    log::error("throttle", "cannot save the state", {{"error", saved.error()}});
    return false;
  }
  const std::uint64_t number = persist_.last_checkpoint();
  o_.blobs.durable(guarded([this, number](Result<void> done) {
    if (done) persist_.on_durable(number);
  }));
  return true;
}

void Valve::Impl::record(JournalEvent event) {
  persist_.note(std::move(event));
  save_journal();
}

/// Messages come in bursts. Written at the end of this turn, which is before the message's own
/// notification can have reached the disk, so nothing is confirmed that the journal lacks.
void Valve::Impl::record_with_others(JournalEvent event) {
  persist_.note(std::move(event));
  if (std::exchange(journal_due_, true)) return;
  o_.scheduler.post(guarded([this] { save_journal(); }));
}

void Valve::Impl::save_journal() {
  journal_due_ = false;
  if (const Result<void> saved = persist_.save_journal(); !saved)
    log::error("throttle", "cannot save the journal", {{"error", saved.error()}});
  if (persist_.wants_checkpoint()) save();
}

void Valve::Impl::audit(const std::string& who, const std::string& what, const std::string& before,
                        const std::string& after, const std::string& reason) {
  AuditRecord record;
  record.time = o_.clock.now();
  record.who = who;
  record.what = what;
  record.before = before;
  record.after = after;
  record.reason = reason;
  if (const Result<void> kept = audit_.append(std::move(record)); !kept)
    log::error("throttle", "cannot write the audit log", {{"error", kept.error()}});
}

std::string Valve::Impl::chat_hash(const std::string& chat) const {
  const std::string salted = std::to_string(engine_.state.salt) + ":" + chat;
  return hex_encode(ByteView(crypto::sha256(as_bytes(salted))).first(8));
}

// Jobs in --------------------------------------------------------------------------------------

namespace {

/// What makes two messages copies in the eyes of whoever counts copies: of a file also which one. A
/// place or a card has no text, and an emoji is none: they are not the same text sent to many.
std::string said_by(const Job& job, const std::string& text) {
  if (const auto* file = std::get_if<content::File>(&job.content.what)) {
    return text + ' ' + file->ref;
  }
  const bool says = !text.empty() && !std::holds_alternative<content::Reaction>(job.content.what);
  return says ? text : job.id;
}

}  // namespace

std::optional<std::string> Valve::Impl::on_accept(const Job& job) {
  return recent_.find_or_add(job, key_of(job.chat), engine_.state.settings.double_post_s * kSecond,
                             moment().now);
}

void Valve::Impl::admit(std::uint64_t sequence, const Job& job, bool from_disk) {
  if (engine_.waiting.find_job(sequence) != kNone) return;
  const Moment m = moment();
  const ChatKey chat = key_of(job.chat);
  if (from_disk)
    recent_.find_or_add(job, chat, engine_.state.settings.double_post_s * kSecond,
                        m.to_tick(job.accepted_at.since_epoch.count()));
  const bool undated = !job.accepted_at.trusted;
  const std::string text = readable_text(job.content);
  const Tick life = (job.expires_at - job.accepted_at).count();
  Tick expires = undated ? m.now + life : m.to_tick(job.expires_at.since_epoch.count());
  // Accepted under a calendar that was ahead: nobody lives longer than from now on.
  if (m.trusted) expires = std::min(expires, m.now + life);
  const Admission admission =
      engine_.add(sequence, chat, text_hash(said_by(job, text)), expires, job.urgent,
                  !job.consent.empty(), is_confirmation(text), from_disk, m);
  if (!admission.refusal) {
    engine_.waiting.job(engine_.waiting.find_job(sequence)).undated = undated;
    if (o_.prepare && !o_.prepare(sequence, job)) preparing_.insert(sequence);
    return;
  }
  Fate fate;
  fate.job = job;
  fate.sequence = sequence;
  fate.refusal = admission.refusal;
  if (*admission.refusal == Refusal::no_capacity && admission.earliest != kNever)
    fate.not_before = Wall{milliseconds(m.to_wall(admission.earliest)), m.trusted};
  o_.scheduler.post(guarded(
      [this, sequence, fate = std::move(fate)]() mutable { end(sequence, std::move(fate)); }));
}

void Valve::Impl::on_accept_failed(const Job& job) { recent_.forget(job.id); }

void Valve::Impl::on_job(std::uint64_t sequence, const Job& job) {
  recent_.note_sequence(job.id, sequence);
  admit(sequence, job, false);
  if (level_of(engine_.state.standing, moment().now) == Level::yellow) tell_held();
  wake();
}

void Valve::Impl::on_prepared(std::uint64_t sequence, Result<void> result) {
  const std::uint32_t job = engine_.waiting.find_job(sequence);
  if (preparing_.erase(sequence) == 0 || job == kNone) return;
  if (result) {
    engine_.reconsider(engine_.waiting.chat(engine_.waiting.job(job).chat).key, moment().now);
    return wake();
  }
  o_.outbox.read(sequence, guarded([this, sequence, why = result.error()](Result<Job> read) {
                   if (engine_.waiting.find_job(sequence) == kNone) return;  // ended meanwhile
                   Fate fate;
                   if (read) fate.job = std::move(*read);
                   fate.kind = Fate::Kind::failed;
                   fate.description = why.detail;
                   end(sequence, std::move(fate));
                 }));
}

bool Valve::Impl::cancel(std::uint64_t sequence) {
  const std::uint32_t job = engine_.waiting.find_job(sequence);
  if (job == kNone || (in_flight_ && flying_ == sequence)) return false;
  engine_.finish(job, moment());
  attempts_.erase(sequence);
  preparing_.erase(sequence);
  recent_.forget(sequence);
  wake();
  return true;
}

std::optional<JobView> Valve::Impl::view(std::uint64_t sequence) {
  const std::uint32_t job = engine_.waiting.find_job(sequence);
  if (job == kNone) return std::nullopt;
  const Moment m = moment();
  const Explanation why = explain(engine_.state, m, engine_.waiting, job);
  JobView view;
  view.lane = why.lane;
  view.hold = why.why;
  view.handed_over = is_charged(engine_.state, sequence);
  if (const auto tried = attempts_.find(sequence);
      why.why == Hold::not_sent && tried != attempts_.end())
    view.cause = tried->second.cause;
  if (why.not_before > m.now && why.not_before != kNever)
    view.not_before = Wall{milliseconds(m.to_wall(why.not_before)), m.trusted};
  view.expires_at = Wall{milliseconds(m.to_wall(engine_.waiting.job(job).expires)), m.trusted};
  return view;
}

Outlook Valve::Impl::can_send(const std::string& chat, bool consent, bool urgent,
                              milliseconds life) {
  const Moment m = moment();
  const ChatKey key = key_of(chat);
  engine_.state.chats.recall(key, m.now);
  WaitingJob job;
  job.sequence = ~0ULL >> 2;
  job.expires = m.now + life.count();
  job.consent = consent;
  job.urgent = urgent;
  const Forecast forecast = forecast_of(engine_.state, m, engine_.waiting, key, job);
  Outlook out;
  out.lane = forecast.lane;
  out.new_customer = forecast.new_customer;
  out.asked_first = forecast.asked_first;
  out.why = forecast.why;
  out.refusal = forecast.refusal;
  if (forecast.at != kNever) out.earliest = Wall{milliseconds(m.to_wall(forecast.at)), m.trusted};
  return out;
}

// The loop around decide() -----------------------------------------------------------------------

void Valve::Impl::wake() {
  if (!started_ || woken_) return;
  woken_ = true;
  o_.scheduler.post(guarded([this] { run(); }));
}

void Valve::Impl::run() {
  woken_ = false;
  if (!started_ || in_flight_) return;
  // What time alone changes (trust days, the pace factor) is not lost by a cut after a quiet day.
  if (o_.scheduler.now() >= save_at_) save();
  for (;;) {
    const Moment m = moment();
    pass_time(engine_.state, m);
    publish_level(m);
    alarms();
    const Step step = engine_.next(m);
    switch (step.kind) {
      case Step::Kind::wait:
        sleep_until(step.at, m);
        return;
      case Step::Kind::check:
        check(step);
        continue;
      case Step::Kind::refuse:
        refuse(step);
        return;
      case Step::Kind::send:
        send(step);
        return;
    }
  }
}

void Valve::Impl::sleep_until(Tick at, const Moment& m) {
  // No job names the moment at which a stop or a hold of everything ends.
  const Tick up_since = engine_.state.connected ? engine_.state.connected_at : kNever;
  at = std::min(at, next_end(engine_.state.standing, m.now, up_since));
  const Tick wait = at == kNever ? kLongestSleep.count() : std::max<Tick>(at - m.now, 1);
  timer_.start(std::min(milliseconds(wait), kLongestSleep), [this] { run(); });
}

void Valve::Impl::send(const Step& step) {
  const std::uint64_t sequence = engine_.waiting.job(step.job).sequence;
  const ChatKey chat = step.chat;
  const Lane lane = step.charge.lane;
  in_flight_ = true;
  flying_ = sequence;
  JournalEvent event;
  event.at = moment().now;
  event.charge = step.charge;
  charged_ = event.at;
  if (const Result<void> saved = persist_.record(std::move(event)); !saved) {
    log::error("throttle", "cannot save a charge; nothing is sent", {{"error", saved.error()}});
    return give_back(sequence, kDiskTrouble);
  }
  // Charge before send: the sender syncs the count together with its keys before anything leaves
  // (sender.h); a sync of our own would only double the wear of the flash.
  hand_over(sequence, chat, lane);
  if (persist_.wants_checkpoint()) save();
}

void Valve::Impl::hand_over(std::uint64_t sequence, const ChatKey& chat, Lane lane) {
  o_.outbox.read(
      sequence, guarded([this, sequence, chat, lane](Result<Job> job) {
        if (!job) {
          if (job.error().code == Errc::io) return give_back(sequence, kDiskTrouble);
          log::error("throttle", "a job is lost in the outbox", {{"error", job.error()}});
          in_flight_ = false;
          engine_.finish(engine_.waiting.find_job(sequence), moment());
          return wake();
        }
        // A signal may have come while the charge was written.
        if (!started_ || !still_allowed(engine_.state, chat, lane, moment().now))
          return give_back(sequence, milliseconds(0));
        if (attempts_.contains(sequence)) job->typing = milliseconds(0);
        const Tick wait = std::max(job->typing.count(),
                                   typed_gap_.earliest(engine_.state, lane, chat) - moment().now);
        if (wait <= 0) return pass_on(sequence, lane, *job);
        type_first(sequence, chat, lane, std::move(*job), milliseconds(wait));
      }));
}

/// Typing is part of the gap between two sends: the charge, and with it the gap, began before it.
void Valve::Impl::type_first(std::uint64_t sequence, const ChatKey& chat, Lane lane, Job job,
                             milliseconds wait) {
  if (job.typing.count() > 0) o_.sender.show_typing(job.chat, job.typing_type);
  typing_.start(wait, [this, sequence, chat, lane, job = std::move(job)] {
    const Tick now = moment().now;
    // A signal may have come meanwhile.
    if (!still_allowed(engine_.state, chat, lane, now)) {
      if (job.typing.count() > 0) o_.sender.show_typing(job.chat, Typing::none);
      return give_back(sequence, milliseconds(0));
    }
    typed_gap_.sent(engine_.state, lane, chat, charged_, now);
    pass_on(sequence, lane, job);
  });
}

void Valve::Impl::pass_on(std::uint64_t sequence, Lane lane, const Job& job) {
  o_.sender.send(job, guarded([this, sequence, lane, sent = job](SendOutcome outcome) {
                   if (sent.typing.count() > 0) o_.sender.show_typing(sent.chat, Typing::none);
                   on_outcome(sequence, lane, sent, outcome);
                 }));
}

void Valve::Impl::on_outcome(std::uint64_t sequence, Lane lane, const Job& job,
                             const SendOutcome& outcome) {
  using Kind = SendOutcome::Kind;
  Fate fate;
  fate.sequence = sequence;
  fate.job = job;
  fate.code = outcome.code;
  fate.description = outcome.detail;
  const bool known = lane == Lane::known;
  switch (outcome.kind) {
    case Kind::uncertain:
      ++counters_.uncertain;
      return try_again(sequence);
    case Kind::not_sent:
      return on_not_sent(sequence, outcome.detail);
    case Kind::sent:
      fate.kind = Fate::Kind::sent;
      fate.time = outcome.server_time;
      ++counters_.sent[static_cast<std::size_t>(lane)];
      if (known) note_known_send(engine_.state, false);
      break;
    case Kind::rejected:
      fate.kind = Fate::Kind::failed;
      count_rejected(outcome.code);
      // Without a code WhatsApp said nothing: a file is gone, the owner has blocked that person.
      if (known && outcome.code != 0) note_known_send(engine_.state, true);
      break;
    case Kind::no_account:
      fate.kind = Fate::Kind::no_account;
      fate.refusal = Refusal::no_account;
      note_check(engine_.state, key_of(job.chat), false, moment().now);
      break;
    case Kind::restricted: {
      Signal signal;
      signal.kind = outcome.code == 429   ? Signal::Kind::rate_message
                    : outcome.code == 475 ? Signal::Kind::new_chat_cap_ack
                                          : Signal::Kind::reachout_ack;
      signal.code = outcome.code;
      signal.chat = job.chat;
      count_rejected(outcome.code);
      if (known) note_known_send(engine_.state, true);
      on_signal(signal);
      // Too fast is no refusal of this message; 463 and 475 are, and are never tried again.
      if (signal.kind == Signal::Kind::rate_message) return try_again(sequence);
      fate.kind = Fate::Kind::failed;
      break;
    }
  }
  in_flight_ = false;
  end(sequence, std::move(fate));
}

/// The server makes up the codes: beyond so many kinds they are told as 0.
void Valve::Impl::count_rejected(int code) {
  constexpr std::size_t kCodes = 64;
  const bool room = counters_.rejected.size() < kCodes || counters_.rejected.contains(code);
  ++counters_.rejected[room ? code : 0];
}

void Valve::Impl::try_again(std::uint64_t sequence) {
  Attempts& tried = attempts_[sequence];
  tried.cause.clear();
  put_back(sequence, wait_after(tried.count++));
}

/// Whoever cannot be sent now stands in nobody's way: not counted, and looked at ever more rarely.
void Valve::Impl::on_not_sent(std::uint64_t sequence, const std::string& cause) {
  Attempts& tried = attempts_[sequence];
  // A broken link is nothing of this job's, and its return ends the wait.
  if (!engine_.state.connected) return give_back(sequence, kRetryFirst);
  const milliseconds wait = wait_after(tried.count++);
  tried.cause = cause;
  log::warn("throttle", "a message could not leave yet",
            {{"why", cause}, {"tries", tried.count}, {"again_in_s", wait / seconds(1)}});
  give_back(sequence, wait, Hold::not_sent);
}

void Valve::Impl::give_back(std::uint64_t sequence, milliseconds after, Hold why) {
  in_flight_ = false;
  typed_gap_.not_sent(charged_);
  const std::uint32_t job = engine_.waiting.find_job(sequence);
  if (job == kNone) return wake();
  JournalEvent event;
  event.kind = JournalEvent::Kind::taken_back;
  event.at = moment().now;
  event.charge.chat = engine_.waiting.chat(engine_.waiting.job(job).chat).key;
  event.charge.sequence = sequence;
  engine_.take_back(job, event.at + after.count(), why);
  // A stopped valve has saved its state, and what is charged too much errs on the careful side.
  if (started_) record(std::move(event));
  wake();
}

void Valve::Impl::put_back(std::uint64_t sequence, milliseconds after) {
  in_flight_ = false;
  const std::uint32_t job = engine_.waiting.find_job(sequence);
  if (job != kNone) engine_.put_back(job, moment().now + after.count(), Hold::pace);
  wake();
}

void Valve::Impl::refuse(const Step& step) {
  const std::uint64_t sequence = engine_.waiting.job(step.job).sequence;
  in_flight_ = true;
  flying_ = sequence;
  o_.outbox.read(sequence, guarded([this, sequence, why = step.refusal](Result<Job> job) {
                   in_flight_ = false;
                   if (!job && job.error().code == Errc::io)
                     return put_back(sequence, kDiskTrouble);
                   Fate fate;
                   if (job) fate.job = *job;
                   fate.refusal = why;
                   end(sequence, std::move(fate));
                 }));
}

void Valve::Impl::check(const Step& step) {
  const ChatKey chat = step.chat;
  if (chat.is_group()) return check_group(chat);
  o_.checker.on_whatsapp(build_chat(chat), guarded([this, chat](Result<bool> exists) {
                           const std::optional<bool> answer =
                               exists ? std::optional<bool>(*exists) : std::nullopt;
                           // The answer may have led to the name that the person is kept under.
                           engine_.on_checked(key_of(build_chat(chat)), answer, moment());
                           if (answer) save();
                           wake();
                         }));
}

void Valve::Impl::check_group(const ChatKey& group) {
  o_.checker.member_since(build_chat(group),
                          guarded([this, group](Result<std::optional<Wall>> since) {
                            std::optional<bool> answer;
                            if (since) answer = since->has_value();
                            if (since && *since) on_group(build_chat(group), **since);
                            engine_.on_checked(group, answer, moment());
                            if (answer) save();
                            wake();
                          }));
}

void Valve::Impl::end(std::uint64_t sequence, Fate fate) {
  fate.sequence = sequence;
  if (fate.refusal) {
    fate.kind = *fate.refusal == Refusal::no_account ? Fate::Kind::no_account : Fate::Kind::failed;
    ++counters_.refused[std::string(to_string(*fate.refusal))];
    if (fate.description.empty()) fate.description = std::string(to_string(*fate.refusal));
    if (fate.not_before) fate.description += ": earliest " + to_iso8601(*fate.not_before);
  }
  attempts_.erase(sequence);
  preparing_.erase(sequence);
  // Off the view at once; the record itself is acknowledged when what became of it is on disk.
  const std::uint32_t job = engine_.waiting.find_job(sequence);
  if (job != kNone) engine_.finish(job, moment());
  o_.listener.on_fate(
      fate, guarded([this, sequence] {
        if (const Result<void> acked = o_.outbox.ack(sequence); !acked)
          log::error("throttle", "cannot acknowledge a job", {{"error", acked.error()}});
      }));
  wake();
}

}  // namespace posthorn::throttle
