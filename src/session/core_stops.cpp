#include <algorithm>
#include <array>
#include <utility>

#include "posthorn/base/log.h"
#include "posthorn/wire/names.h"
#include "session/core.h"

namespace posthorn::session {
namespace {

namespace names = wire::names;

constexpr seconds kRestartAgain{10};  // restarts that come faster back off
constexpr hours kUnknownBan{24};
constexpr hours kAfterBan{1};  // throttle policy section 8.2: not before expiry + 1 h
constexpr hours kPause{1};
constexpr hours kDay{24};
constexpr hours kQuarrel{2};  // replaced again within this: two programs fight for the link
constexpr std::size_t kRawBytes = 4096;

}  // namespace

void Core::on_stop_stanza(const wire::Node& stanza) {
  const Stop stop = classify_stop(stanza);
  log::warn("session", "the server ends the connection",
            {{"tag", stanza.tag}, {"code", stop.code}, {"cause", stop.rule->cause}});
  if (stop.rule->retry != Retry::at_once) {
    if (auto kept = credentials_.keep_stanza(out_.clock.now(), stanza); !kept)
      log::warn("session", "refusal not kept", {{"error", kept.error()}});
  }
  if (const wire::Node* missed = stanza.child(names::kAck)) remember_missed_ack(*missed);
  // Our own logout ends the stream as well: log_out() does the rest.
  if (logging_out_) return close_connection({Errc::disconnected, "logged out"});
  const bool established = logged_in_;
  close_connection({Errc::disconnected, std::string(stop.rule->cause)});
  if (established && stop.rule->state == State::backing_off && !stop.rule->restriction) {
    Restriction lost;
    lost.kind = Restriction::Kind::connection_lost;
    lost.code = stop.code;
    restrict(std::move(lost));
  }
  apply_stop(stop, stanza);
}

/// The server misses an ack of ours: it gets it after the next login.
void Core::remember_missed_ack(const wire::Node& missed) {
  constexpr std::size_t kMostMissed = 16;
  log::error("session", "the server misses an ack",
             {{"class", missed.text_attr(names::kClass)}, {"id", missed.text_attr(names::kId)}});
  if (!missed.has_attr(names::kId) || missed_acks_.size() >= kMostMissed) return;
  wire::Node ack = missed;
  if (const auto from = ack.jid_attr(names::kFrom)) {
    ack.remove_attr(names::kFrom);
    ack.set_attr(names::kTo, *from);
  }
  missed_acks_.push_back(std::move(ack));
}

void Core::apply_stop(const Stop& stop, const wire::Node& stanza) {
  const StopRule& rule = *stop.rule;
  const bool linked = credentials_.current().linked();
  const auto earlier = credentials_.load_standstill();
  const bool again = earlier && *earlier && (*earlier)->cause == rule.cause;
  StateChanged next{rule.state, stop.code, std::string(rule.cause), std::string(rule.what_to_do),
                    std::nullopt};
  std::optional<milliseconds> retry_after;
  int attempts = again ? (*earlier)->attempts + 1 : 0;
  switch (rule.retry) {
    case Retry::at_once: {
      const Mono now = out_.scheduler.now();
      const bool too_soon = restarted_at_ && now - *restarted_at_ < kRestartAgain;
      restarted_at_ = now;
      enter(State::connecting);
      return connect_in(too_soon ? back_off_.next(out_.random, now) : milliseconds(0));
    }
    case Retry::back_off_more:
      back_off_.penalise(out_.scheduler.now());
      [[fallthrough]];
    case Retry::back_off:
      announce_stop(stop, stanza, std::nullopt);
      connect_in(back_off_.next(out_.random, out_.scheduler.now()));
      return enter(std::move(next));
    case Retry::after_expiry: {
      const milliseconds ban = stop.expires_in.value_or(kUnknownBan);
      next.until = out_.clock.now() + ban;
      next.what_to_do += " Reason: " + std::string(ban_reason(stop.sub_code)) + ".";
      retry_after = ban + kAfterBan;
      break;
    }
    case Retry::hourly:
      retry_after = kPause;
      break;
    case Retry::hour_then_daily:
      retry_after = attempts == 0 ? milliseconds(kPause) : milliseconds(kDay);
      break;
    case Retry::daily:
      retry_after = kDay;
      break;
    case Retry::growing:
      retry_after = wait_after_replaced();
      break;
    case Retry::never:
      break;
  }
  const bool forget =
      rule.keys == Keys::forget || (rule.keys == Keys::forget_later && attempts > 0);
  if (forget && linked) {
    forget_account();
    if (rule.keys == Keys::forget_later)
      next = {State::logged_out, stop.code, "logged_out", kLinkIt, std::nullopt};
    retry_after.reset();
  }
  announce_stop(stop, stanza, next.until);
  const bool too_old = rule.where == StopRule::Where::failure && rule.cause == "client_too_old";
  stand_still(next, retry_after, attempts);
  if (too_old && attempts == 0) look_for_version(std::move(next));
}

/// Whoever uses the link beside us may be gone again in a moment (the dead box that was plugged in
/// once more); where it is not, the two must not throw each other out all day.
milliseconds Core::wait_after_replaced() {
  constexpr std::array<minutes, 3> kWaits{minutes(5), minutes(15), minutes(60)};
  const Mono now = out_.scheduler.now();
  const bool again = replaced_at_ && now - *replaced_at_ < kQuarrel;
  replaced_at_ = now;
  replaced_in_a_row_ = again ? replaced_in_a_row_ + 1 : 0;
  return kWaits[std::min<std::size_t>(replaced_in_a_row_, kWaits.size() - 1)];
}

/// The server wants a newer web client: when there is one, we call ourselves that and try once.
void Core::look_for_version(StateChanged refused) {
  if (!versions_.may_look()) return;
  versions_.look([this, refused = std::move(refused)](Result<bool> newer) {
    if (!newer || !*newer || !running_ || state_.cause != refused.cause) return;
    connect_in(milliseconds(0));
  });
}

void Core::announce_stop(const Stop& stop, const wire::Node& stanza, std::optional<Wall> until) {
  if (!stop.rule->restriction) return;
  Restriction restriction;
  restriction.kind = *stop.rule->restriction;
  restriction.code = stop.sub_code != 0 ? stop.sub_code : stop.code;
  restriction.until = until;
  restriction.raw = wire::to_xml(stanza).substr(0, kRawBytes);
  restrict(std::move(restriction));
}

/// Stops connecting, also over a restart of the box, until a timer or a person ends it.
void Core::stand_still(StateChanged next, std::optional<milliseconds> retry_after, int attempts) {
  Standstill standstill{next.state, next.code, next.cause,          next.what_to_do,
                        next.until, attempts,  to_string(version())};
  if (retry_after) {
    const Wall when = out_.clock.now() + *retry_after;
    if (!standstill.until) standstill.until = when;
    if (!next.until) next.until = when;
    connect_in(*retry_after);
  }
  if (auto saved = credentials_.save_standstill(standstill); !saved)
    log::error("session", "state could not be saved", {{"error", saved.error()}});
  standing_still_ = true;
  out_.store.durable([](Result<void> done) {
    if (!done) log::error("session", "state is not on disk", {{"error", done.error()}});
  });
  enter(std::move(next));
}

/// After a restart of the box: the reasons to stand still are those of before.
void Core::resume_standstill(const Standstill& standstill) {
  const bool refused_version =
      standstill.cause == "client_too_old" || standstill.cause == "bad_user_agent";
  const bool other_version = refused_version && standstill.version != to_string(version());
  const bool unlinked = standstill.state == State::logged_out;
  // Whoever pulled the plug means this box to have the link.
  const bool replaced = standstill.state == State::replaced;
  const milliseconds extra =
      standstill.state == State::blocked ? milliseconds(kAfterBan) : milliseconds(0);
  const bool over = standstill.until && out_.clock.now() >= *standstill.until + extra;
  standing_still_ = true;
  const bool stale = unlinked && credentials_.current().linked();
  if (stale || replaced || other_version || over) {
    if (other_version || !over) end_standstill();  // else it still counts the attempts
    return connect();
  }
  // A paused state waits out what is left of it; nothing that only a person may end has a timer.
  if (standstill.until) connect_in(*standstill.until + extra - out_.clock.now());
  enter({standstill.state, standstill.code, standstill.cause, standstill.what_to_do,
         standstill.until});
}

void Core::end_standstill() {
  if (!std::exchange(standing_still_, false)) return;
  if (auto saved = credentials_.save_standstill(std::nullopt); !saved)
    log::error("session", "state could not be saved", {{"error", saved.error()}});
}

}  // namespace posthorn::session
