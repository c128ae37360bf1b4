#include <utility>

#include "posthorn/base/log.h"
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
constexpr minutes kStorageRest{1};
constexpr seconds kNextRound{2};

constexpr auto kResting =
    "Nobody has scanned the QR code for a while, so it rests for ten minutes: run \"posthornctl "
    "pair\" to see it now.";

}  // namespace

std::optional<std::string> Core::qr() {
  if (!running_ || credentials_.current().linked()) return std::nullopt;
  start_pairing(Asked::by_looking);
  return pairing_.qr();
}

void Core::request_link_code(const std::string& phone, Once<void(Result<std::string>)> done) {
  if (!running_) return done(fail(Errc::cancelled, "the session is stopped"));
  if (credentials_.current().linked())
    return done(fail(Errc::refused, "the box is linked already: log out first"));
  pairing_.request_code(phone, std::move(done));
  if (pairing_.code_active()) start_pairing(Asked::on_purpose);
}

void Core::answer_passkey(const std::string& response, Once<void(Result<void>)> done) {
  pairing_.passkey().answer(response, std::move(done));
}

void Core::confirm_passkey(Codes codes, Once<void(Result<void>)> done) {
  pairing_.passkey().confirm(codes, std::move(done));
}

/// The owner may take minutes, in which the connection must live.
void Core::on_passkey() {
  const Passkey now = pairing_.passkey().passkey();
  pairing_rounds_ = 0;
  keepalive_.start();
  switch (now.stage) {
    case Passkey::Stage::awaiting_response:
      return enter({State::pairing, 0, "passkey_required", now.message, now.until});
    case Passkey::Stage::awaiting_confirmation:
      return enter({State::pairing, 0, "passkey_code", now.message, now.until});
    case Passkey::Stage::finishing:
      return enter({State::pairing, 0, "passkey_finishing", {}, now.until});
    case Passkey::Stage::none:
      break;
  }
}

/// Somebody looks at the QR code or waits for a typed one: sees to it that there is a round.
void Core::start_pairing(Asked asked) {
  const Mono now = out_.scheduler.now();
  if (asked == Asked::on_purpose) pairing_rests_until_.reset();
  if (pairing_rests_until_ && now < *pairing_rests_until_) return;
  want_pairing();
  if (state_.state != State::logged_out || !target_) return;
  end_standstill();
  connect();
}

void Core::want_pairing() { pairing_wanted_until_ = out_.scheduler.now() + kPairingWanted; }

bool Core::pairing_wanted() const {
  return pairing_wanted_until_ && out_.scheduler.now() < *pairing_wanted_until_;
}

/// Not linked, and the registration connection is gone: another round only while somebody looks.
void Core::after_disconnect(const Error& why, Reached reached, bool passkey_open) {
  const bool shown = state_.state == State::pairing;
  if (!shown || pairing_wanted() || pairing_.code_active()) return back_off(why, reached);
  StateChanged next{State::logged_out, 0, "not_linked", kLinkIt, std::nullopt};
  if (passkey_open) {
    next.cause = "passkey_lost";
    next.what_to_do = passkey().message;
  }
  stand_still(std::move(next), std::nullopt);
}

void Core::on_paired() {
  log::info("session", "linked", {{"phone", log::redact(identity().pn.user)}});
  pairing_wanted_until_.reset();
  pairing_rounds_ = 0;
  restart_timer_.start(kRestartWait, [this] {
    close_connection({Errc::disconnected, "restart after linking"});
    connect();
  });
}

void Core::on_round_over() {
  close_connection({Errc::disconnected, "the QR codes are used up"});
  if (++pairing_rounds_ >= kMostRounds) {
    pairing_rounds_ = 0;
    pairing_rests_until_ = out_.scheduler.now() + kPairingRest;
    return stand_still({State::logged_out, 0, "not_linked", kResting, std::nullopt}, std::nullopt);
  }
  if (pairing_wanted()) return connect_in(with_jitter(kNextRound, out_.random));
  stand_still({State::logged_out, 0, "not_linked", kLinkIt, std::nullopt}, std::nullopt);
}

void Core::on_pairing_failed(std::string cause, std::string what_to_do, Again again) {
  close_connection({Errc::refused, cause});
  // Else each look at the QR code would register anew, only to fail at the same disk.
  if (cause == "storage") pairing_rests_until_ = out_.scheduler.now() + kStorageRest;
  if (again == Again::yes && pairing_wanted())
    connect_in(back_off_.next(out_.random, out_.scheduler.now()));
  stand_still({State::logged_out, 0, std::move(cause), std::move(what_to_do), std::nullopt},
              std::nullopt);
}

void Core::log_out(Once<void(Result<void>)> done) {
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

/// The account does not know this device any more: keys and sessions are worthless.
void Core::forget_account() {
  credentials_.forget();
  save_credentials();
  missed_acks_.clear();
  listener_->on_logged_out();
  if (auto cleared = out_.store.clear_signal(); !cleared)
    log::error("session", "keys could not be cleared", {{"error", cleared.error()}});
}

}  // namespace posthorn::session
