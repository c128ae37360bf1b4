#include "session/pairing.h"

#include <algorithm>

#include "posthorn/base/log.h"
#include "posthorn/wire/names.h"
#include "session/stanzas.h"

namespace posthorn::session {
namespace {

namespace names = wire::names;

constexpr auto kStage = "stage";
constexpr auto kPairingRef = "link_code_pairing_ref";
constexpr auto kPlatformId = "1";  // Chrome, as in the QR text
constexpr auto kPlatformDisplay = "Chrome (Linux)";

constexpr auto kPasskeyNeeded =
    "WhatsApp asks for the passkey of this account: \"posthornctl pair\" shows the steps, or wait "
    "until that has ended";
constexpr auto kTryAgain = "Try again with a new code.";

wire::Node leaf(const char* tag, ByteView bytes) { return {tag, {}, to_bytes(bytes)}; }

wire::Node registration_iq(const std::string& phone, const char* stage,
                           std::vector<wire::Node> children) {
  wire::Node registration(
      names::kLinkCodeCompanionReg,
      {{names::kJid, wire::Jid{phone, std::string(wire::kServerUser), 0}}, {kStage, stage}},
      std::move(children));
  return build_iq(names::kSet, names::kMd, {std::move(registration)});
}

std::optional<crypto::Key32> key_of(const wire::Node& parent, const char* tag) {
  const wire::Node* child = parent.child(tag);
  if (child == nullptr) return std::nullopt;
  const auto key = signal::parse_public_key(child->bytes());
  if (!key) return std::nullopt;
  return *key;
}

/// What a refusal of companion_hello means for the person. Source: chapter 03 section 4.2.
std::string code_refusal(const Error& error) {
  switch (refusal_code(error)) {
    case 400:
      return "WhatsApp refused the number, or too many codes were asked for it: wait some minutes "
             "or use the QR code";
    case 403:
      return "WhatsApp refuses codes for this number: use the QR code";
    case 429:
      return "too many attempts: wait some minutes or use the QR code";
    case 452:
      return "linking by code is not available for this account: use the QR code";
    default:
      return "WhatsApp gave no code: try again or use the QR code";
  }
}

}  // namespace

Pairing::Pairing(Outside outside, PasskeyHandoff handoff, Host& host)
    : out_(outside),
      host_(host),
      ref_timer_(outside.scheduler),
      code_timer_(outside.scheduler),
      passkey_({outside.scheduler, outside.clock, outside.random, outside.questions}, handoff,
               *this) {}

Pairing::~Pairing() {
  *alive_ = false;
  end_code({Errc::cancelled, "the session ends"});
}

// QR
// ------------------------------------------------------------------------------------------------

std::optional<std::string> Pairing::qr() {
  const auto ref = round_.current(out_.scheduler.now());
  if (!ref || committing_) return std::nullopt;
  const auto identity = out_.protocol.own_identity(out_.clock.now());
  if (!identity) return std::nullopt;
  const Credentials& mine = out_.credentials.current();
  return qr_text(*ref, crypto::x25519_public(mine.noise_private), identity->key.public_key,
                 mine.adv_secret);
}

bool Pairing::on_iq(const wire::Node& iq) {
  if (iq.text_attr(names::kType) != names::kSet) return false;
  if (iq.child(names::kPairDevice) != nullptr) {
    on_pair_device(iq);
    return true;
  }
  if (iq.child(names::kPairSuccess) != nullptr) {
    on_pair_success(iq);
    return true;
  }
  return false;
}

void Pairing::on_pair_device(const wire::Node& iq) {
  // The scan is done: what it began goes on with its secret, whatever further codes there are.
  if (passkey_.active()) return host_.write_pairing(build_iq_result(iq));
  std::deque<std::string> refs;
  for (const wire::Node& child : iq.child(names::kPairDevice)->children())
    if (child.tag == names::kRef && !child.bytes().empty())
      refs.emplace_back(as_text(child.bytes()));
  // A secret that pair-success is awaited under must stay; every other round gets a new one.
  if (code_state_ != CodeState::finishing) {
    if (auto rotated = rotate_secret(); !rotated)
      return host_.on_pairing_failed("storage",
                                     "The box cannot write to its disk: see \"posthornctl board\".",
                                     Host::Again::no);
  }
  host_.write_pairing(build_iq_result(iq));
  round_.begin(std::move(refs), out_.scheduler.now());
  ready_ = true;
  log::info("session", "ready to be linked");
  show_next_ref();
  if (code_state_ == CodeState::waiting) begin_code();
}

void Pairing::show_next_ref() {
  const auto again = [this] { show_next_ref(); };
  if (round_.current(out_.scheduler.now()))
    return ref_timer_.start_at(*round_.next_change(), again);
  // A code may be typed for longer than QR codes are shown, and be committed after them; however it
  // ends, this round is over then.
  if (code_active() || committing_) return ref_timer_.start(kLookAgain, again);
  host_.on_round_over();
}

Result<void> Pairing::rotate_secret() {
  out_.credentials.current().adv_secret = out_.random.bytes(32);
  return out_.credentials.save();
}

void Pairing::on_offline() {
  ++connection_;
  ready_ = false;
  committing_ = false;
  round_.end();
  ref_timer_.stop();
  passkey_.on_offline();
  // One who still waits for a connection goes on waiting, until the time for that is over.
  if (code_state_ != CodeState::waiting)
    end_code({Errc::disconnected, "the connection to WhatsApp was lost: ask for a new code"});
}

// pair-success
// --------------------------------------------------------------------------------------

void Pairing::on_pair_success(const wire::Node& iq) {
  if (committing_ || out_.credentials.current().linked()) return;
  const std::string id = iq.text_attr(names::kId);
  const auto success = parse_pair_success(iq);
  if (!success) return refuse(id, success.error());
  if (success->server_time) out_.clock.on_server_time(*success->server_time);
  const auto identity = out_.protocol.own_identity(out_.clock.now());
  if (!identity) return refuse(id, identity.error());
  const Bytes secret = passkey_.candidate().value_or(out_.credentials.current().adv_secret);
  const auto attestation = attest(success->device_identity, secret, identity->key, out_.random);
  if (!attestation) return refuse(id, attestation.error());
  if (auto kept = commit(*success, *attestation, secret); !kept) return refuse(id, kept.error());

  // The answer commits the phone to this device, so it leaves only when the keys are on disk.
  committing_ = true;
  out_.store.durable([this, alive = alive_, connection = connection_,
                      answer = build_pair_device_sign(id, *attestation), id](Result<void> done) {
    if (!*alive || connection != connection_) return;
    if (!done) return refuse(id, done.error());
    host_.write_pairing(answer);
    end_code({Errc::cancelled, "linked already"});
    passkey_.on_linked();
    round_.end();
    ref_timer_.stop();
    host_.on_paired();
  });
}

Result<void> Pairing::commit(const PairSuccess& success, const Attestation& attestation,
                             const Bytes& adv_secret) {
  TRY(auto transaction, out_.store.begin());
  Credentials& mine = out_.credentials.current();
  const Credentials before = mine;
  mine.adv_secret = adv_secret;
  mine.identity.pn = success.pn;
  mine.identity.lid = success.lid;
  mine.identity.device_identity = attestation.full;
  mine.identity.account_key = to_bytes(attestation.account_key);
  mine.identity.push_name = success.business_name;
  mine.identity.lid_migrated = success.lid_migrated;
  mine.platform = success.platform;
  mine.business_name = success.business_name;
  mine.login_counter = 0;
  mine.logged_in_once = false;
  mine.server_has_prekeys = false;
  const auto kept = [&]() -> Result<void> {
    TRY(out_.credentials.save());
    for (const wire::Jid& jid : {success.pn, success.lid}) {
      if (jid.empty()) continue;
      signal::KeyChanges trusted;
      trusted.peer_identity = {signal::make_address(jid.user, jid.server, 0),
                               attestation.account_key};
      TRY(out_.store.apply(trusted));
    }
    return transaction.commit();
  }();
  if (!kept) mine = before;
  return kept;
}

void Pairing::refuse(const std::string& id, const Error& why) {
  log::error("session", "linking refused by the box", {{"error", why}});
  host_.write_pairing(build_pair_refusal(id, why));
  passkey_.on_link_refused();
  out_.credentials.current().identity = {};
  if (auto rotated = rotate_secret(); !rotated)
    log::error("session", "credentials could not be saved", {{"error", rotated.error()}});
  host_.on_pairing_failed("link_refused",
                          "Scan the new QR code: the phone's signature did not fit this one.",
                          Host::Again::yes);
}

// Code typed on the phone
// -----------------------------------------------------------------------------

void Pairing::request_code(const std::string& phone, Once<void(Result<std::string>)> done) {
  auto digits = link_code::check_phone(phone);
  if (!digits) return done(tl::unexpected(digits.error()));
  if (code_state_ == CodeState::shown && code_.phone == *digits)
    return done(link_code::for_people(code_.code));
  if (passkey_.active()) return done(fail(Errc::busy, kPasskeyNeeded));
  // The server routes the phone's answer by number: two valid codes would get into each other's
  // way.
  if (code_state_ != CodeState::none)
    return done(fail(Errc::busy, "a code is being made or still valid: use it or wait 3 minutes"));
  code_.phone = *std::move(digits);
  code_.done = std::move(done);
  code_state_ = CodeState::waiting;
  code_timer_.start(kWaitForConnection, [this] {
    end_code({Errc::timeout, "no connection to WhatsApp"});
  });
  if (ready_) begin_code();
}

void Pairing::begin_code() {
  if (auto rotated = rotate_secret(); !rotated) return end_code(rotated.error());
  code_state_ = CodeState::wrapping;
  code_.code = link_code::code_from_random(out_.random.bytes(5));
  code_.ephemeral = signal::make_key_pair(out_.random);
  code_.made = out_.scheduler.now();
  code_.primary_hellos = 0;
  code_.finished_once = false;
  code_timer_.start(kCodeValid, [this] { end_code({Errc::timeout, "the code has expired"}); });
  run_on<Bytes>(
      out_.worker,
      [code = code_.code, salt = out_.random.bytes(32), iv = out_.random.bytes(16),
       key = code_.ephemeral.public_key] { return link_code::wrap_ephemeral(code, salt, iv, key); },
      [this, alive = alive_, connection = connection_](Bytes wrapped) {
        if (*alive && connection == connection_ && code_state_ == CodeState::wrapping)
          send_companion_hello(wrapped);
      });
}

void Pairing::send_companion_hello(const Bytes& wrapped) {
  constexpr std::array kNonce{std::byte{0}};
  code_state_ = CodeState::asked;
  const Credentials& mine = out_.credentials.current();
  wire::Node iq = registration_iq(
      code_.phone, "companion_hello",
      {leaf("link_code_pairing_wrapped_companion_ephemeral_pub", wrapped),
       leaf("companion_server_auth_key_pub", crypto::x25519_public(mine.noise_private)),
       leaf("companion_platform_id", as_bytes(kPlatformId)),
       leaf("companion_platform_display", as_bytes(kPlatformDisplay)),
       leaf("link_code_pairing_nonce", kNonce)});
  iq.mutable_children().front().set_attr("should_show_push_notification", "true");
  out_.questions.ask(std::move(iq), kTimeout, [this, connection = connection_](auto answer) {
    if (connection == connection_ && code_state_ == CodeState::asked)
      on_companion_hello(std::move(answer));
  });
}

void Pairing::on_companion_hello(Result<wire::Node> answer) {
  if (!answer) {
    log::warn("session", "no link code", {{"error", answer.error()}});
    const bool refused = answer.error().code == Errc::refused;
    return end_code(refused ? Error{Errc::refused, code_refusal(answer.error())} : answer.error());
  }
  const wire::Node* registration = answer->child(names::kLinkCodeCompanionReg);
  const wire::Node* ref = registration == nullptr ? nullptr : registration->child(kPairingRef);
  if (ref == nullptr || ref->bytes().empty())
    return end_code({Errc::malformed, "WhatsApp gave no reference for the code"});
  code_.ref = to_bytes(ref->bytes());
  code_state_ = CodeState::shown;
  log::info("session", "link code is shown", {{"phone", log::redact(code_.phone)}});
  if (code_.done) code_.done(link_code::for_people(code_.code));
}

void Pairing::on_code_notification(const wire::Node& registration) {
  const wire::Node* ref = registration.child(kPairingRef);
  const bool ours = ref != nullptr && !code_.ref.empty() &&
                    std::ranges::equal(ref->bytes(), ByteView(code_.ref)) &&
                    (code_state_ == CodeState::shown || code_state_ == CodeState::finishing);
  if (!ours) return;
  const std::string stage = registration.text_attr(kStage);
  if (stage == "primary_hello") return on_primary_hello(registration);
  if (stage == "refresh_code") {
    // Nobody sees a code that the box would make by itself, so both kinds end here.
    end_code({Errc::refused, "the code is void: ask for a new one"});
    if (!round_.current(out_.scheduler.now())) host_.on_round_over();
  }
}

void Pairing::on_primary_hello(const wire::Node& registration) {
  const wire::Node* wrapped = registration.child("link_code_pairing_wrapped_primary_ephemeral_pub");
  const auto primary_identity = key_of(registration, "primary_identity_pub");
  const bool expired = out_.scheduler.now() - code_.made > kCodeValid;
  const bool whole =
      wrapped != nullptr && primary_identity && wrapped->bytes().size() == link_code::kWrappedBytes;
  // The server sends such ones beside a passkey request; they are for other clients.
  if (!whole) return log::info("session", "primary_hello without the phone's keys ignored");
  if (expired || ++code_.primary_hellos > kMostPrimaryHellos)
    return end_code({Errc::refused, "the code cannot be used any more"});
  if (code_.finished_once) {
    if (auto rotated = rotate_secret(); !rotated) return end_code(rotated.error());
  }
  code_state_ = CodeState::finishing;
  run_on<Result<crypto::Key32>>(
      out_.worker,
      [code = code_.code, bytes = to_bytes(wrapped->bytes())] {
        return link_code::unwrap_ephemeral(code, bytes);
      },
      [this, alive = alive_, connection = connection_,
       identity = *primary_identity](Result<crypto::Key32> ephemeral) {
        if (*alive && connection == connection_ && code_state_ == CodeState::finishing)
          send_companion_finish(identity, std::move(ephemeral));
      });
}

void Pairing::send_companion_finish(crypto::Key32 primary_identity,
                                    Result<crypto::Key32> ephemeral) {
  if (!ephemeral) return end_code(ephemeral.error());
  const auto identity = out_.protocol.own_identity(out_.clock.now());
  if (!identity) return end_code(identity.error());
  const auto finish = link_code::finish(
      {code_.ephemeral.private_key, identity->key.private_key, identity->key.public_key, *ephemeral,
       primary_identity, out_.random.bytes(32), out_.random.bytes(32), out_.random.bytes(12)});
  if (!finish) return end_code(finish.error());
  code_.finished_once = true;
  out_.credentials.current().adv_secret = finish->adv_secret;
  if (auto saved = out_.credentials.save(); !saved) return end_code(saved.error());
  wire::Node iq = registration_iq(
      code_.phone, "companion_finish",
      {leaf("link_code_pairing_wrapped_key_bundle", finish->bundle),
       leaf("companion_identity_public", identity->key.public_key), leaf(kPairingRef, code_.ref)});
  // pair-success may overtake this answer, so the new secret must be on disk first.
  out_.store.durable([this, alive = alive_, connection = connection_,
                      iq = std::move(iq)](Result<void> done) mutable {
    if (!*alive || connection != connection_ || code_state_ != CodeState::finishing) return;
    if (!done) return end_code(done.error());
    code_timer_.start(kWaitForSuccess, [this] {
      end_code({Errc::timeout, "the phone did not finish linking"});
    });
    out_.questions.ask(std::move(iq), kTimeout, [this, connection](auto answer) {
      if (connection == connection_) on_companion_finish(std::move(answer));
    });
  });
}

void Pairing::on_companion_finish(Result<wire::Node> answer) {
  if (answer || code_state_ != CodeState::finishing) return;
  end_code({Errc::refused, std::string("WhatsApp refused the code. ") + kTryAgain});
}

void Pairing::end_code(Error why) {
  code_timer_.stop();
  if (std::exchange(code_state_, CodeState::none) == CodeState::none) return;
  log::info("session", "link code ended", {{"why", why}});
  auto done = std::move(code_.done);
  code_ = Code{};
  if (done) done(tl::unexpected(std::move(why)));
}

// Notifications
// --------------------------------------------------------------------------------------

void Pairing::ack(const wire::Node& notification) { host_.write_pairing(build_ack(notification)); }

bool Pairing::on_notification(const wire::Node& notification) {
  const std::string type = notification.text_attr(names::kType);
  if (type == names::kLinkCodeCompanionReg) {
    ack(notification);
    if (const auto* registration = notification.child(names::kLinkCodeCompanionReg))
      on_code_notification(*registration);
    return true;
  }
  if (type == "companion_reg_refresh") {
    on_secret_retired(notification);
    return true;
  }
  if (type == "passkey_prologue_request" || type == "crsc_continuation") {
    ack(notification);
    on_passkey_notification(notification, type);
    return true;
  }
  return false;
}

void Pairing::on_secret_retired(const wire::Node& notification) {
  const bool meant = notification.child("companion_reg_refresh") != nullptr ||
                     notification.child("pair-device-rotate-qr") != nullptr;
  const bool used = code_state_ == CodeState::finishing || committing_ || passkey_.active();
  if (!meant || used) return ack(notification);
  if (auto rotated = rotate_secret(); !rotated)
    log::error("session", "credentials could not be saved", {{"error", rotated.error()}});
  // The code on screen changes with the secret: qr() reads it anew; the ref and its time stay.
  out_.store.durable(
      [this, alive = alive_, connection = connection_, notification](Result<void> done) {
        if (*alive && connection == connection_ && done) ack(notification);
      });
}

// Passkey
// --------------------------------------------------------------------------------------------

void Pairing::on_passkey_notification(const wire::Node& notification, const std::string& type) {
  const auto from = notification.jid_attr(names::kFrom);
  if (!from || *from != server_jid())
    return log::warn("session", "passkey news that is not the server's", {{"type", type}});
  if (type == "crsc_continuation") return passkey_.on_continuation(notification);
  if (!ready_ || committing_) return;
  end_code({Errc::refused, kPasskeyNeeded});
  round_.end();
  ref_timer_.stop();
  passkey_.on_request(notification);
}

Result<PasskeyLink::Keys> Pairing::passkey_keys() {
  TRY(const auto identity, out_.protocol.own_identity(out_.clock.now()));
  const Credentials& mine = out_.credentials.current();
  return PasskeyLink::Keys{crypto::x25519_public(mine.noise_private), identity.key.public_key,
                           mine.adv_secret, mine.linked_before};
}

Result<void> Pairing::keep_secret(const Bytes& adv_secret) {
  out_.credentials.current().adv_secret = adv_secret;
  return out_.credentials.save();
}

void Pairing::on_passkey_failed(std::string cause, std::string what_to_do) {
  // Each attempt makes the owner confirm again: the next one begins when a person asks for it.
  host_.on_pairing_failed(std::move(cause), std::move(what_to_do), Host::Again::no);
}

}  // namespace posthorn::session
