#include <algorithm>
#include <utility>

#include "posthorn/base/log.h"
#include "posthorn/signal/curve.h"
#include "posthorn/wire/names.h"
#include "session/core.h"
#include "session/stanzas.h"

namespace posthorn::session {
namespace {

namespace names = wire::names;

constexpr seconds kRestartWait{5};    // for 515 after pairing; some servers never send it
constexpr minutes kPairingWanted{2};  // one look at the QR code keeps rounds coming this long
constexpr int kMostRounds = 5;        // in a row; a page left open must not look like an attack
constexpr minutes kPairingRest{10};
constexpr seconds kNextRound{2};
constexpr seconds kRestartAgain{10};  // restarts that come faster back off
constexpr seconds kGreetingWait{30};  // for the first stanza after the handshake
constexpr seconds kUnreachable{60};   // the longest wait while the shop's own network is down
constexpr hours kUnknownBan{24};
constexpr hours kAfterBan{1};  // throttle policy section 8.2: not before expiry + 1 h
constexpr hours kPause{1};
constexpr minutes kAbruptWindow{10};
constexpr std::size_t kAbruptCloses = 3;
constexpr seconds kAbruptAfterSuccess{10};
constexpr std::size_t kRawBytes = 4096;

constexpr auto kLinkIt = "Open the page of the box and scan the QR code with the shop's phone.";
constexpr auto kResting =
    "Nobody has scanned the QR code for a while, so it rests for ten minutes: press reconnect to "
    "show it now.";
constexpr auto kCertificate =
    "Check the shop's network: somebody between the box and WhatsApp shows a wrong certificate.";
constexpr auto kRest =
    "Wait: WhatsApp has banned this number for a time, and the box tries again by itself.";
constexpr auto kStorage = "Check the disk of the box: its memory of the link cannot be read.";

std::string question_prefix(Random& random) {
  const std::uint64_t n = random.next_u64();
  return std::to_string(n & 0xFFFF) + "." + std::to_string((n >> 16) & 0xFFFF) + "-";
}

}  // namespace

Session::Impl::Impl(const WhatsAppConfig& config, Outside outside, EventSink sink)
    : config_(config),
      out_(outside),
      sink_(std::move(sink)),
      target_(make_target(config)),
      protocol_(outside.store, outside.random),
      credentials_(outside.store, outside.random),
      connection_(outside.scheduler, outside.dialer, outside.random, outside.clock, *this),
      questions_(outside.scheduler, question_prefix(outside.random), *this,
                 [this](wire::Node iq) { write(std::move(iq)); }),
      keepalive_(
          outside.scheduler, outside.random, [this] { ping(); },
          [this] {
            drop({Errc::timeout, "nothing arrives any more"});
          }),
      drain_(
          outside.scheduler, [this](int count) { write(build_offline_batch(count)); },
          [this](std::uint64_t missing) { on_drained(missing); }),
      account_watch_(outside.scheduler, outside.clock, questions_,
                     [this](Restriction news) { restrict(std::move(news)); }),
      prekeys_({outside.scheduler, outside.clock, outside.random, outside.worker, outside.store,
                protocol_, questions_, credentials_}),
      pairing_({outside.scheduler, outside.clock, outside.random, outside.worker, outside.store,
                protocol_, questions_, credentials_},
               *this),
      versions_({outside.scheduler, outside.clock, outside.dialer, outside.store}, config),
      messages_(std::make_unique<Messages>(
          *this, Messages::Outside{outside.scheduler, outside.clock, outside.random, outside.store,
                                   protocol_})),
      retry_timer_(outside.scheduler),
      stable_timer_(outside.scheduler),
      restart_timer_(outside.scheduler),
      greeting_timer_(outside.scheduler),
      pause_timer_(outside.scheduler),
      chore_timer_(outside.scheduler),
      hearing_timer_(outside.scheduler) {}

Session::Impl::~Impl() {
  stop();
  *alive_ = false;
  messages_.reset();
  questions_.fail_all({Errc::cancelled, "the session ends"});
}

void Session::Impl::enter(StateChanged next) {
  const bool was_online = online();
  const bool same = next.state == state_.state && next.cause == state_.cause &&
                    next.code == state_.code && next.until == state_.until;
  if (same) return;
  state_ = std::move(next);
  if (state_.what_to_do.empty()) {
    log::info("session", "state", {{"state", to_string(state_.state)}, {"cause", state_.cause}});
  } else {
    log::error("session", "state",
               {{"state", to_string(state_.state)},
                {"cause", state_.cause},
                {"code", state_.code},
                {"what_to_do", state_.what_to_do}});
  }
  sink_(state_, [](Result<void>) {});
  if (online() != was_online) sink_(Connectivity{online()}, [](Result<void>) {});
}

// Lifecycle
// -------------------------------------------------------------------------------------------

void Session::Impl::start() {
  if (std::exchange(running_, true)) return;
  if (!target_)
    return enter({State::paused, 0, "bad_configuration", target_.error().detail, std::nullopt});
  if (const auto loaded = credentials_.load(); !loaded) {
    log::error("session", "credentials could not be read", {{"error", loaded.error()}});
    return enter({State::paused, 0, "storage", kStorage, std::nullopt});
  }
  if (const auto loaded = versions_.load(); !loaded)
    log::warn("session", "version could not be read", {{"error", loaded.error()}});
  const auto standstill = credentials_.load_standstill();
  if (standstill && *standstill) return resume_standstill(**standstill);
  connect();
}

void Session::Impl::stop() {
  if (!std::exchange(running_, false)) return;
  retry_timer_.stop();
  close_connection({Errc::cancelled, "the session ends"});
  enter(State::offline);
}

void Session::Impl::reconnect() {
  if (!running_ || !target_) return;
  const bool banned =
      state_.state == State::blocked && state_.until && out_.clock.now() < *state_.until;
  if (banned) return log::warn("session", "no reconnect before the ban has ended");
  end_standstill();
  close_connection({Errc::disconnected, "the connection is made anew"});
  back_off_.reset();
  if (!credentials_.current().linked()) {
    pairing_rounds_ = 0;
    pairing_rests_until_.reset();
    pairing_wanted_until_ = out_.scheduler.now() + kPairingWanted;
  }
  connect();
}

Account Session::Impl::account() const {
  const Identity& own = credentials_.current().identity;
  if (own.pn.empty()) return {};
  return {own.pn.user, wire::to_string(own.pn), own.push_name};
}

std::optional<std::string> Session::Impl::qr() {
  if (!running_ || credentials_.current().linked()) return std::nullopt;
  start_pairing(Asked::by_looking);
  return pairing_.qr();
}

void Session::Impl::request_link_code(const std::string& phone,
                                      Once<void(Result<std::string>)> done) {
  if (!running_) return done(fail(Errc::cancelled, "the session is stopped"));
  if (credentials_.current().linked())
    return done(fail(Errc::refused, "the box is linked already: log out first"));
  pairing_.request_code(phone, std::move(done));
  if (pairing_.code_active()) start_pairing(Asked::on_purpose);
}

/// Somebody looks at the QR code or waits for a typed one: sees to it that there is a round.
void Session::Impl::start_pairing(Asked asked) {
  const Mono now = out_.scheduler.now();
  if (asked == Asked::on_purpose) pairing_rests_until_.reset();
  if (pairing_rests_until_ && now < *pairing_rests_until_) return;
  pairing_wanted_until_ = now + kPairingWanted;
  if (state_.state != State::logged_out || !target_) return;
  end_standstill();
  connect();
}

void Session::Impl::log_out(Once<void(Result<void>)> done) {
  if (!credentials_.current().linked() || logging_out_)
    return done(fail(Errc::not_found, "no account is linked"));
  const auto finish = [this](Once<void(Result<void>)> answer) {
    logging_out_ = false;
    retry_timer_.stop();
    close_connection({Errc::cancelled, "logged out"});
    forget_account();
    stand_still({State::logged_out, 0, "logged_out_here", kLinkIt, std::nullopt}, std::nullopt);
    out_.store.durable(std::move(answer));
  };
  if (!logged_in_) return finish(std::move(done));
  constexpr seconds kLogOutTimeout{10};
  logging_out_ = true;
  wire::Node removal("remove-companion-device",
                     {{names::kJid, identity().pn}, {names::kReason, "user_initiated"}});
  questions_.ask(
      build_iq(names::kSet, names::kMd, {std::move(removal)}), kLogOutTimeout,
      [this, alive = alive_, finish, done = std::move(done)](Result<wire::Node> answer) mutable {
        // Also when the server did not hear it: the person then removes the device on the phone.
        if (!answer) log::warn("session", "logout not confirmed", {{"error", answer.error()}});
        out_.scheduler.post([alive, finish, done = std::move(done)]() mutable {
          if (!*alive) return done(fail(Errc::cancelled, "the session ends"));
          finish(std::move(done));
        });
      });
}

// Connecting
// ------------------------------------------------------------------------------------------

void Session::Impl::connect_in(milliseconds wait) {
  retry_timer_.start(wait, [this] { connect(); });
}

void Session::Impl::connect() {
  retry_timer_.stop();
  if (!running_ || !target_ || !connection_.idle() || must_rest()) return;
  auto payload = client_payload();
  if (!payload) {
    log::error("session", "cannot introduce ourselves", {{"error", payload.error()}});
    return enter({State::paused, 0, "storage", kStorage, std::nullopt});
  }
  const Credentials& mine = credentials_.current();
  wire::ClientIdentity identity;
  identity.noise = wire::key_pair_from_private(mine.noise_private);
  identity.client_payload = *std::move(payload);
  identity.root_key = target_->root_key;
  identity.known_server_key = resumable_key();
  identity.verify = [](const wire::Key32& key, ByteView message, ByteView signature) {
    return signal::verify(key, message, signature);
  };
  resumed_attempt_ = identity.known_server_key.has_value();
  Bytes routing = target_->production && mine.linked() ? mine.routing_info : Bytes{};
  used_routing_ = !routing.empty();
  registering_ = !mine.linked();
  dialled_ = false;
  enter(State::connecting);
  if (connection_.idle()) connection_.open(*target_, std::move(identity), std::move(routing));
}

/// A linked device does not come back before it may (throttle policy 8.2: expiry + 1 h).
bool Session::Impl::must_rest() {
  if (!out_.not_before || !credentials_.current().linked()) return false;
  const std::optional<Wall> until = out_.not_before();
  const Wall now = out_.clock.now();
  if (!until || *until <= now) return false;
  connect_in(*until - now);
  enter({State::blocked, 402, "temporary_ban", kRest, until});
  return true;
}

Result<Bytes> Session::Impl::client_payload() {
  const Credentials& mine = credentials_.current();
  if (mine.linked()) return build_login_payload(version(), mine.identity.pn, mine.login_counter);
  TRY(const auto identity, protocol_.own_identity(out_.clock.now()));
  TRY(const auto skey, protocol_.current_signed_pre_key());
  const RegistrationKeys keys{identity.registration_id, to_bytes(identity.key.public_key), skey.id,
                              to_bytes(skey.key.public_key), to_bytes(skey.signature)};
  return build_registration_payload(version(), keys, config_.device_name);
}

std::optional<wire::Key32> Session::Impl::resumable_key() const {
  const Credentials& mine = credentials_.current();
  wire::Key32 key;
  if (!mine.linked() || mine.server_key.size() != key.size()) return std::nullopt;
  if (out_.clock.now().unix_seconds() >= mine.server_key_until) return std::nullopt;
  std::ranges::copy(mine.server_key, key.begin());
  return key;
}

void Session::Impl::on_dialled() {
  dialled_ = true;
  enter(State::handshaking);
}

void Session::Impl::on_open(const std::optional<wire::ServerCertificate>& certificate) {
  questions_.open();
  certificate_ = certificate;
  opened_ = true;
  greeting_timer_.start(kGreetingWait, [this] {
    drop({Errc::timeout, "the server says nothing"});
  });
  if (registering_) enter(State::pairing);
}

// The end of a connection
// -------------------------------------------------------------------------------

/// Everything that belongs to one connection ends here, whoever ended it.
void Session::Impl::go_off_line(const Error& why) {
  opened_ = false;
  logged_in_ = false;
  active_ = false;
  drained_ = false;
  keepalive_.stop();
  drain_.stop();
  account_watch_.stop();
  stable_timer_.stop();
  restart_timer_.stop();
  greeting_timer_.stop();
  pause_timer_.stop();
  advice_ = {State::online, 0, {}, {}, {}};
  chore_timer_.stop();
  hearing_timer_.stop();
  owed_acks_.clear();
  prekeys_.on_offline();
  pairing_.on_offline();
  questions_.fail_all(why);
  messages_->on_offline(why);
}

void Session::Impl::close_connection(const Error& why) {
  connection_.close();
  go_off_line(why);
}

void Session::Impl::on_lost(Error why) {
  log::info("session", "connection lost", {{"error", why}});
  const bool linked = credentials_.current().linked();
  if (!logged_in_) {
    // Whatever made this connection special may be what broke it.
    Credentials& mine = credentials_.current();
    if (resumed_attempt_ && !mine.server_key.empty()) mine.server_key.clear();
    if (used_routing_) mine.routing_info.clear();
    if (resumed_attempt_ || used_routing_) save_credentials();
  }
  const bool still = linked && !logging_out_ && note_loss(why);
  go_off_line(why);
  if (!running_ || still || logging_out_) return;
  if (why.code == Errc::crypto)
    log::error("session", "server certificate refused", {{"what_to_do", kCertificate}});
  if (!linked) return after_disconnect(why);
  back_off(why);
}

bool Session::Impl::AbruptCloses::too_many(Mono now) {
  at.push_back(now);
  while (at.size() > kAbruptCloses) at.pop_front();
  return at.size() == kAbruptCloses && now - at.front() <= kAbruptWindow;
}

/// Tells the throttle, and stands still when the server hangs up again and again without a word.
bool Session::Impl::note_loss(const Error& why) {
  const Mono now = out_.scheduler.now();
  if (!logged_in_) {
    const bool hung_up = opened_ && !registering_ && why.code == Errc::disconnected;
    if (!hung_up || !abrupt_handshakes_.too_many(now)) return false;
    abrupt_handshakes_.at.clear();
    Restriction restriction;
    restriction.kind = Restriction::Kind::abrupt_closes;
    restriction.until = out_.clock.now() + kPause;
    restrict(restriction);
    stand_still(
        {State::paused, 0, "abrupt_closes",
         "Wait an hour: WhatsApp hangs up on every login without saying why.", restriction.until},
        kPause);
    return true;
  }
  Restriction lost;
  lost.kind = Restriction::Kind::connection_lost;
  lost.raw = why.detail;
  restrict(std::move(lost));
  if (success_at_ && now - *success_at_ <= kAbruptAfterSuccess && abrupt_logins_.too_many(now)) {
    abrupt_logins_.at.clear();
    Restriction restriction;
    restriction.kind = Restriction::Kind::abrupt_closes;
    restriction.until = out_.clock.now() + kPause;
    restrict(std::move(restriction));
  }
  return false;
}

bool Session::Impl::pairing_wanted() const {
  return pairing_wanted_until_ && out_.scheduler.now() < *pairing_wanted_until_;
}

void Session::Impl::back_off(const Error& why) {
  milliseconds wait = back_off_.next(out_.random);
  // Nobody is bothered by attempts that reach nobody, and the shop wants to be back soon.
  if (!dialled_) wait = std::min(wait, with_jitter(kUnreachable, out_.random));
  const std::string cause = why.code == Errc::crypto ? "certificate" : "connection_lost";
  connect_in(wait);
  enter({State::backing_off, 0, cause, why.code == Errc::crypto ? kCertificate : "", std::nullopt});
}

/// Not linked, and the registration connection is gone: another round only while somebody looks.
void Session::Impl::after_disconnect(const Error& why) {
  const bool reached = state_.state == State::pairing;
  if (!reached || pairing_wanted() || pairing_.code_active()) return back_off(why);
  stand_still({State::logged_out, 0, "not_linked", kLinkIt, std::nullopt}, std::nullopt);
}

// Pairing::Host
// ----------------------------------------------------------------------------------------

void Session::Impl::on_paired() {
  log::info("session", "linked", {{"phone", log::redact(identity().pn.user)}});
  pairing_wanted_until_.reset();
  pairing_rounds_ = 0;
  restart_timer_.start(kRestartWait, [this] {
    close_connection({Errc::disconnected, "restart after linking"});
    connect();
  });
}

void Session::Impl::on_round_over() {
  close_connection({Errc::disconnected, "the QR codes are used up"});
  if (++pairing_rounds_ >= kMostRounds) {
    pairing_rounds_ = 0;
    pairing_rests_until_ = out_.scheduler.now() + kPairingRest;
    return stand_still({State::logged_out, 0, "not_linked", kResting, std::nullopt}, std::nullopt);
  }
  if (pairing_wanted()) return connect_in(with_jitter(kNextRound, out_.random));
  stand_still({State::logged_out, 0, "not_linked", kLinkIt, std::nullopt}, std::nullopt);
}

void Session::Impl::on_pairing_failed(std::string cause, std::string what_to_do, Again again) {
  close_connection({Errc::refused, cause});
  if (again == Again::yes && pairing_wanted()) connect_in(back_off_.next(out_.random));
  stand_still({State::logged_out, 0, std::move(cause), std::move(what_to_do), std::nullopt},
              std::nullopt);
}

// <failure> and <stream:error>
// --------------------------------------------------------------------------

void Session::Impl::on_stop_stanza(const wire::Node& stanza) {
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
void Session::Impl::remember_missed_ack(const wire::Node& missed) {
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

void Session::Impl::apply_stop(const Stop& stop, const wire::Node& stanza) {
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
      return connect_in(too_soon ? back_off_.next(out_.random) : milliseconds(0));
    }
    case Retry::back_off_more:
      back_off_.penalise();
      [[fallthrough]];
    case Retry::back_off:
      announce_stop(stop, stanza, std::nullopt);
      connect_in(back_off_.next(out_.random));
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
    case Retry::hour_then_stop:
      if (attempts == 0) retry_after = kPause;
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

/// The server wants a newer web client: when there is one, we call ourselves that and try once.
void Session::Impl::look_for_version(StateChanged refused) {
  if (!versions_.may_look()) return;
  versions_.look([this, refused = std::move(refused)](Result<bool> newer) {
    if (!newer || !*newer || !running_ || state_.cause != refused.cause) return;
    connect_in(milliseconds(0));
  });
}

void Session::Impl::announce_stop(const Stop& stop, const wire::Node& stanza,
                                  std::optional<Wall> until) {
  if (!stop.rule->restriction) return;
  Restriction restriction;
  restriction.kind = *stop.rule->restriction;
  restriction.code = stop.sub_code != 0 ? stop.sub_code : stop.code;
  restriction.until = until;
  restriction.raw = wire::to_xml(stanza).substr(0, kRawBytes);
  restrict(std::move(restriction));
}

/// Stops connecting, also over a restart of the box, until a timer or a person ends it.
void Session::Impl::stand_still(StateChanged next, std::optional<milliseconds> retry_after,
                                int attempts) {
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
void Session::Impl::resume_standstill(const Standstill& standstill) {
  const bool refused_version =
      standstill.cause == "client_too_old" || standstill.cause == "bad_user_agent";
  const bool other_version = refused_version && standstill.version != to_string(version());
  const bool unlinked = standstill.state == State::logged_out;
  const milliseconds extra =
      standstill.state == State::blocked ? milliseconds(kAfterBan) : milliseconds(0);
  const bool over = standstill.until && out_.clock.now() >= *standstill.until + extra;
  standing_still_ = true;
  const bool stale = unlinked && credentials_.current().linked();
  if (stale || other_version || over) {
    if (other_version || !over) end_standstill();  // else it still counts the attempts
    return connect();
  }
  // A paused state waits out what is left of it; nothing that only a person may end has a timer.
  if (standstill.until) connect_in(*standstill.until + extra - out_.clock.now());
  enter({standstill.state, standstill.code, standstill.cause, standstill.what_to_do,
         standstill.until});
}

void Session::Impl::end_standstill() {
  if (!std::exchange(standing_still_, false)) return;
  if (auto saved = credentials_.save_standstill(std::nullopt); !saved)
    log::error("session", "state could not be saved", {{"error", saved.error()}});
}

/// The account does not know this device any more: keys and sessions are worthless.
void Session::Impl::forget_account() {
  credentials_.forget();
  save_credentials();
  missed_acks_.clear();
  messages_->on_logged_out();
  if (auto cleared = out_.store.clear_signal(); !cleared)
    log::error("session", "keys could not be cleared", {{"error", cleared.error()}});
}

void Session::Impl::drop(Error why) { connection_.break_off(std::move(why)); }

void Session::Impl::save_credentials() {
  if (auto saved = credentials_.save(); !saved)
    log::error("session", "credentials could not be saved", {{"error", saved.error()}});
}

}  // namespace posthorn::session
