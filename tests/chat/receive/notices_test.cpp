#include <gtest/gtest.h>

#include <iterator>

#include "chat/content/secret.h"
#include "chat/people/devices.h"
#include "chat/people/devices_adv.h"
#include "chat/people/ids.h"
#include "chat/people/names.h"
#include "chat/rig.h"
#include "posthorn/base/crypto.h"
#include "posthorn/base/json.h"
#include "support/vectors.h"

namespace posthorn::chat::chat_test {
namespace {

using wire::Jid;
using wire::Node;
using Kind = throttle::SendOutcome::Kind;

constexpr const char* kFirst = "3EB0C0FFEE0000000000AA";
constexpr const char* kSecond = "3EB0C0FFEE0000000000AB";

std::size_t asked(const Rig& rig, std::string_view xmlns) {
  std::size_t count = 0;
  for (const Node& iq : rig.line.asked) count += iq.text_attr("xmlns") == xmlns ? 1U : 0U;
  return count;
}

void notify(Rig& rig, Node notification) {
  bool handled = false;
  rig.listener().on_notification(std::move(notification), [&] { handled = true; });
  rig.turn();
  EXPECT_TRUE(handled);
}

Node notification(const char* type, const Jid& from, std::vector<Node> children) {
  return Node("notification", {{"type", type}, {"from", from}, {"id", "N1"}}, std::move(children));
}

TEST(MessagesNotices, ADeviceListIsAskedForAgainAfterAChange) {
  for (const char* operation : {"add", "remove", "update"}) {
    Rig rig;
    (void)rig.send(rig.job(kFirst, "one"));
    const std::size_t before = asked(rig, "usync");
    // Named by the number, while the list is kept under the LID.
    notify(rig, notification("devices", rig.customer_pn,
                             {Node(operation, {}, {Node("device", {{"jid", rig.laptop.jid}})})}));
    (void)rig.send(rig.job(kSecond, "two"));
    EXPECT_EQ(asked(rig, "usync"), before + 1) << operation;
  }
}

TEST(MessagesNotices, ARemovedDeviceLosesItsSession) {
  Rig rig;
  (void)rig.send(rig.job(kFirst, "one"));
  ASSERT_TRUE(*rig.protocol->has_session(address_of(rig.laptop.jid)));
  notify(rig, notification("devices", rig.customer_pn,
                           {Node("remove", {}, {Node("device", {{"jid", rig.laptop.jid}})})}));
  EXPECT_FALSE(*rig.protocol->has_session(address_of(rig.laptop.jid)));
  EXPECT_TRUE(*rig.protocol->has_session(address_of(rig.customer.jid)));
}

TEST(MessagesNotices, ANewIdentityMeansNewSessionsWithAllDevices) {
  Rig rig;
  (void)rig.send(rig.job(kFirst, "one"));
  notify(rig, notification("encrypt", rig.customer_pn, {Node("identity")}));
  EXPECT_FALSE(*rig.protocol->has_session(address_of(rig.customer.jid)));
  EXPECT_FALSE(*rig.protocol->has_session(address_of(rig.laptop.jid)));
  EXPECT_EQ(rig.send(rig.job(kSecond, "two")).kind, Kind::sent);
  const auto stanza = rig.written_of("message").back();
  EXPECT_EQ(Rig::enc_for(stanza, rig.customer.jid)->text_attr("type"), "pkmsg");
}

TEST(MessagesNotices, TheCustomerMayHaveANewPhone) {
  Rig rig;
  (void)rig.send(rig.job(kFirst, "one"));
  // The same account with new keys writes without any notification.
  PeerDevice renewed(rig.customer_lid, 77);
  rig.introduce(renewed);
  rig.listener().on_message(rig.text_from(renewed, "IN1", "new phone"));
  rig.turn();
  ASSERT_EQ(rig.messages().size(), 1U);
  EXPECT_EQ(readable_text(rig.messages()[0].content), "new phone");
  (void)rig.send(rig.job(kSecond, "welcome back"));
  const auto stanza = rig.written_of("message").back();
  const auto message = renewed.decrypt(*Rig::enc_for(stanza, rig.customer_lid), rig.box_jid);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->conversation(), "welcome back");
}

TEST(MessagesNotices, AccountSyncRefreshesOurOwnDevices) {
  Rig rig;
  (void)rig.send(rig.job(kFirst, "one"));
  const std::size_t before = asked(rig, "usync");
  notify(rig, notification("account_sync", rig.line.self.pn.bare(), {Node("devices")}));
  (void)rig.send(rig.job(kSecond, "two"));
  EXPECT_EQ(asked(rig, "usync"), before + 1);
}

TEST(MessagesNotices, ANumberLearnsItsLidFromAMessageAndKeepsItsSession) {
  Rig rig;
  rig.give_lids = false;
  (void)rig.send(rig.job(kFirst, "one"));
  ASSERT_TRUE(*rig.protocol->has_session(address_of(rig.customer_pn)));
  // The answer comes from the LID and names the number.
  const auto first = rig.written_of("message")[0];
  ASSERT_TRUE(rig.customer.decrypt(*Rig::enc_for(first, rig.customer_pn), rig.box_jid));
  rig.listener().on_message(rig.text_from(rig.customer, "IN1", "thanks"));
  rig.turn();
  ASSERT_EQ(rig.messages().size(), 1U);
  EXPECT_EQ(rig.messages()[0].chat, "4915550002222@c.us");
  EXPECT_TRUE(*rig.protocol->has_session(address_of(rig.customer_lid)));
  EXPECT_FALSE(*rig.protocol->has_session(address_of(rig.customer_pn)));
  (void)rig.send(rig.job(kSecond, "two"));
  EXPECT_EQ(rig.written_of("message").back().jid_attr("to"), rig.customer_lid);
}

TEST(MessagesNotices, ReadReceiptsFollowThePrivacySetting) {
  Rig rig;
  rig.introduce(rig.customer);
  std::string value = "none";
  const auto usual = rig.line.answer;
  rig.line.answer = [&](const Node& iq) -> Result<Node> {
    if (iq.text_attr("xmlns") != "privacy") return usual(iq);
    return Node(
        "iq", {},
        {Node("privacy", {}, {Node("category", {{"name", "readreceipts"}, {"value", value}})})});
  };
  const auto read = [&](const char* id) {
    rig.listener().on_message(rig.text_from(rig.customer, id, "x"));
    rig.turn();
    rig.line.take_written();
    rig.box->read_marks().mark("4915550002222@c.us", id,
                               [](Result<std::size_t> r) { EXPECT_TRUE(r); });
    rig.turn();
    return rig.line.take_written().at(0).text_attr("type");
  };
  value = "error";
  EXPECT_EQ(read("IN0"), "read-self") << "as long as nothing else was said";
  value = "none";
  EXPECT_EQ(read("IN1"), "read-self");
  value = "all";
  EXPECT_EQ(read("IN2"), "read-self");  // kept
  notify(rig, notification("account_sync", rig.line.self.pn.bare(), {Node("privacy")}));
  EXPECT_EQ(read("IN3"), "read");
  value = "error";
  notify(rig, notification("account_sync", rig.line.self.pn.bare(), {Node("privacy")}));
  EXPECT_EQ(read("IN4"), "read") << "what held before";
}

TEST(MessagesNotices, AfterA429DeviceQueriesPause) {
  Rig rig;
  const auto usual = rig.line.answer;
  rig.line.answer = [](const Node&) -> Result<Node> {
    return fail(Errc::refused, "429 rate-overlimit");
  };
  rig.start_send(rig.job(kFirst, "one"));
  ASSERT_TRUE(rig.outcome);
  EXPECT_EQ(rig.outcome->kind, Kind::not_sent);
  rig.line.answer = usual;
  rig.start_send(rig.job(kFirst, "one"));
  ASSERT_TRUE(rig.outcome);
  EXPECT_EQ(rig.outcome->kind, Kind::not_sent);
  EXPECT_EQ(asked(rig, "usync"), 1U);
  rig.scheduler.advance(minutes(2));
  EXPECT_EQ(rig.send(rig.job(kFirst, "one")).kind, Kind::sent);
}

TEST(MessagesNotices, LogoutForgetsPeopleAndMessages) {
  Rig rig;
  rig.introduce(rig.customer);
  const Node stanza = rig.text_from(rig.customer, "IN1", "x");
  rig.listener().on_message(stanza);
  rig.turn();
  (void)rig.send(rig.job(kFirst, "one"));
  rig.listener().on_logged_out();
  std::optional<Result<std::size_t>> marked;
  rig.box->read_marks().mark("4915550002222@c.us", "", [&](Result<std::size_t> r) { marked = r; });
  rig.turn();
  ASSERT_TRUE(marked && *marked);
  EXPECT_EQ(**marked, 0U);
}

// Edits that are encrypted under their target's secret

Bytes hex(const json::Value& object, const char* key) {
  return hex_decode(json::string_at(object, key).value_or("")).value_or(Bytes());
}

TEST(MessagesSecret, EditsOfTheVectorsOpen) {
  const auto vectors = test::load_vectors("msgsecret.json");
  const Bytes secret = hex(vectors, "messageSecret");
  int opened = 0;
  for (const auto& entry : vectors["cases"]) {
    if (json::string_at(entry, "useCase") != std::string(kMessageEdit)) continue;
    SecretParent parent;
    parent.id = json::string_at(entry, "parentId").value_or("");
    parent.sender = json::string_at(entry, "parentSender").value_or("");
    parent.modifier = json::string_at(entry, "modificationSender").value_or("");
    parent.secret = secret;
    const auto plain =
        open_secret(parent, kMessageEdit, hex(entry, "iv"), hex(entry, "encPayload"));
    ASSERT_TRUE(plain);
    EXPECT_EQ(*plain, hex(entry, "plaintextProto"));
    parent.modifier += "x";
    EXPECT_FALSE(open_secret(parent, kMessageEdit, hex(entry, "iv"), hex(entry, "encPayload")));
    ++opened;
  }
  EXPECT_EQ(opened, 2);
}

TEST(MessagesSecret, AnEncryptedEditIsAnEdit) {
  Rig rig;
  rig.introduce(rig.customer);
  const Bytes secret(32, std::byte{7});
  wa::Message original = text_message("teh text");
  original.mutable_messagecontextinfo()->set_messagesecret(std::string(as_text(secret)));
  rig.listener().on_message(
      rig.stanza_from(rig.customer, "IN1", rig.customer.encrypt(original, rig.box_jid)));
  wa::Message edit;
  auto& protocol = *edit.mutable_protocolmessage();
  protocol.set_type(wa::Message::ProtocolMessage::MESSAGE_EDIT);
  protocol.mutable_key()->set_id("IN1");
  protocol.mutable_key()->set_fromme(true);
  protocol.mutable_editedmessage()->set_conversation("the text");
  const std::string who = "200000000000002@lid";
  const Bytes info =
      concat({as_bytes("IN1"), as_bytes(who), as_bytes(who), as_bytes(kMessageEdit)});
  const Bytes key = crypto::hkdf_sha256(secret, {}, info, 32);
  const Bytes iv(12, std::byte{3});
  wa::Message carrier;
  auto& sealed = *carrier.mutable_secretencryptedmessage();
  sealed.set_secretenctype(wa::Message::SecretEncryptedMessage::MESSAGE_EDIT);
  sealed.mutable_targetmessagekey()->set_id("IN1");
  sealed.set_enciv(std::string(as_text(iv)));
  sealed.set_encpayload(std::string(
      as_text(crypto::aes_gcm_encrypt(key, iv, {}, as_bytes(edit.SerializeAsString())))));
  // In the next batch: what an edit refers to is read from the store.
  rig.turn();
  rig.listener().on_message(
      rig.stanza_from(rig.customer, "IN2", rig.customer.encrypt(carrier, rig.box_jid)));
  rig.turn();
  ASSERT_EQ(rig.messages().size(), 2U);
  EXPECT_TRUE(std::holds_alternative<content::Edit>(rig.messages()[1].content.what));
  EXPECT_EQ(std::get<content::Edit>(rig.messages()[1].content.what).target_id, "IN1");
  EXPECT_EQ(readable_text(rig.messages()[1].content), "the text");
}

// Signed device lists

struct Signer {
  Signer() : key(signal::make_key_pair(random)) {}

  Bytes list(std::vector<std::uint32_t> valid, std::uint32_t current) {
    wa::ADVKeyIndexList details;
    details.set_rawid(5);
    details.set_timestamp(1'789'000'000);
    details.set_currentindex(current);
    for (const std::uint32_t index : valid) details.add_validindexes(index);
    wa::ADVSignedKeyIndexList outer;
    outer.set_details(details.SerializeAsString());
    const Bytes covered = concat({Bytes{std::byte{6}, std::byte{2}}, as_bytes(outer.details())});
    const auto signature = signal::sign(key.private_key, covered, random);
    outer.set_accountsignature(std::string(as_text(ByteView(signature))));
    return to_bytes(outer.SerializeAsString());
  }

  posthorn::test::SeededRandom random{41};
  signal::KeyPair key;
};

TEST(MessagesDevices, OnlyDevicesOfTheSignedListAreBelieved) {
  Signer signer;
  const auto list = parse_key_index_list(signer.list({1, 4}, 4), signer.key.public_key);
  ASSERT_TRUE(list);
  EXPECT_TRUE(list->allows({0, std::nullopt, false}));
  EXPECT_TRUE(list->allows({12, 4, false}));
  EXPECT_FALSE(list->allows({13, 3, false}));
  EXPECT_TRUE(list->allows({14, 5, false}));  // linked after the list was signed
  EXPECT_FALSE(list->allows({15, std::nullopt, false}));
}

TEST(MessagesDevices, AListOfAnotherKeyIsRefused) {
  Signer signer;
  Signer other;
  other.key = signal::make_key_pair(other.random);
  other.key = signal::make_key_pair(other.random);
  EXPECT_FALSE(parse_key_index_list(signer.list({1}, 1), other.key.public_key));
  EXPECT_TRUE(parse_key_index_list(signer.list({1}, 1), std::nullopt));
  Bytes torn = signer.list({1}, 1);
  torn.resize(torn.size() / 2);
  EXPECT_FALSE(parse_key_index_list(torn, signer.key.public_key));
}

TEST(MessagesDevices, AForgedCompanionGetsNoCopy) {
  Rig rig;
  Signer account;
  rig.line.self.account_key = to_bytes(ByteView(account.key.public_key));
  const auto usual = rig.line.answer;
  // A list for our own account that the account did not sign: only the phone is served.
  Signer forger;
  forger.key = signal::make_key_pair(forger.random);
  rig.line.answer = [&](const Node& iq) -> Result<Node> {
    Result<Node> reply = usual(iq);
    if (iq.text_attr("xmlns") != "usync") return reply;
    for (Node& user : reply->mutable_children()[0].mutable_children()[0].mutable_children()) {
      if (user.jid_attr("jid")->user != rig.box_jid.user &&
          user.jid_attr("jid")->user != rig.line.self.pn.user) {
        continue;
      }
      Node& devices = user.mutable_children()[0];
      devices.mutable_children()[0].mutable_children().push_back(
          Node("device", {{"id", "9"}, {"key-index", "2"}}));
      devices.mutable_children().push_back(
          Node("key-index-list", {{"ts", "1789000000"}}, forger.list({1, 2}, 2)));
    }
    return reply;
  };
  (void)rig.send(rig.job(kFirst, "one"));
  const auto stanza = rig.written_of("message")[0];
  EXPECT_NE(Rig::enc_for(stanza, rig.phone.jid), nullptr);
  EXPECT_EQ(Rig::enc_for(stanza, rig.box_jid.with_device(9)), nullptr);
  // And nobody is asked for the keys of the device that was smuggled in.
  for (const Node& iq : rig.line.asked) {
    if (iq.text_attr("xmlns") != "encrypt") continue;
    for (const Node& user : iq.child("key")->children()) {
      EXPECT_NE(user.jid_attr("jid")->device, 9);
    }
  }
}

TEST(MessagesDevices, ListsAreKeptAsText) {
  const std::vector<DeviceEntry> devices{{0, std::nullopt, false}, {5, 3, false}, {99, 1, true}};
  EXPECT_EQ(encode_devices(devices), "0;5:3;99:1h");
  EXPECT_EQ(decode_devices("0;5:3;99:1h"), devices);
  EXPECT_EQ(decode_devices("0;x;-1;5:y;700;;"),
            (std::vector<DeviceEntry>{{0, std::nullopt, false}, {5, std::nullopt, false}}));
}

}  // namespace
}  // namespace posthorn::chat::chat_test
