#include "simulator/test_client.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "posthorn/base/job.h"
#include "posthorn/signal/padding.h"
#include "posthorn/wire/names.h"
#include "posthorn/wire/wa.pb.h"

namespace posthorn::test {

namespace names = wire::names;
using wire::Node;

namespace {

Bytes big_endian(std::uint32_t value, std::size_t bytes) {
  Bytes out(bytes);
  for (std::size_t i = 0; i < bytes; ++i) {
    out[bytes - 1 - i] = static_cast<std::byte>(value >> (8 * i));
  }
  return out;
}

std::string text_of(ByteView bytes) { return posthorn::to_string(bytes); }

}  // namespace

TestClient::TestClient(FakeScheduler& scheduler, Random& random, simulator::Simulator& simulator)
    : noise(wire::make_key_pair(random)),
      protocol(store, random),
      root_key(simulator.root_key()),
      scheduler_(scheduler),
      random_(random),
      simulator_(simulator) {
  EXPECT_TRUE(protocol.own_identity(scheduler.system_wall()));
}

Bytes TestClient::payload() {
  wa::ClientPayload out;
  out.set_passive(passive);
  auto& agent = *out.mutable_useragent();
  agent.set_platform(wa::ClientPayload::UserAgent::WEB);
  agent.mutable_appversion()->set_primary(2);
  agent.mutable_appversion()->set_secondary(3000);
  agent.mutable_appversion()->set_tertiary(1043028647);
  if (!pn.empty()) {
    out.set_username(std::stoull(pn.user));
    out.set_device(pn.device);
    out.set_pull(true);
    return to_bytes(out.SerializeAsString());
  }
  const auto own = protocol.own_identity(scheduler_.system_wall());
  const auto skey = protocol.current_signed_pre_key();
  auto& data = *out.mutable_devicepairingdata();
  data.set_eregid(text_of(big_endian(own->registration_id, 4)));
  data.set_ekeytype("\x05");
  data.set_eident(text_of(own->key.public_key));
  data.set_eskeyid(text_of(big_endian(skey->id, 3)));
  data.set_eskeyval(text_of(skey->key.public_key));
  data.set_eskeysig(text_of(skey->signature));
  data.set_buildhash(std::string(16, 'h'));
  wa::DeviceProps props;
  props.set_os("Linux");
  data.set_deviceprops(props.SerializeAsString());
  return to_bytes(out.SerializeAsString());
}

void TestClient::connect() {
  StreamPair pair = make_stream_pair(scheduler_);
  cut = pair.cut;
  refs_.clear();
  error_.reset();
  stream_ = std::move(pair.a);
  simulator_.accept(std::move(pair.b));
  wire::ClientChannelOptions options;
  options.identity.noise = noise;
  options.identity.client_payload = payload();
  options.identity.root_key = root_key;
  options.identity.verify = [](const wire::Key32& key, ByteView message, ByteView signature) {
    return signal::verify(key, message, signature);
  };
  if (resume) options.identity.known_server_key = server_key_;
  channel_ = std::make_unique<wire::ClientChannel>(std::move(options), random_);
  stream_->start(*this);
  stream_->write(channel_->take_output());
  settle();
}

void TestClient::on_data(ByteView data) {
  const auto fed = channel_->feed(data, scheduler_.system_wall());
  while (auto node = channel_->next()) {
    if (!*node) continue;
    if (const Node* pair = (*node)->child(names::kPairDevice)) {
      for (const Node& ref : pair->children()) refs_.push_back(text_of(ref.bytes()));
      send(Node(names::kIq, {{"type", "result"}, {"id", (*node)->text_attr("id")}}));
    }
    if ((*node)->child(names::kPairSuccess) != nullptr && !hold_pair_success) sign(**node);
    stanzas.push_back(std::move(**node));
  }
  if (channel_->certificate()) server_key_ = channel_->certificate()->leaf_key;
  if (stream_) {
    if (Bytes out = channel_->take_output(); !out.empty()) stream_->write(std::move(out));
  }
  if (!fed) {
    error_ = fed.error();
    if (stream_) stream_->close();
    scheduler_.post([this] { stream_.reset(); });
  }
}

void TestClient::on_closed(Error why) {
  if (!error_) error_ = why;
  scheduler_.post([this] { stream_.reset(); });
}

void TestClient::settle(milliseconds by) {
  scheduler_.run_posted();
  if (by > milliseconds(0)) scheduler_.advance(by);
}

void TestClient::send(const Node& node) {
  if (!stream_) return;
  EXPECT_TRUE(channel_->send(node)) << wire::to_xml(node);
  stream_->write(channel_->take_output());
}

Node TestClient::ask(Node iq) {
  const std::string id = "t-" + std::to_string(next_id_++);
  iq.set_attr("id", id);
  send(iq);
  settle();
  for (auto it = stanzas.begin(); it != stanzas.end(); ++it) {
    if (it->tag != names::kIq || it->text_attr("id") != id) continue;
    Node answer = std::move(*it);
    stanzas.erase(it);
    return answer;
  }
  ADD_FAILURE() << "no answer to " << wire::to_xml(iq);
  return Node("none");
}

std::optional<Node> TestClient::take(std::string_view tag, std::string_view child) {
  settle();
  for (auto it = stanzas.begin(); it != stanzas.end(); ++it) {
    if (it->tag != tag || (!child.empty() && it->child(child) == nullptr)) continue;
    Node found = std::move(*it);
    stanzas.erase(it);
    return found;
  }
  return std::nullopt;
}

std::string TestClient::qr() const {
  if (refs_.empty()) return {};
  signal::MemoryKeyStore& keys = const_cast<TestClient*>(this)->store;
  return "https://wa.me/settings/linked_devices#" + refs_.front() + "," +
         base64_encode(noise.public_key) + "," + base64_encode(keys.own->key.public_key) + "," +
         base64_encode(adv_secret) + ",1";
}

void TestClient::sign(const Node& stanza) {
  const Node& success = *stanza.child(names::kPairSuccess);
  const ByteView bytes = success.child(names::kDeviceIdentity)->bytes();
  wa::ADVSignedDeviceIdentityHMAC outer;
  ASSERT_TRUE(outer.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  EXPECT_EQ(text_of(crypto::hmac_sha256(adv_secret, as_bytes(outer.details()))), outer.hmac());
  wa::ADVSignedDeviceIdentity identity;
  ASSERT_TRUE(identity.ParseFromString(outer.details()));
  const auto own = store.own->key;
  const Bytes account_covered =
      concat({Bytes{std::byte{6}, std::byte{0}}, as_bytes(identity.details()), own.public_key});
  signal::PublicKey key{};
  std::ranges::copy(as_bytes(identity.accountsignaturekey()), key.begin());
  EXPECT_TRUE(signal::verify(key, account_covered, as_bytes(identity.accountsignature())));
  account_key = to_bytes(identity.accountsignaturekey());
  Bytes covered = concat({Bytes{std::byte{6}, std::byte{1}}, as_bytes(identity.details()),
                          own.public_key, account_key});
  if (spoil_device_signature) covered.push_back(std::byte{0});
  identity.set_devicesignature(text_of(signal::sign(own.private_key, covered, random_)));
  device_identity = to_bytes(identity.SerializeAsString());
  wa::ADVDeviceIdentity inner;
  ASSERT_TRUE(inner.ParseFromString(identity.details()));
  if (!keep_account_key) identity.clear_accountsignaturekey();
  pn = *success.child(names::kDevice)->jid_attr("jid");
  lid = *success.child(names::kDevice)->jid_attr("lid");
  send(Node(names::kIq, {{"type", "result"}, {"id", stanza.text_attr("id")}},
            std::vector{Node(names::kPairDeviceSign, {},
                             std::vector{Node(names::kDeviceIdentity,
                                              {{"key-index", std::to_string(inner.keyindex())}},
                                              to_bytes(identity.SerializeAsString()))})}));
}

void TestClient::link(const std::string& account) {
  adv_secret = random_.bytes(32);
  connect();
  std::optional<Result<wire::Jid>> linked;
  simulator_.scan(qr(), account, [&](Result<wire::Jid> device) { linked = device; });
  settle();
  ASSERT_TRUE(linked && *linked);
  EXPECT_EQ(**linked, pn);
  const auto restart = take(names::kStreamError);
  ASSERT_TRUE(restart);
  EXPECT_EQ(restart->text_attr("code"), "515");
  log_in_and_go_active();
}

void TestClient::log_in() {
  stanzas.clear();
  connect();
}

void TestClient::log_in_and_go_active() {
  log_in();
  const auto success = take(names::kSuccess);
  ASSERT_TRUE(success);
  EXPECT_EQ(success->text_attr("lid"), to_string(lid));
  upload_keys();
  ask(Node(names::kIq, {{"type", "set"}, {"xmlns", "passive"}}, std::vector{Node(names::kActive)}));
  ASSERT_TRUE(take(names::kIb, names::kOffline));
}

void TestClient::upload_keys(std::size_t count) {
  std::vector<signal::KeyPair> pairs;
  for (std::size_t i = 0; i < count; ++i) pairs.push_back(signal::make_key_pair(random_));
  const auto ids = store.add_pre_keys(pairs, signal::PreKeyState::offered);
  const auto skey = protocol.current_signed_pre_key();
  std::vector<Node> keys;
  for (std::size_t i = 0; i < count; ++i) {
    keys.emplace_back(names::kKey, std::vector<wire::Attr>{},
                      std::vector{Node(names::kId, {}, big_endian((*ids)[i], 3)),
                                  Node(names::kValue, {}, to_bytes(pairs[i].public_key))});
  }
  const Node answer = ask(
      Node(names::kIq, {{"type", "set"}, {"xmlns", names::kEncrypt}},
           std::vector{Node(names::kRegistration, {}, big_endian(store.own->registration_id, 4)),
                       Node(names::kType, {}, Bytes{std::byte{5}}),
                       Node(names::kIdentity, {}, to_bytes(store.own->key.public_key)),
                       Node(names::kList, {}, std::move(keys)),
                       Node(names::kSkey, {},
                            std::vector{Node(names::kId, {}, big_endian(skey->id, 3)),
                                        Node(names::kValue, {}, to_bytes(skey->key.public_key)),
                                        Node(names::kSignature, {}, to_bytes(skey->signature))})}));
  EXPECT_EQ(answer.text_attr("type"), "result");
}

Node TestClient::encrypted(const wire::Jid& device, ByteView protobuf, bool) {
  const auto address = signal::make_address(device.user, device.server, device.device);
  if (!*protocol.has_session(address)) {
    const Node answer = ask(Node(
        names::kIq, {{"type", "get"}, {"xmlns", names::kEncrypt}},
        std::vector{Node(names::kKey, {}, std::vector{Node(names::kUser, {{"jid", device}})})}));
    const Node& user = answer.child(names::kList)->children().at(0);
    signal::Bundle bundle;
    const auto number = [](const Node& node) {
      std::uint32_t value = 0;
      for (const std::byte b : node.bytes()) value = value << 8 | std::to_integer<std::uint32_t>(b);
      return value;
    };
    const auto key = [](const Node& node) { return *signal::parse_public_key(node.bytes()); };
    bundle.registration_id = number(*user.child(names::kRegistration));
    bundle.identity = key(*user.child(names::kIdentity));
    const Node& skey = *user.child(names::kSkey);
    bundle.signed_pre_key_id = number(*skey.child(names::kId));
    bundle.signed_pre_key = key(*skey.child(names::kValue));
    std::ranges::copy(skey.child(names::kSignature)->bytes(), bundle.signature.begin());
    if (const Node* one = user.child(names::kKey)) {
      bundle.one_time = {number(*one->child(names::kId)), key(*one->child(names::kValue))};
    }
    EXPECT_TRUE(protocol.process_bundle(address, bundle));
  }
  const auto sealed = protocol.encrypt(address, signal::pad(protobuf, random_));
  EXPECT_TRUE(sealed);
  return Node(names::kTo, {{"jid", device}},
              std::vector{Node(names::kEnc, {{"v", "2"}, {"type", signal::to_string(sealed->type)}},
                               sealed->bytes)});
}

std::string TestClient::send_text(const simulator::AccountInfo& to, const std::string& text,
                                  const std::string& wanted_id) {
  const std::string id =
      wanted_id.empty() ? make_message_id(random_, scheduler_.system_wall(), pn.user) : wanted_id;
  wa::Message message;
  message.set_conversation(text);
  wa::Message copy;
  copy.mutable_devicesentmessage()->set_destinationjid(to_string(to.lid));
  *copy.mutable_devicesentmessage()->mutable_message() = message;
  const Node answer =
      ask(Node(names::kIq, {{"type", "get"}, {"xmlns", names::kUsync}},
               std::vector{Node(
                   names::kUsync,
                   {{"sid", "s1"},
                    {"mode", "query"},
                    {"context", "message"},
                    {"index", "0"},
                    {"last", "true"}},
                   std::vector{Node(names::kQuery, {},
                                    std::vector{Node(names::kDevices, {{"version", "2"}})}),
                               Node(names::kList, {},
                                    std::vector{Node(names::kUser, {{"jid", to.lid}}),
                                                Node(names::kUser, {{"jid", lid.bare()}})})})}));
  std::vector<Node> recipients;
  for (const Node& user : answer.child(names::kUsync)->child(names::kList)->children()) {
    const wire::Jid jid = *user.jid_attr("jid");
    const Node& list = *user.child(names::kDevices)->child(names::kDeviceList);
    for (const Node& device : list.children()) {
      const auto one = jid.with_device(static_cast<std::uint16_t>(*device.int_attr("id")));
      if (one == lid) continue;
      const bool own = one.user == lid.user;
      recipients.push_back(
          encrypted(one, as_bytes((own ? copy : message).SerializeAsString()), own));
    }
  }
  send(Node(names::kMessage, {{"to", to.lid}, {"id", id}, {"type", "text"}},
            std::vector{Node(names::kParticipants, {}, std::move(recipients)),
                        Node(names::kDeviceIdentity, {}, device_identity)}));
  settle();
  return id;
}

std::string TestClient::open_text(const Node& message) {
  const wire::Jid from = *message.jid_attr(names::kFrom);
  const auto address = signal::make_address(from.user, from.server, from.device);
  const Node* enc = message.child(names::kEnc);
  if (enc == nullptr) return {};
  const auto opened = enc->text_attr("type") == names::kPkmsg
                          ? protocol.decrypt_pkmsg(address, enc->bytes())
                          : protocol.decrypt_msg(address, enc->bytes());
  if (!opened) return {};
  const auto plain = signal::unpad(opened->plaintext);
  wa::Message content;
  if (!plain || !content.ParseFromArray(plain->data(), static_cast<int>(plain->size()))) return {};
  return content.has_extendedtextmessage() ? content.extendedtextmessage().text()
                                           : content.conversation();
}

}  // namespace posthorn::test
