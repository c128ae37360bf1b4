#include <utility>

#include "posthorn/base/log.h"
#include "posthorn/wire/names.h"
#include "session/ab_props.h"
#include "session/core.h"
#include "session/stanzas.h"

namespace posthorn::session {
namespace {

namespace names = wire::names;

constexpr seconds kStableAfter{30};
constexpr milliseconds kActiveTimeout{30'000};
constexpr milliseconds kChoreGapLow{500};
constexpr milliseconds kChoreGapHigh{2'000};
constexpr minutes kHearingCheck{1};
constexpr milliseconds kPropsTimeout{30'000};
constexpr std::size_t kMostNameBytes = 256;
constexpr std::size_t kMostHashBytes = 128;

}  // namespace

void Core::on_success(const wire::Node& success) {
  if (registering_) return;  // some servers greet a device that is not linked yet as well
  take_success_facts(success);
  if (std::exchange(logged_in_, true)) return save_credentials();
  log::info("session", "logged in", {{"location", success.text_attr(names::kLocation)}});
  Credentials& mine = credentials_.current();
  ++mine.login_counter;
  mine.logged_in_once = true;
  take_certificate();
  save_credentials();
  end_standstill();

  success_at_ = out_.scheduler.now();
  abrupt_handshakes_.at.clear();
  stable_timer_.start(kStableAfter, [this] { back_off_.reset(); });
  hearing_.on_connected(*success_at_);
  hearing_timer_.start(kHearingCheck, [this] { check_hearing(); });
  keepalive_.start();
  drain_.start();
  for (wire::Node& ack : std::exchange(missed_acks_, {})) write(std::move(ack));
  enter(State::syncing);
  prekeys_.check_after_login([this] { send_active(0); });
}

/// Clock, names and LID: also from a <success> that comes again.
void Core::take_success_facts(const wire::Node& success) {
  if (const auto t = success.int_attr(names::kT)) out_.clock.on_server_time(*t);
  if (const auto made = success.int_attr("creation"); made && *made > 0)
    account_made_ = Wall::from_unix(*made);
  Identity& own = credentials_.current().identity;
  const auto lid = success.jid_attr(names::kLid);
  if (lid && lid->is_lid() && *lid != own.lid) {
    if (!own.lid.empty()) log::warn("session", "the account's LID has changed");
    own.lid = *lid;
    if (own.lid.device == 0) own.lid.device = own.pn.device;
  }
  if (const auto name = success.attr("display_name"); name && !name->empty())
    own.push_name = name->substr(0, kMostNameBytes);
}

/// Remembers the server's key for a shorter handshake next time; a chain that was taken on trust
/// while the clock was wrong is looked at again.
void Core::take_certificate() {
  if (!certificate_) return;
  const Wall now = out_.clock.now();
  if (!certificate_->window_checked && now.trusted) {
    if (const auto valid = wire::check_window(*certificate_, now); !valid) {
      log::error("session", "server certificate out of date", {{"error", valid.error()}});
      return drop(valid.error());
    }
  }
  Credentials& mine = credentials_.current();
  mine.server_key = to_bytes(certificate_->leaf_key);
  mine.server_key_until = certificate_->not_after;
}

void Core::send_active(int attempt) {
  if (!logged_in_) return;
  questions_.ask(build_iq(names::kSet, names::kPassive, {wire::Node(names::kActive)}),
                 kActiveTimeout, [this, attempt](Result<wire::Node> answer) {
                   if (!logged_in_) return;
                   const bool silent = !answer && answer.error().code == Errc::timeout;
                   if (silent && attempt == 0) return send_active(attempt + 1);
                   if (!answer) log::warn("session", "not active", {{"error", answer.error()}});
                   active_ = true;
                   maybe_online();
                 });
}

void Core::on_drained(std::uint64_t missing) {
  drained_ = true;
  if (missing > 0) hearing_.on_backlog_cut_off(missing);
  maybe_online();
}

void Core::maybe_online() {
  if (!logged_in_ || !active_ || !drained_ || state_.state != State::syncing) return;
  write(build_unified_session(out_.clock.now().since_epoch.count()));
  enter(advice_);
  if (!online()) return;  // whoever heard of it may have stopped us
  listener_->on_online();
  chore_ = 0;
  next_chore();
}

/// What can wait, one after the other with gaps, as the web client does.
void Core::next_chore() {
  const auto gap = out_.random.between(static_cast<std::uint64_t>(kChoreGapLow.count()),
                                       static_cast<std::uint64_t>(kChoreGapHigh.count()));
  chore_timer_.start(milliseconds(gap), [this] {
    switch (chore_++) {
      case 0:
        prekeys_.maintain();
        return next_chore();
      case 1:
        account_watch_.start();
        return next_chore();
      case 2:
        ask_props();
        return next_chore();
      default:
        break;
    }
    // The daily ones come round again on a connection that lives for weeks.
    chore_ = 0;
    chore_timer_.start(PreKeyKeeper::kDigestEvery, [this] {
      prekeys_.maintain();
      chore_ = 2;
      next_chore();
    });
  });
}

/// Whether WhatsApp has moved the account to LIDs meanwhile. A list that has not changed is not
/// sent again.
void Core::ask_props() {
  questions_.ask(
      build_props_query(credentials_.current().props_hash), kPropsTimeout,
      [this](const Result<wire::Node>& answer) {
        if (!logged_in_ || !answer) return;
        const auto props = parse_props(*answer);
        if (!props) return log::info("session", "properties not read", {{"why", props.error()}});
        Credentials& mine = credentials_.current();
        mine.props_hash = props->hash.substr(0, kMostHashBytes);
        if (const auto found = props->values.find(AbProps::kLidMigration);
            found != props->values.end())
          mine.identity.lid_migrated = is_on(found->second);
        save_credentials();
      },
      Questions::Silence::expected);
}

// Staying online
// --------------------------------------------------------------------------------------

void Core::ping() {
  wire::Node iq = build_iq(names::kGet, names::kWP);
  ping_id_ = questions_.next_id();
  iq.set_attr(names::kId, ping_id_);
  connection_.write(iq);
}

bool Core::on_ping_answer(const wire::Node& iq) {
  if (ping_id_.empty() || iq.text_attr(names::kId) != ping_id_) return false;
  ping_id_.clear();
  if (const auto t = iq.int_attr(names::kT)) out_.clock.on_server_time(*t);
  return true;
}

void Core::on_question_timed_out() {
  hearing_.on_question_timed_out();
  check_hearing();
}

void Core::on_ack_timed_out() {
  hearing_.on_ack_timed_out();
  check_hearing();
}

void Core::check_hearing() {
  if (!logged_in_) return;
  hearing_timer_.start(kHearingCheck, [this] { check_hearing(); });
  if (const auto deaf = hearing_.verdict(out_.scheduler.now())) {
    log::warn("session", "the connection is deaf", {{"why", *deaf}});
    drop({Errc::disconnected, std::string(*deaf)});
  }
}

}  // namespace posthorn::session
