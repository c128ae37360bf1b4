#include "session/passkey_link.h"

#include <utility>

#include "posthorn/base/log.h"
#include "posthorn/wire/names.h"
#include "session/link_code.h"
#include "session/stanzas.h"

namespace posthorn::session {
namespace {

namespace names = wire::names;

constexpr auto kOptions = "passkey_request_options";

constexpr auto kAnswerIt =
    "WhatsApp asks for the passkey of this account. On a computer with Chrome or Edge and "
    "Bluetooth on, follow the steps of the box's page /link, or of \"posthornctl pair\": the phone "
    "confirms, and what the browser answers comes back to the box.";
constexpr auto kCompare =
    "Compare the eight characters: does the phone show the same as the box? Say so on the box's "
    "page /link, or with \"posthornctl pair\".";
constexpr auto kWorking = "The box and WhatsApp are finishing the link: wait a moment.";
constexpr auto kTooLate =
    "WhatsApp's question for the passkey was not answered in time. Begin anew: scan the new QR "
    "code (page /link, or \"posthornctl pair\"), and do each step while the time shown there runs.";
constexpr auto kLost =
    "The connection to WhatsApp was lost before the link was finished. Begin anew: scan the new QR "
    "code (page /link, or \"posthornctl pair\") and answer for the passkey once more.";
constexpr auto kBroken =
    "WhatsApp or the phone broke off the link with the passkey. Begin anew: scan the new QR code "
    "(page /link, or \"posthornctl pair\"). If this happens again, wait a day.";
constexpr auto kDifferent =
    "The link was broken off here. If the codes differed, somebody may have stood between the box "
    "and the phone: look at Linked devices on the phone, then begin anew with \"posthornctl "
    "pair\".";
constexpr auto kStorage = "The box cannot write to its disk: see \"posthornctl board\".";

constexpr auto kNobodyAsks = "WhatsApp does not ask for a passkey now: scan the QR code first";

wire::Node leaf(const char* tag, ByteView bytes) { return {tag, {}, to_bytes(bytes)}; }

}  // namespace

PasskeyLink::PasskeyLink(Outside outside, PasskeyHandoff handoff, Host& host)
    : out_(outside), handoff_(handoff), host_(host), timer_(outside.scheduler) {}

PasskeyLink::~PasskeyLink() { end({Errc::cancelled, "the session ends"}); }

Passkey PasskeyLink::passkey() const {
  Passkey out;
  out.until = until_;
  switch (step_) {
    case Step::none:
      out.message = last_failure_;
      return out;
    case Step::awaiting_response:
      out.stage = Passkey::Stage::awaiting_response;
      out.options = options_.text;
      out.message = kAnswerIt;
      return out;
    case Step::awaiting_confirmation:
      out.stage = Passkey::Stage::awaiting_confirmation;
      out.code = link_code::for_people(try_.code);
      out.message = kCompare;
      return out;
    case Step::asking_options:
    case Step::getting_ref:
    case Step::sending_prologue:
    case Step::awaiting_phone:
    case Step::sending_nonce:
    case Step::sending_request:
    case Step::awaiting_success:
      break;
  }
  out.stage = Passkey::Stage::finishing;
  out.message = kWorking;
  return out;
}

std::optional<Bytes> PasskeyLink::candidate() const {
  // pair-success may overtake the answer to the request.
  const bool sent = step_ == Step::sending_request || step_ == Step::awaiting_success;
  return sent ? std::optional(try_.secret) : std::nullopt;
}

void PasskeyLink::enter(Step step, std::optional<milliseconds> at_most) {
  step_ = step;
  ++generation_;
  timer_.stop();
  until_.reset();
  if (at_most) {
    until_ = out_.clock.now() + *at_most;
    timer_.start(*at_most, [this] { on_time_over(); });
  }
  host_.on_passkey_news();
}

void PasskeyLink::on_time_over() {
  const bool person = step_ == Step::awaiting_response || step_ == Step::awaiting_confirmation;
  if (person) return give_up("passkey_too_late", kTooLate);
  give_up("passkey_unfinished", kBroken);
}

void PasskeyLink::ask(wire::Node iq, Answered answered) {
  out_.questions.ask(std::move(iq), kAnswerDue,
                     [this, answered, generation = generation_](Result<wire::Node> answer) {
                       if (generation == generation_) (this->*answered)(std::move(answer));
                     });
}

// What WhatsApp asks
// ---------------------------------------------------------------------------------

void PasskeyLink::on_request(const wire::Node& notification) {
  if (candidate()) return log::info("session", "another passkey request, after the answer");
  const auto keys = host_.passkey_keys();
  if (!keys) return give_up("storage", kStorage);
  end({Errc::refused, "WhatsApp has asked anew: answer the new request"});
  last_failure_.clear();
  handoff_key_.clear();
  if (keys->linked_before || handoff_ == PasskeyHandoff::always) {
    handoff_key_ = passkey::handoff_key(keys->adv_secret);
    handoff_made_ = out_.scheduler.now();
  }
  log::warn("session", "this account asks for its passkey");
  const wire::Node* child = notification.child(kOptions);
  auto options = child == nullptr ? fail(Errc::malformed, "no options")
                                  : passkey::parse_options(child->bytes());
  if (!options) return ask_options();
  take_options(*std::move(options));
}

void PasskeyLink::take_options(passkey::Options options) {
  options_ = std::move(options);
  enter(Step::awaiting_response, options_.timeout);
}

void PasskeyLink::ask_options() {
  enter(Step::asking_options);
  ask(build_iq(names::kGet, names::kMd, {wire::Node(kOptions)}), &PasskeyLink::on_options);
}

void PasskeyLink::on_options(Result<wire::Node> answer) {
  const wire::Node* child = answer ? answer->child(kOptions) : nullptr;
  if (child == nullptr) return give_up("passkey_failed", kBroken);
  auto options = passkey::parse_options(child->bytes());
  if (!options) {
    log::error("session", "passkey options not understood", {{"error", options.error()}});
    return give_up("passkey_failed", kBroken);
  }
  take_options(*std::move(options));
}

// What the person answers
// ----------------------------------------------------------------------------

void PasskeyLink::answer(const std::string& response, Done done) {
  if (step_ == Step::none) return done(fail(Errc::not_found, kNobodyAsks));
  if (step_ != Step::awaiting_response)
    return done(
        fail(Errc::busy, "an answer is being looked at already: wait for what comes of it"));
  auto assertion = passkey::parse_assertion(response, options_);
  if (!assertion) return done(tl::unexpected(assertion.error()));
  assertion_ = *std::move(assertion);
  done_ = std::move(done);
  repeated_ = false;
  get_ref();
}

void PasskeyLink::get_ref() {
  enter(Step::getting_ref);
  ask(build_iq(names::kGet, names::kMd, {wire::Node(names::kRef)}), &PasskeyLink::on_ref);
}

void PasskeyLink::on_ref(Result<wire::Node> answer) {
  if (!answer) return refused(answer.error());
  const wire::Node* ref = answer->child(names::kRef);
  if (ref == nullptr || ref->bytes().empty())
    return refused({Errc::malformed, "WhatsApp gave no reference"});
  send_prologue(std::string(as_text(ref->bytes())));
}

bool PasskeyLink::proof_wanted() const {
  return !handoff_key_.empty() && out_.scheduler.now() - handoff_made_ <= kHandoffValid;
}

void PasskeyLink::send_prologue(const std::string& ref) {
  constexpr std::size_t kSecret = 32;
  enter(Step::sending_prologue);
  try_ = {};
  try_.ephemeral = signal::make_key_pair(out_.random);
  try_.nonce = out_.random.bytes(kSecret);
  try_.secret = out_.random.bytes(kSecret);
  try_.ref = ref;
  const auto prologue = passkey::build_prologue(try_.ephemeral.public_key, ref, try_.nonce);
  std::vector<wire::Node> children{leaf("credential_id", assertion_.credential_id),
                                   leaf("webauthn_assertion", as_bytes(assertion_.json)),
                                   leaf("prologue_payload", prologue.payload)};
  if (proof_wanted()) {
    try_.proven = true;
    children.push_back(
        leaf("pairing_handoff_proof", passkey::handoff_proof(handoff_key_, prologue.payload)));
  }
  log::info("session", "the passkey's answer leaves", {{"handoff_proof", try_.proven}});
  wire::Node whole("passkey_prologue", {}, std::move(children));
  ask(build_iq(names::kSet, names::kMd, {std::move(whole)}), &PasskeyLink::on_prologue);
}

void PasskeyLink::on_prologue(Result<wire::Node> answer) {
  if (!answer) return refused(answer.error());
  on_accepted();
  enter(Step::awaiting_phone, kWaitForPhone);
}

void PasskeyLink::on_accepted() {
  handoff_key_.clear();
  settle({});
}

/// Silence: once more with the same assertion. A refusal: the person answers a fresh question.
void PasskeyLink::refused(const Error& why) {
  log::warn("session", "the passkey's answer is not taken", {{"error", why}});
  if (why.code == Errc::timeout && !std::exchange(repeated_, true)) return get_ref();
  const Error said =
      why.code == Errc::timeout
          ? why
          : Error{Errc::refused,
                  "WhatsApp did not take this answer: do the step in the browser again with the "
                  "request that is shown now"};
  ask_options();
  settle(tl::unexpected(said));
}

// What the phone answers
// -----------------------------------------------------------------------------

void PasskeyLink::on_continuation(const wire::Node& notification) {
  // It may overtake the answer to the prologue.
  if (step_ != Step::sending_prologue && step_ != Step::awaiting_phone)
    return log::info("session", "the phone's word is not waited for");
  const wire::Node* child = notification.child("primary_ephemeral_identity");
  const auto primary = passkey::decode_primary_identity(child ? child->bytes() : ByteView());
  if (!primary) return give_up("passkey_failed", kBroken);
  auto key = passkey::request_key(try_.ephemeral.private_key, *primary, try_.ref);
  if (!key) return give_up("passkey_failed", kBroken);
  try_.key = *std::move(key);
  on_accepted();
  send_nonce(*primary);
}

void PasskeyLink::send_nonce(const passkey::PrimaryIdentity& primary) {
  enter(Step::sending_nonce);
  try_.code = passkey::compare_code(try_.nonce, primary);
  ask(build_iq(names::kSet, names::kMd, {leaf("companion_nonce", try_.nonce)}),
      &PasskeyLink::on_nonce);
}

void PasskeyLink::on_nonce(Result<wire::Node> answer) {
  if (!answer) return give_up("passkey_failed", kBroken);
  // The phone shows no code to a box that has proved to be the one it knows.
  if (try_.proven) return send_request();
  enter(Step::awaiting_confirmation, kWaitForComparison);
}

void PasskeyLink::confirm(Linking::Codes codes, Done done) {
  if (step_ == Step::none) return done(fail(Errc::not_found, kNobodyAsks));
  if (codes == Linking::Codes::differ) {
    log::warn("session", "the link with the passkey is broken off here");
    give_up("passkey_broken_off", kDifferent);
    return done({});
  }
  if (step_ != Step::awaiting_confirmation)
    return done(fail(Errc::not_found, "there is no code to compare now"));
  done_ = std::move(done);
  send_request();
}

void PasskeyLink::send_request() {
  constexpr std::size_t kIv = 12;
  const auto keys = host_.passkey_keys();
  if (!keys) return give_up("storage", kStorage);
  enter(Step::sending_request, kWaitForSuccess);
  const Bytes request = passkey::seal_request(
      try_.key, out_.random.bytes(kIv), {keys->noise_public, keys->identity_public, try_.secret});
  ask(build_iq(names::kSet, names::kMd, {leaf("encrypted_pairing_request", request)}),
      &PasskeyLink::on_request_taken);
}

void PasskeyLink::on_request_taken(Result<wire::Node> answer) {
  // pair-success may come without it.
  if (!answer && answer.error().code == Errc::timeout) return;
  if (!answer) return give_up("passkey_failed", kBroken);
  if (!host_.keep_secret(try_.secret)) return give_up("storage", kStorage);
  step_ = Step::awaiting_success;
  settle({});
}

// The end
// --------------------------------------------------------------------------------------------

void PasskeyLink::on_linked() {
  settle({});
  last_failure_.clear();
  end({Errc::cancelled, "linked already"});
}

void PasskeyLink::on_link_refused() {
  if (!active()) return;
  last_failure_ = kBroken;
  end({Errc::refused, kBroken});
}

void PasskeyLink::on_offline() {
  if (!active()) return;
  last_failure_ = kLost;
  end({Errc::disconnected, kLost});
}

void PasskeyLink::give_up(std::string cause, std::string what_to_do) {
  last_failure_ = what_to_do;
  end({Errc::refused, what_to_do});
  host_.on_passkey_failed(std::move(cause), std::move(what_to_do));
}

void PasskeyLink::end(const Error& why) {
  step_ = Step::none;
  ++generation_;
  timer_.stop();
  until_.reset();
  options_ = {};
  assertion_ = {};
  handoff_key_.clear();
  try_ = {};
  settle(tl::unexpected(why));
}

void PasskeyLink::settle(Result<void> result) {
  if (auto done = std::exchange(done_, {})) done(std::move(result));
}

}  // namespace posthorn::session
