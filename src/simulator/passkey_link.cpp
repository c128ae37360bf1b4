#include "simulator/passkey_link.h"

#include <algorithm>

#include "posthorn/wire/names.h"
#include "posthorn/wire/passkey.pb.h"
#include "simulator/passkey.h"
#include "simulator/stanzas.h"
#include "simulator/world.h"

namespace posthorn::simulator {

namespace names = wire::names;
using wire::Node;

namespace {

constexpr auto kOptions = "passkey_request_options";
constexpr std::size_t kKeyBytes = 32;

std::string compare_code(ByteView companion_nonce, ByteView primary_key, ByteView primary_nonce) {
  constexpr std::string_view kAlphabet = "123456789ABCDEFGHJKLMNPQRSTVWXYZ";
  const auto digest = crypto::sha256(concat({companion_nonce, primary_key}));
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < 5; ++i)
    bits = bits << 8 | std::to_integer<std::uint64_t>(primary_nonce[i] ^ digest[i]);
  std::string out;
  for (int shift = 35; shift >= 0; shift -= 5) {
    if (out.size() == 4) out.push_back('-');
    out.push_back(kAlphabet[(bits >> shift) & 31U]);
  }
  return out;
}

}  // namespace

PasskeyLink::PasskeyLink(World& world, Connection& connection, Account& account,
                         const Registration& data, ByteView scanned, Success success)
    : world_(world),
      connection_(connection.id()),
      account_(account),
      companion_identity_(to_bytes(data.eident())),
      scanned_(to_bytes(scanned)),
      success_(std::move(success)) {
  wa::DeviceProps props;
  if (props.ParseFromString(data.deviceprops()))
    device_type_ = static_cast<std::uint32_t>(props.platformtype());
}

void PasskeyLink::deliver(const Node& stanza) {
  if (Connection* connection = world_.connection(connection_)) connection->deliver(stanza);
}

std::string PasskeyLink::options() const {
  return request_options(*account_.passkey.credential, challenge_);
}

void PasskeyLink::demand() {
  account_.passkey.seen = {};
  account_.passkey.seen.stage = "asked";
  challenge_ = world_.random.bytes(kKeyBytes);
  switch (account_.passkey.flaw) {
    case PasskeyFlaw::options_missing:
    case PasskeyFlaw::options_withheld:
      send_question(server_jid(), {});
      break;
    case PasskeyFlaw::options_damaged:
      send_question(server_jid(), R"({"challenge":)");
      break;
    default:
      send_question(server_jid(), options());
      break;
  }
  disturb();
}

void PasskeyLink::send_question(const wire::Jid& from, std::string_view options) {
  std::vector<Node> children;
  if (!options.empty())
    children.emplace_back(kOptions, std::vector<wire::Attr>{}, to_bytes(options));
  deliver(Node(names::kNotification,
               {{"type", "passkey_prologue_request"},
                {"from", from},
                {"id", world_.next_id()},
                {"t", world_.now_text()}},
               std::move(children)));
}

/// What else may come while the owner is busy.
void PasskeyLink::disturb() {
  const PasskeyFlaw flaw = account_.passkey.flaw;
  const auto notify = [this](const char* type, Node child) {
    deliver(Node(names::kNotification,
                 {{"type", type},
                  {"from", server_jid()},
                  {"id", world_.next_id()},
                  {"t", world_.now_text()}},
                 std::vector{std::move(child)}));
  };
  if (flaw == PasskeyFlaw::stranger_asks) {
    const Bytes other = world_.random.bytes(kKeyBytes);
    send_question(account_.pn(), request_options(*account_.passkey.credential, other));
  } else if (flaw == PasskeyFlaw::secret_retired) {
    notify("companion_reg_refresh", Node("pair-device-rotate-qr"));
  } else if (flaw == PasskeyFlaw::bare_code_notice) {
    notify(names::kLinkCodeCompanionReg,
           Node(names::kLinkCodeCompanionReg, {{"stage", "primary_hello"}}));
  } else if (flaw == PasskeyFlaw::new_refs) {
    const Node ref(names::kRef, {}, to_bytes("2@" + base64_encode(world_.random.bytes(24))));
    deliver(Node(
        names::kIq,
        {{"type", "set"}, {"xmlns", names::kMd}, {"from", server_jid()}, {"id", world_.next_id()}},
        std::vector{Node(names::kPairDevice, {}, std::vector{ref})}));
  }
}

bool PasskeyLink::on_iq(Connection& connection, const Node& iq) {
  if (iq.children().empty()) return false;
  const Node& child = iq.children().front();
  const bool get = child.tag == kOptions || child.tag == names::kRef;
  const bool set = child.tag == "passkey_prologue" || child.tag == "companion_nonce" ||
                   child.tag == "encrypted_pairing_request";
  if (!get && !set) return false;
  if (iq.text_attr("xmlns") != names::kMd || iq.text_attr("type") != (get ? "get" : "set")) {
    refuse(connection, iq, {Errc::malformed, "<iq> of <" + child.tag + ">"});
  } else if (child.tag == kOptions) {
    give_options(connection, iq);
  } else if (child.tag == names::kRef) {
    give_ref(connection, iq);
  } else if (child.tag == "passkey_prologue") {
    on_prologue(connection, iq, child);
  } else if (child.tag == "companion_nonce") {
    on_nonce(connection, iq, child);
  } else {
    on_request(connection, iq, child);
  }
  return true;
}

/// What a client could have known is a violation; a signature it could not check is none.
void PasskeyLink::refuse(Connection& connection, const Node& iq, const Error& why) {
  if (why.code != Errc::refused) world_.violation(connection, "passkey: " + why.detail);
  connection.deliver(iq_error(iq, why.code == Errc::refused ? 401 : 400,
                              why.code == Errc::refused ? "not-authorized" : "bad-request"));
}

void PasskeyLink::give_options(Connection& connection, const Node& iq) {
  if (account_.passkey.flaw == PasskeyFlaw::options_withheld)
    return connection.deliver(iq_error(iq, 404, "item-not-found"));
  challenge_ = world_.random.bytes(kKeyBytes);
  connection.deliver(iq_result(iq, {Node(kOptions, {}, to_bytes(options()))}));
}

void PasskeyLink::give_ref(Connection& connection, const Node& iq) {
  ref_ = "3@" + base64_encode(world_.random.bytes(24));
  connection.deliver(iq_result(iq, {Node(names::kRef, {}, to_bytes(ref_))}));
}

void PasskeyLink::on_prologue(Connection& connection, const Node& iq, const Node& prologue) {
  if (step_ != Step::asked) return refuse(connection, iq, {Errc::malformed, "a second prologue"});
  const PasskeyFlaw flaw = account_.passkey.flaw;
  auto checked = check_prologue(prologue);
  if (checked && flaw == PasskeyFlaw::answer_refused && !std::exchange(refused_once_, true))
    checked = fail(Errc::refused, "as the flaw says");
  if (!checked) {
    challenge_ = world_.random.bytes(kKeyBytes);  // each is good for one answer
    return refuse(connection, iq, checked.error());
  }
  step_ = Step::prologue_taken;
  account_.passkey.seen.stage = "answered";
  ephemeral_ = signal::make_key_pair(world_.random);
  nonce_ = world_.random.bytes(kKeyBytes);
  if (flaw == PasskeyFlaw::phone_first) send_identity();
  connection.deliver(iq_result(iq));
  if (flaw != PasskeyFlaw::phone_first && flaw != PasskeyFlaw::phone_silent) send_identity();
}

Result<void> PasskeyLink::check_prologue(const Node& prologue) {
  std::vector<std::string> tags;
  for (const Node& child : prologue.children()) tags.push_back(child.tag);
  std::vector<std::string> wanted{"credential_id", "webauthn_assertion", "prologue_payload"};
  if (tags.size() == wanted.size() + 1) wanted.emplace_back("pairing_handoff_proof");
  if (tags != wanted) return fail(Errc::malformed, "children of the prologue");
  TRY(verify_assertion(*account_.passkey.credential, challenge_, prologue.children()[0].bytes(),
                       as_text(prologue.children()[1].bytes())));
  const ByteView payload = prologue.children()[2].bytes();
  TRY(check_payload(payload));
  account_.passkey.seen.handoff_proof = tags.size() == 4;
  if (tags.size() == 4) {
    const Bytes key =
        crypto::hkdf_sha256(scanned_, {}, as_bytes("shortcake-passkey-handoff-v1"), kKeyBytes);
    if (!std::ranges::equal(crypto::hmac_sha256(key, payload), prologue.children()[3].bytes()))
      return fail(Errc::malformed, "handoff proof");
  }
  return {};
}

Result<void> PasskeyLink::check_payload(ByteView payload) {
  wa::ProloguePayload message;
  wa::CompanionEphemeralIdentity identity;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size())) ||
      !identity.ParseFromString(message.companionephemeralidentity()))
    return fail(Errc::malformed, "prologue_payload");
  if (identity.publickey().size() != kKeyBytes || message.commitment().hash().size() != kKeyBytes)
    return fail(Errc::malformed, "prologue_payload: lengths");
  if (identity.devicetype() != device_type_)
    return fail(Errc::malformed, "prologue_payload: another device type than at registration");
  if (ref_.empty() || identity.ref() != ref_)
    return fail(Errc::malformed, "prologue_payload: not the newest ref, or used before");
  used_ref_ = std::exchange(ref_, {});
  identity_ = to_bytes(message.companionephemeralidentity());
  companion_ = to_bytes(identity.publickey());
  commitment_ = to_bytes(message.commitment().hash());
  return {};
}

void PasskeyLink::send_identity() {
  const PasskeyFlaw flaw = account_.passkey.flaw;
  const auto send = [this](ByteView key, ByteView nonce) {
    wa::PrimaryEphemeralIdentity message;
    message.set_publickey(std::string(as_text(key)));
    message.set_nonce(std::string(as_text(nonce)));
    deliver(Node(names::kNotification,
                 {{"type", "crsc_continuation"},
                  {"from", server_jid()},
                  {"id", world_.next_id()},
                  {"t", world_.now_text()}},
                 std::vector{Node("primary_ephemeral_identity", {},
                                  to_bytes(message.SerializeAsString()))}));
  };
  const ByteView key(ephemeral_.public_key);
  if (flaw == PasskeyFlaw::short_key) return send(key.first(31), nonce_);
  if (flaw == PasskeyFlaw::short_nonce) return send(key, ByteView(nonce_).first(16));
  if (flaw == PasskeyFlaw::zero_key) return send(Bytes(kKeyBytes), nonce_);
  send(key, nonce_);
  if (flaw == PasskeyFlaw::phone_twice)
    send(signal::make_key_pair(world_.random).public_key, world_.random.bytes(kKeyBytes));
}

void PasskeyLink::on_nonce(Connection& connection, const Node& iq, const Node& nonce) {
  if (step_ != Step::prologue_taken)
    return refuse(connection, iq, {Errc::malformed, "companion_nonce out of turn"});
  if (account_.passkey.flaw == PasskeyFlaw::nonce_refused)
    return refuse(connection, iq, {Errc::refused, "as the flaw says"});
  if (nonce.bytes().size() != kKeyBytes ||
      !std::ranges::equal(crypto::sha256(concat({identity_, nonce.bytes()})), commitment_))
    return refuse(connection, iq, {Errc::malformed, "companion_nonce is not the promised one"});
  step_ = Step::nonce_taken;
  account_.passkey.seen.stage = "compared";
  account_.passkey.seen.code = compare_code(nonce.bytes(), ephemeral_.public_key, nonce_);
  connection.deliver(iq_result(iq));
}

void PasskeyLink::on_request(Connection& connection, const Node& iq, const Node& request) {
  if (step_ != Step::nonce_taken)
    return refuse(connection, iq, {Errc::malformed, "encrypted_pairing_request out of turn"});
  const PasskeyFlaw flaw = account_.passkey.flaw;
  if (flaw == PasskeyFlaw::request_refused)
    return refuse(connection, iq, {Errc::refused, "as the flaw says"});
  const auto secret = open_request(connection, request.bytes());
  if (!secret) return refuse(connection, iq, secret.error());
  step_ = Step::done;
  account_.passkey.seen.stage = "requested";
  const Bytes under = flaw == PasskeyFlaw::old_secret ? scanned_ : *secret;
  if (flaw == PasskeyFlaw::success_first) success_(under);
  connection.deliver(iq_result(iq));
  if (flaw != PasskeyFlaw::success_first && flaw != PasskeyFlaw::no_success) success_(under);
}

Result<Bytes> PasskeyLink::open_request(const Connection& connection, ByteView sealed) const {
  wa::EncryptedPairingRequest outer;
  if (!outer.ParseFromArray(sealed.data(), static_cast<int>(sealed.size())) ||
      outer.iv().size() != 12)
    return fail(Errc::malformed, "encrypted_pairing_request");
  const auto shared = crypto::x25519(ephemeral_.private_key, companion_);
  if (!shared) return fail(Errc::malformed, "encrypted_pairing_request: shared secret");
  const std::string salt =
      "Companion Pairing " + std::to_string(device_type_) + " with ref " + used_ref_;
  const Bytes key = crypto::hkdf_sha256(*shared, as_bytes(salt),
                                        as_bytes("Pairing Information Encryption Key"), kKeyBytes);
  const auto plain =
      crypto::aes_gcm_decrypt(key, as_bytes(outer.iv()), {}, as_bytes(outer.encryptedpayload()));
  if (!plain) return fail(Errc::malformed, "encrypted_pairing_request: another key");
  wa::PairingRequest inner;
  if (!inner.ParseFromArray(plain->data(), static_cast<int>(plain->size())) ||
      !std::ranges::equal(as_bytes(inner.companionpublickey()), connection.client_key()) ||
      !std::ranges::equal(as_bytes(inner.companionidentitykey()), companion_identity_) ||
      inner.advsecret().size() != kKeyBytes)
    return fail(Errc::malformed, "PairingRequest");
  if (std::ranges::equal(as_bytes(inner.advsecret()), scanned_))
    return fail(Errc::malformed, "PairingRequest: the old secret");
  return to_bytes(inner.advsecret());
}

}  // namespace posthorn::simulator
