#include <algorithm>
#include <cassert>
#include <utility>

#include "posthorn/base/log.h"
#include "posthorn/signal/curve.h"
#include "session/core.h"
#include "session/stanzas.h"
#include "session/trouble.h"

namespace posthorn::session {
namespace {

constexpr seconds kGreetingWait{30};  // for the first stanza after the handshake
constexpr seconds kStorageCheck{5};
constexpr minutes kReadAgain{1};
constexpr seconds kUnreachable{60};  // the longest wait while the shop's own network is down
constexpr hours kPause{1};
constexpr minutes kAbruptWindow{10};
constexpr std::size_t kAbruptCloses = 3;
constexpr seconds kAbruptAfterSuccess{10};

constexpr auto kRest =
    "Wait: WhatsApp has banned this number for a time, and the box tries again by itself.";
constexpr auto kStorage =
    "The box's memory of the link cannot be read. Restart it (\"posthornctl restart\"); if that "
    "does not help, replace the card and run \"posthornctl restore FILE\".";

std::string question_prefix(Random& random) {
  const std::uint64_t n = random.next_u64();
  return std::to_string(n & 0xFFFF) + "." + std::to_string((n >> 16) & 0xFFFF) + "-";
}

}  // namespace

Core::Core(const WhatsAppConfig& config, Outside outside, EventSink sink)
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
               config.passkey_handoff, *this),
      versions_({outside.scheduler, outside.clock, outside.dialer, outside.store}, config),
      retry_timer_(outside.scheduler),
      stable_timer_(outside.scheduler),
      restart_timer_(outside.scheduler),
      greeting_timer_(outside.scheduler),
      pause_timer_(outside.scheduler),
      chore_timer_(outside.scheduler),
      hearing_timer_(outside.scheduler) {}

Core::~Core() {
  stop();
  *alive_ = false;
  questions_.fail_all({Errc::cancelled, "the session ends"});
}

void Core::enter(StateChanged next) {
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

void Core::start() {
  assert(listener_ != nullptr);
  if (std::exchange(running_, true)) return;
  if (!target_)
    return enter({State::paused, 0, "bad_configuration", target_.error().detail, std::nullopt});
  begin();
}

void Core::begin() {
  if (const auto loaded = credentials_.load(); !loaded) {
    log::error("session", "credentials could not be read", {{"error", loaded.error()}});
    retry_timer_.start(kReadAgain, [this] { begin(); });
    return enter({State::paused, 0, "storage", kStorage, std::nullopt});
  }
  if (const auto loaded = versions_.load(); !loaded)
    log::warn("session", "version could not be read", {{"error", loaded.error()}});
  const auto standstill = credentials_.load_standstill();
  if (standstill && *standstill) return resume_standstill(**standstill);
  connect();
}

void Core::stop() {
  if (!std::exchange(running_, false)) return;
  retry_timer_.stop();
  close_connection({Errc::cancelled, "the session ends"});
  enter(State::offline);
}

void Core::reconnect() {
  if (!running_ || !target_) return;
  const bool banned =
      state_.state == State::blocked && state_.until && out_.clock.now() < *state_.until;
  if (banned) return log::warn("session", "no reconnect before the ban has ended");
  end_standstill();
  close_connection({Errc::disconnected, "the connection is made anew"});
  enter({State::offline, 0, std::string(kReboot), "", std::nullopt});
  back_off_.reset();
  back_off_.forgive();
  if (!credentials_.current().linked()) {
    pairing_rounds_ = 0;
    pairing_rests_until_.reset();
    want_pairing();
  }
  connect();
}

Account Core::account() const {
  const Identity& own = credentials_.current().identity;
  if (own.pn.empty()) return {};
  return {own.pn.user, wire::to_string(own.pn), own.push_name, account_made_};
}

// Connecting
// ------------------------------------------------------------------------------------------

void Core::connect_in(milliseconds wait) {
  retry_timer_.start(wait, [this] { connect(); });
}

void Core::connect() {
  retry_timer_.stop();
  if (!running_ || !target_ || !connection_.idle() || must_rest()) return;
  auto payload = client_payload();
  if (!payload) {
    log::error("session", "cannot introduce ourselves", {{"error", payload.error()}});
    return wait_for_storage(trouble_of({Errc::io, ""}, Reached::nothing));
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
  stream_ended_ = false;
  enter(State::connecting);
  if (connection_.idle()) connection_.open(*target_, std::move(identity), std::move(routing));
}

/// A linked device does not come back before it may (throttle policy 8.2: expiry + 1 h).
bool Core::must_rest() {
  if (!out_.not_before || !credentials_.current().linked()) return false;
  const std::optional<Wall> until = out_.not_before();
  const Wall now = out_.clock.now();
  if (!until || *until <= now) return false;
  connect_in(*until - now);
  enter({State::blocked, 402, "temporary_ban", kRest, until});
  return true;
}

Result<Bytes> Core::client_payload() {
  const Credentials& mine = credentials_.current();
  if (mine.linked()) return build_login_payload(version(), mine.identity.pn, mine.login_counter);
  TRY(const auto identity, protocol_.own_identity(out_.clock.now()));
  TRY(const auto skey, protocol_.current_signed_pre_key());
  const RegistrationKeys keys{identity.registration_id, to_bytes(identity.key.public_key), skey.id,
                              to_bytes(skey.key.public_key), to_bytes(skey.signature)};
  return build_registration_payload(version(), keys, config_.device_name);
}

std::optional<wire::Key32> Core::resumable_key() const {
  const Credentials& mine = credentials_.current();
  wire::Key32 key;
  if (!mine.linked() || mine.server_key.size() != key.size()) return std::nullopt;
  if (out_.clock.now().unix_seconds() >= mine.server_key_until) return std::nullopt;
  std::ranges::copy(mine.server_key, key.begin());
  return key;
}

void Core::on_dialled() {
  dialled_ = true;
  enter(State::handshaking);
}

void Core::on_open(const std::optional<wire::ServerCertificate>& certificate) {
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
void Core::go_off_line(const Error& why) {
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
  listener_->on_offline(why);
}

void Core::close_connection(const Error& why) {
  connection_.close();
  go_off_line(why);
}

void Core::on_lost(Error why) {
  log::info("session", "connection lost", {{"error", why}});
  const bool linked = credentials_.current().linked();
  if (!logged_in_) {
    // Whatever made this connection special may be what broke it.
    Credentials& mine = credentials_.current();
    if (resumed_attempt_ && !mine.server_key.empty()) mine.server_key.clear();
    if (used_routing_) mine.routing_info.clear();
    if (resumed_attempt_ || used_routing_) save_credentials();
  }
  const Reached come = reached();
  const bool passkey_open = pairing_.passkey().active();
  if (linked && !logging_out_) note_loss(why);
  go_off_line(why);
  if (!running_ || logging_out_) return;
  if (!linked) return after_disconnect(why, come, passkey_open);
  back_off(why, come);
}

bool Core::AbruptCloses::too_many(Mono now) {
  at.push_back(now);
  while (at.size() > kAbruptCloses) at.pop_front();
  const bool many = at.size() == kAbruptCloses && now - at.front() <= kAbruptWindow;
  if (!many || (told && now - *told < kPause)) return false;
  told = now;
  return true;
}

/// Tells the throttle. The box comes back after its usual wait, also when the server hangs up again
/// and again without a word: a server that is being changed over does that to everybody.
void Core::note_loss(const Error& why) {
  // A full disk says nothing about the account.
  if (trouble_of(why, reached()).ours) return;
  const Mono now = out_.scheduler.now();
  if (!logged_in_) {
    const bool hung_up =
        opened_ && !registering_ && !stream_ended_ && why.code == Errc::disconnected;
    if (hung_up) note_abrupt_close(abrupt_handshakes_, now);
    return;
  }
  Restriction lost;
  lost.kind = Restriction::Kind::connection_lost;
  lost.raw = why.detail;
  restrict(std::move(lost));
  const bool at_once = success_at_ && now - *success_at_ <= kAbruptAfterSuccess;
  if (at_once && !stream_ended_) note_abrupt_close(abrupt_logins_, now);
}

void Core::note_abrupt_close(AbruptCloses& closes, Mono now) {
  if (!closes.too_many(now)) return;
  Restriction restriction;
  restriction.kind = Restriction::Kind::abrupt_closes;
  restriction.until = out_.clock.now() + kPause;
  restrict(std::move(restriction));
}

Reached Core::reached() const {
  if (opened_) return Reached::whatsapp;
  return dialled_ ? Reached::other_end : Reached::nothing;
}

void Core::back_off(const Error& why, Reached reached) {
  const Trouble trouble = trouble_of(why, reached);
  if (trouble.ours) return wait_for_storage(trouble);
  milliseconds wait = back_off_.next(out_.random, out_.scheduler.now());
  // Nobody is bothered by attempts that reach nobody, and the shop wants to be back soon.
  if (reached == Reached::nothing) wait = std::min(wait, with_jitter(kUnreachable, out_.random));
  connect_in(wait);
  enter({State::backing_off, 0, std::string(trouble.cause), std::string(trouble.what_to_do),
         std::nullopt});
}

/// The box cannot keep what it would be told, so it does not log in only to break off again:
/// it goes on when its disk takes a record.
void Core::wait_for_storage(const Trouble& trouble) {
  enter({State::backing_off, 0, std::string(trouble.cause), std::string(trouble.what_to_do),
         std::nullopt});
  retry_timer_.start(kStorageCheck, [this, trouble] {
    const auto saved = credentials_.save();
    if (!saved) return wait_for_storage(trouble_of(saved.error(), Reached::nothing));
    out_.store.durable([this, alive = alive_, trouble](Result<void> kept) {
      if (!*alive || !running_) return;
      if (!kept) return wait_for_storage(trouble);
      connect();
    });
  });
}

void Core::drop(Error why) { connection_.break_off(std::move(why)); }

void Core::save_credentials() {
  if (auto saved = credentials_.save(); !saved)
    log::error("session", "credentials could not be saved", {{"error", saved.error()}});
}

}  // namespace posthorn::session
