#include "simulator/pairing.h"

#include <algorithm>

#include "posthorn/wire/names.h"
#include "simulator/stanzas.h"
#include "simulator/world.h"

namespace posthorn::simulator {

namespace names = wire::names;
using wire::Node;

namespace {

constexpr std::size_t kRefs = 6;
constexpr seconds kFirstRef{60}, kNextRef{20};
constexpr std::uint32_t kCodeRounds = 131072;

Bytes prefixed(std::uint8_t second, std::initializer_list<ByteView> parts) {
  Bytes out{std::byte{6}, static_cast<std::byte>(second)};
  for (const ByteView part : parts) append(out, part);
  return out;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t comma = text.find(',');
    parts.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

Bytes wrap_key(std::string_view code, ByteView salt, ByteView iv, ByteView key) {
  return crypto::aes_ctr(crypto::pbkdf2_sha256(as_bytes(code), salt, kCodeRounds, 32), iv, key);
}

void take_registration_keys(const wa::ClientPayload::DevicePairingRegistrationData& data,
                            ServerKeys& keys) {
  keys.registration_id = read_big_endian(as_bytes(data.eregid()), 4).value_or(0);
  keys.identity = signal::parse_public_key(as_bytes(data.eident())).value_or(keys.identity);
  keys.signed_pre_key.id = read_big_endian(as_bytes(data.eskeyid()), 3).value_or(0);
  keys.signed_pre_key.key =
      signal::parse_public_key(as_bytes(data.eskeyval())).value_or(keys.signed_pre_key.key);
  keys.signed_pre_key.signature = to_bytes(data.eskeysig());
}

/// Shape and signed-prekey signature of chapter 01 section 7.4.
Result<void> check_registration(const wa::ClientPayload::DevicePairingRegistrationData& data) {
  TRY(auto identity, signal::parse_public_key(as_bytes(data.eident())));
  TRY(auto signed_key, signal::parse_public_key(as_bytes(data.eskeyval())));
  if (data.eregid().size() != 4 || data.ekeytype() != "\x05" || data.eskeyid().size() != 3 ||
      data.buildhash().size() != 16 || data.deviceprops().empty()) {
    return fail(Errc::malformed, "a field is missing or has a wrong length");
  }
  if (!signal::verify(identity, signal::with_type_byte(signed_key), as_bytes(data.eskeysig()))) {
    return fail(Errc::crypto, "signature of the signed prekey");
  }
  return {};
}

/// Some clients send back all that they were given.
bool carries_account_key(ByteView device_identity) {
  wa::ADVSignedDeviceIdentity identity;
  return identity.ParseFromArray(device_identity.data(),
                                 static_cast<int>(device_identity.size())) &&
         !identity.accountsignaturekey().empty();
}

}  // namespace

Pairing::~Pairing() {
  for (auto& [id, registration] : registrations_) {
    finish(registration, fail(Errc::cancelled, "the simulator ended"));
  }
}

void Pairing::finish(Registration& registration, Result<wire::Jid> result) {
  if (registration.done) registration.done(std::move(result));
}

void Pairing::begin(Connection& connection, const wa::ClientPayload& payload) {
  if (auto good = check_registration(payload.devicepairingdata()); !good) {
    world_.violation(connection, "registration: " + good.error().detail);
    return connection.end(Node(names::kFailure, {{"reason", "400"}, {"location", "sim"}}));
  }
  Registration& registration = registrations_[connection.id()];
  registration.connection = connection.id();
  registration.payload = payload;
  registration.pair_device_id = world_.next_id();
  std::vector<Node> refs;
  for (std::size_t i = 0; i < kRefs; ++i) {
    registration.refs.push_back("2@" + base64_encode(world_.random.bytes(48)));
    refs.emplace_back(names::kRef, std::vector<wire::Attr>{}, to_bytes(registration.refs.back()));
  }
  connection.deliver(Node(names::kIq,
                          {{"type", "set"},
                           {"xmlns", names::kMd},
                           {"from", server_jid()},
                           {"id", registration.pair_device_id}},
                          std::vector{Node(names::kPairDevice, {}, std::move(refs))}));
  registration.expiry = std::make_unique<Timer>(world_.scheduler);
  registration.expiry->start(kFirstRef, [this, &registration] { expire_ref(registration); });
}

void Pairing::expire_ref(Registration& registration) {
  if (registration.account != nullptr || registration.passkey) return;
  if (++registration.used_refs < registration.refs.size()) {
    registration.expiry->start(kNextRef, [this, &registration] { expire_ref(registration); });
    return;
  }
  if (Connection* connection = world_.connection(registration.connection)) connection->end();
}

void Pairing::on_gone(const Connection& connection) {
  const auto it = registrations_.find(connection.id());
  if (it == registrations_.end()) return;
  auto registration = std::move(it->second);
  registrations_.erase(it);
  // It may be what has just broken the line.
  world_.post([ended = std::move(registration.passkey)] {});
  finish(registration, fail(Errc::disconnected, "the client went away before it was linked"));
}

void Pairing::scan(std::string_view qr, std::string_view account_name, Done done, LinkFlaw flaw) {
  const std::size_t hash = qr.find('#');
  if (hash != std::string_view::npos) qr.remove_prefix(hash + 1);
  while (!qr.empty() && (qr.back() == '\n' || qr.back() == '\r' || qr.back() == ' '))
    qr.remove_suffix(1);
  const auto parts = split(qr);
  if (parts.size() < 4) return done(fail(Errc::malformed, "a QR text has five parts"));
  const auto noise = base64_decode(parts[1]);
  const auto identity = base64_decode(parts[2]);
  const auto secret = base64_decode(parts[3]);
  if (!noise || !identity || !secret || noise->size() != 32 || identity->size() != 32 ||
      secret->size() != 32) {
    return done(fail(Errc::malformed, "keys of the QR text"));
  }
  for (auto& [id, registration] : registrations_) {
    const auto ref = std::find(registration.refs.begin(), registration.refs.end(), parts[0]);
    if (ref == registration.refs.end()) continue;
    if (static_cast<std::size_t>(ref - registration.refs.begin()) < registration.used_refs) {
      return done(fail(Errc::not_found, "this code has expired"));
    }
    if (registration.done || registration.account != nullptr) {
      return done(fail(Errc::busy, "this client is being linked already"));
    }
    Connection* connection = world_.connection(id);
    if (connection == nullptr) break;
    if (!std::ranges::equal(*noise, connection->client_key()) ||
        to_bytes(registration.payload.devicepairingdata().eident()) != *identity) {
      world_.violation(*connection, "the QR text names other keys than the connection");
      return done(fail(Errc::malformed, "the QR text names other keys than the connection"));
    }
    if (parts.size() < 5) world_.violation(*connection, "QR text without client type");
    Account* account =
        account_name.empty() ? &world_.peers.add_account({}) : world_.directory.find(account_name);
    if (account == nullptr) account = &world_.peers.add_account({std::string(account_name), {}});
    registration.done = std::move(done);
    registration.identity = *identity;
    registration.flaw = flaw;
    return on_recognised(registration, *account, *secret);
  }
  done(fail(Errc::not_found, "no connection shows this code"));
}

Bytes Pairing::sign_companion(const Registration& registration, const Account& account) {
  const bool forged = registration.flaw == LinkFlaw::account_signature;
  const auto key = forged ? signal::make_key_pair(world_.random) : account.identity.key;
  Bytes identity = registration.identity;
  if (registration.flaw == LinkFlaw::other_identity) identity.front() ^= std::byte{1};
  const Bytes covered = prefixed(0, {as_bytes(registration.inner_details), identity});
  return to_bytes(signal::sign(key.private_key, covered, world_.random));
}

void Pairing::on_recognised(Registration& registration, Account& account, ByteView adv_secret) {
  Connection* connection = world_.connection(registration.connection);
  if (!account.passkey.credential || connection == nullptr)
    return send_success(registration, account, adv_secret);
  registration.passkey = std::make_unique<PasskeyLink>(
      world_, *connection, account, registration.payload.devicepairingdata(), adv_secret,
      [this, id = registration.connection, &account](ByteView secret) {
        const auto it = registrations_.find(id);
        if (it != registrations_.end()) send_success(it->second, account, secret);
      });
  registration.passkey->demand();
}

void Pairing::send_success(Registration& registration, Account& account, ByteView adv_secret) {
  Connection* connection = world_.connection(registration.connection);
  if (connection == nullptr) return;
  registration.account = &account;
  registration.device_id = account.next_device++;
  registration.key_index = ++account.key_index_counter;
  registration.success_id = world_.next_id();

  wa::ADVDeviceIdentity inner;
  inner.set_rawid(account.raw_id);
  inner.set_timestamp(static_cast<std::uint64_t>(world_.now().unix_seconds()));
  inner.set_keyindex(registration.key_index);
  inner.set_accounttype(wa::E2EE);
  inner.set_devicetype(wa::E2EE);
  registration.inner_details = inner.SerializeAsString();

  wa::ADVSignedDeviceIdentity signed_identity;
  signed_identity.set_details(registration.inner_details);
  signed_identity.set_accountsignaturekey(std::string(as_text(account.identity.key.public_key)));
  signed_identity.set_accountsignature(
      posthorn::to_string(ByteView(sign_companion(registration, account))));

  wa::ADVSignedDeviceIdentityHMAC outer;
  outer.set_details(signed_identity.SerializeAsString());
  const Bytes other_secret(32);
  const ByteView secret = registration.flaw == LinkFlaw::hmac ? ByteView(other_secret) : adv_secret;
  outer.set_hmac(std::string(as_text(crypto::hmac_sha256(secret, as_bytes(outer.details())))));
  outer.set_accounttype(wa::E2EE);

  wa::ClientPairingProps props;
  props.set_ischatdblidmigrated(account.lid_migrated);
  connection->deliver(Node(
      names::kIq,
      {{"type", "set"},
       {"xmlns", names::kMd},
       {"from", server_jid()},
       {"id", registration.success_id},
       {"t", world_.now_text()}},
      std::vector{Node(
          names::kPairSuccess, {},
          std::vector{
              Node(names::kDevice, {{"jid", account.pn().with_device(registration.device_id)},
                                    {"lid", account.lid().with_device(registration.device_id)}}),
              Node(names::kPlatform, {{"name", "android"}}),
              Node("client-props", {}, to_bytes(props.SerializeAsString())),
              Node(names::kDeviceIdentity, {}, to_bytes(outer.SerializeAsString()))})}));
}

void Pairing::on_stanza(Connection& connection, const Node& stanza) {
  const auto it = registrations_.find(connection.id());
  if (it == registrations_.end()) return;
  Registration& registration = it->second;
  if (stanza.tag != names::kIq) {
    if (stanza.tag != names::kAck && stanza.tag != names::kIb && stanza.tag != names::kPresence) {
      world_.violation(connection, "<" + stanza.tag + "> before being linked");
    }
    return;
  }
  const std::string type = stanza.text_attr("type");
  const std::string id = stanza.text_attr("id");
  if (type == "result" || type == "error") {
    if (id == registration.success_id && registration.account != nullptr) {
      on_sign(connection, registration, stanza);
    }
    return;
  }
  if (const Node* child = stanza.child(names::kLinkCodeCompanionReg)) {
    return on_link_code(connection, registration, stanza, *child);
  }
  if (registration.passkey && registration.passkey->on_iq(connection, stanza)) return;
  const std::string xmlns = stanza.text_attr("xmlns");
  if (xmlns == names::kWP || xmlns == "urn:xmpp:ping") {
    Node pong = iq_result(stanza);
    pong.set_attr("t", world_.now_text());
    return connection.deliver(pong);
  }
  connection.deliver(iq_error(stanza, 501, "feature-not-implemented"));
}

Result<Bytes> Pairing::check_signed_identity(const Registration& registration, const Node& answer) {
  const Node* sign = answer.child(names::kPairDeviceSign);
  const Node* identity = sign == nullptr ? nullptr : sign->child(names::kDeviceIdentity);
  if (identity == nullptr) return fail(Errc::malformed, "pair-device-sign without device-identity");
  if (identity->int_attr("key-index") != registration.key_index) {
    return fail(Errc::malformed, "another key-index than in pair-success");
  }
  wa::ADVSignedDeviceIdentity signed_identity;
  const ByteView bytes = identity->bytes();
  if (!signed_identity.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return fail(Errc::malformed, "device-identity");
  }
  const signal::PublicKey& account_key = registration.account->identity.key.public_key;
  const Bytes covered =
      prefixed(1, {as_bytes(registration.inner_details), registration.identity, account_key});
  signal::PublicKey companion{};
  std::copy_n(registration.identity.begin(), companion.size(), companion.begin());
  if (signed_identity.details() != registration.inner_details ||
      !signal::verify(companion, covered, as_bytes(signed_identity.devicesignature()))) {
    return fail(Errc::crypto, "device signature");
  }
  return to_bytes(bytes);
}

void Pairing::on_sign(Connection& connection, Registration& registration, const Node& answer) {
  if (answer.text_attr("type") == "error") {
    const Node* error = answer.child(names::kError);
    registration.account = nullptr;
    return finish(registration, fail(Errc::refused, "the client refused: " +
                                                        (error ? error->text_attr("code") : "?")));
  }
  auto identity = check_signed_identity(registration, answer);
  if (!identity) {
    world_.violation(connection, "pair-device-sign: " + identity.error().detail);
    finish(registration, fail(Errc::refused, identity.error().detail));
    return connection.end(Node(names::kFailure, {{"reason", "401"}}));
  }
  if (carries_account_key(*identity))
    world_.remark(connection, "device-identity with the account signature key");
  complete(connection, registration, std::move(*identity));
}

void Pairing::complete(Connection& connection, Registration& registration, Bytes device_identity) {
  Account& account = *registration.account;
  const auto& data = registration.payload.devicepairingdata();
  Device& device = world_.directory.add_device(account, registration.device_id);
  device.key_index = registration.key_index;
  device.noise_key = connection.client_key();
  take_registration_keys(data, device.keys);
  device.device_identity = std::move(device_identity);
  wa::DeviceProps props;
  if (props.ParseFromString(data.deviceprops())) device.platform = props.os();
  world_.directory.sign_device_list(account, world_.now());
  world_.announce_devices(account, names::kAdd, device.id, device.key_index);
  const wire::Jid jid = device.pn();
  auto done = std::move(registration.done);
  restart(connection);
  if (done) done(jid);
}

/// The real server takes a moment, in which clients save what they were given.
void Pairing::restart(Connection& connection) {
  const Node restart(names::kStreamError, {{"code", "515"}});
  if (world_.options.restart_after == milliseconds(0)) return connection.end(restart);
  world_.later(world_.options.restart_after, [&world = world_, id = connection.id(), restart] {
    if (Connection* still = world.connection(id)) still->end(restart);
  });
}

void Pairing::on_link_code(Connection& connection, Registration& registration, const Node& iq,
                           const Node& child) {
  const std::string stage = child.text_attr("stage");
  const auto answer = [&](std::vector<Node> children) {
    connection.deliver(iq_result(iq, std::move(children)));
  };
  if (stage == "get_country_code") {
    return answer({Node("country_code", {{"iso", "BR"}})});
  }
  if (stage == "companion_hello") {
    const auto jid = child.jid_attr("jid");
    const Node* wrapped = child.child("link_code_pairing_wrapped_companion_ephemeral_pub");
    const Node* noise = child.child("companion_server_auth_key_pub");
    if (!jid || wrapped == nullptr || wrapped->bytes().size() != 80 || noise == nullptr ||
        !std::ranges::equal(noise->bytes(), connection.client_key())) {
      world_.violation(connection, "companion_hello malformed");
      return connection.deliver(iq_error(iq, 400, "bad-request"));
    }
    if (world_.directory.find(*jid) == nullptr) {
      return connection.deliver(iq_error(iq, 404, "item-not-found"));
    }
    registration.phone = jid->user;
    registration.wrapped_companion = to_bytes(wrapped->bytes());
    registration.code_ref = "1@" + base64_encode(world_.random.bytes(24));
    return answer(
        {Node(names::kLinkCodeCompanionReg, {{"stage", "companion_hello"}},
              std::vector{Node("link_code_pairing_ref", {}, to_bytes(registration.code_ref))})});
  }
  if (stage == "companion_finish") {
    auto secret = open_bundle(registration, child);
    if (!secret) {
      connection.deliver(iq_error(iq, 400, "bad-request"));
      return finish(registration, std::move(secret).error().code == Errc::crypto
                                      ? fail(Errc::refused, "the code was not the one shown")
                                      : fail(Errc::malformed, "companion_finish"));
    }
    answer({});
    registration.identity = to_bytes(child.child("companion_identity_public")->bytes());
    return on_recognised(registration, *world_.directory.find(registration.phone), *secret);
  }
  world_.violation(connection, "link code stage " + stage);
  connection.deliver(iq_error(iq, 400, "bad-request"));
}

void Pairing::type_link_code(std::string_view account_name, std::string_view code, Done done) {
  Account* account = world_.directory.find(account_name);
  if (account == nullptr) return done(fail(Errc::not_found, "no such account"));
  std::string clean;
  for (char c : code) {
    if (c != '-' && c != ' ') clean.push_back(c);
  }
  if (clean.size() != 8) return done(fail(Errc::malformed, "a code has 8 characters"));
  for (auto& [id, registration] : registrations_) {
    Connection* connection = world_.connection(id);
    if (registration.phone != account->phone || connection == nullptr) continue;
    if (registration.done) return done(fail(Errc::busy, "this client is being linked already"));
    const ByteView wrapped(registration.wrapped_companion);
    const Bytes companion =
        wrap_key(clean, wrapped.first(32), wrapped.subspan(32, 16), wrapped.subspan(48));
    registration.primary_ephemeral = signal::make_key_pair(world_.random);
    auto shared = crypto::x25519(registration.primary_ephemeral.private_key, companion);
    if (!shared) return done(fail(Errc::refused, "the code was not the one shown"));
    registration.shared_ephemeral = *shared;
    const Bytes salt = world_.random.bytes(32), iv = world_.random.bytes(16);
    const Bytes primary =
        concat({salt, iv, wrap_key(clean, salt, iv, registration.primary_ephemeral.public_key)});
    registration.done = std::move(done);
    return connection->deliver(
        Node(names::kNotification,
             {{"type", names::kLinkCodeCompanionReg},
              {"from", server_jid()},
              {"id", world_.next_id()},
              {"t", world_.now_text()}},
             std::vector{Node(
                 names::kLinkCodeCompanionReg, {{"stage", "primary_hello"}},
                 std::vector{
                     Node("link_code_pairing_wrapped_primary_ephemeral_pub", {}, primary),
                     Node("primary_identity_pub", {}, to_bytes(account->identity.key.public_key)),
                     Node("link_code_pairing_ref", {}, to_bytes(registration.code_ref))})}));
  }
  done(fail(Errc::not_found, "no client waits for a code of this number"));
}

Result<Bytes> Pairing::open_bundle(const Registration& registration, const Node& child) {
  const Node* bundle = child.child("link_code_pairing_wrapped_key_bundle");
  const Node* identity = child.child("companion_identity_public");
  const Node* ref = child.child("link_code_pairing_ref");
  if (bundle == nullptr || bundle->bytes().size() != 156 || identity == nullptr ||
      identity->bytes().size() != 32 || ref == nullptr ||
      as_text(ref->bytes()) != registration.code_ref || !registration.shared_ephemeral) {
    return fail(Errc::malformed, "companion_finish");
  }
  const ByteView bytes = bundle->bytes();
  const Bytes key =
      crypto::hkdf_sha256(*registration.shared_ephemeral, bytes.first(32),
                          as_bytes("link_code_pairing_key_bundle_encryption_key"), 32);
  TRY(Bytes plain, crypto::aes_gcm_decrypt(key, bytes.subspan(32, 12), {}, bytes.subspan(44)));
  const Account* account = world_.directory.find(registration.phone);
  const ByteView view(plain);
  if (plain.size() != 96 || !std::ranges::equal(view.first(32), identity->bytes()) ||
      !std::ranges::equal(view.subspan(32, 32), account->identity.key.public_key)) {
    return fail(Errc::crypto, "key bundle");
  }
  TRY(crypto::Key32 shared_identity,
      crypto::x25519(account->identity.key.private_key, identity->bytes()));
  return crypto::hkdf_sha256(
      concat({*registration.shared_ephemeral, shared_identity, view.subspan(64)}), {},
      as_bytes("adv_secret"), 32);
}

}  // namespace posthorn::simulator
