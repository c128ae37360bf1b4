#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>

#include "chat/content/attrs.h"
#include "chat/content/build.h"
#include "chat/content/parse.h"
#include "chat/people/tokens.h"
#include "chat/people/usync.h"
#include "chat/receive/envelope.h"
#include "chat/receive/receipts.h"
#include "chat/receive/retry_request.h"
#include "chat/send/read_receipt.h"
#include "chat/send/stanza.h"
#include "posthorn/base/json.h"
#include "support/vectors.h"

namespace posthorn::chat {
namespace {

using wire::Jid;
using wire::Node;

std::string text_at(const json::Value& object, const char* key) {
  return json::string_at(object, key).value_or("");
}

wa::Message message_of(const json::Value& entry) {
  wa::Message message;
  const auto bytes = hex_decode(text_at(entry, "message"));
  EXPECT_TRUE(bytes && message.ParseFromString(posthorn::to_string(*bytes)));
  return message;
}

TEST(MessagesVectors, NothingIsLostThatOurSchemaDoesNotKnow) {
  const auto vectors = test::load_vectors("messages.json");
  for (const auto& entry : vectors["cases"]) {
    SCOPED_TRACE(text_at(entry, "name"));
    // Fields that are unknown to us come after the known ones; their bytes are the same.
    EXPECT_EQ(message_of(entry).SerializeAsString().size(), text_at(entry, "message").size() / 2);
  }
}

TEST(MessagesVectors, StanzaAttributesOfEveryMessageType) {
  const auto vectors = test::load_vectors("messages.json");
  ASSERT_EQ(vectors["cases"].size(), 55U);
  for (const auto& entry : vectors["cases"]) {
    const std::string name = text_at(entry, "name");
    SCOPED_TRACE(name);
    const StanzaAttrs attrs = describe_content(message_of(entry));
    const auto& expected = entry["stanza"];
    // Chapter 06 takes `text` for what no client shows (keys alone, the album's parent), where zapo
    // falls through to `media`; and gives a live location its type.
    const bool ours = name == "sender_key_distribution" || name == "album";
    // Type and mediatype of messages with buttons are those of <biz>, which is a later matter.
    EXPECT_EQ(attrs.type, ours ? "text" : text_at(expected, "type"));
    EXPECT_EQ(attrs.mediatype,
              name == "live_location" ? "livelocation" : text_at(expected, "mediatype"));
    EXPECT_EQ(attrs.edit, text_at(expected, "edit"));
    EXPECT_EQ(attrs.hide_failure, text_at(expected, "decryptFail") == "hide");
    const auto& meta = json::at(expected, "meta");
    EXPECT_EQ(attrs.meta.size(), meta.isObject() ? meta.size() : 0U);
    for (const auto& attr : attrs.meta) {
      EXPECT_EQ(std::get<std::string>(attr.value), text_at(meta, attr.key.c_str()));
    }
  }
}

TEST(MessagesVectors, EveryMessageTypeIsNamed) {
  const auto vectors = test::load_vectors("messages.json");
  for (const auto& entry : vectors["cases"]) {
    const std::string name = text_at(entry, "name");
    SCOPED_TRACE(name);
    const wa::Message message = message_of(entry);
    const auto opened = open_wrappers(message);
    ASSERT_TRUE(opened);
    const Parsed parsed = parse_content(*opened->message);
    // Keys, and what says nothing to a person: a message kept in a chat that disappears.
    if (name == "sender_key_distribution" || name == "keep") {
      EXPECT_FALSE(parsed.content || parsed.protocol != nullptr);
      continue;
    }
    EXPECT_TRUE(parsed.content || parsed.protocol != nullptr) << name;
    const auto* other =
        parsed.content ? std::get_if<content::Other>(&parsed.content->what) : nullptr;
    if (other != nullptr) {
      EXPECT_NE(other->type_name, "unknown");
      EXPECT_TRUE(entry["decoded"].isMember(other->type_name) || opened->message != &message);
    }
  }
}

TEST(MessagesVectors, WhatTextsSay) {
  const auto vectors = test::load_vectors("messages.json");
  const auto parsed = [&](const std::string& name) {
    for (const auto& entry : vectors["cases"]) {
      if (text_at(entry, "name") != name) continue;
      static wa::Message message;  // what is parsed may point into it
      message = message_of(entry);
      return parse_content(*open_wrappers(message)->message);
    }
    ADD_FAILURE() << name;
    return Parsed{};
  };
  const auto said = [&](const std::string& name) { return readable_text(*parsed(name).content); };
  EXPECT_EQ(said("conversation"), "Hello");
  EXPECT_EQ(parsed("extendedText_reply_mention").content->quote->id, "3EB0AAAAAAAAAAAAAAAAAA");
  const Content forwarded = *parsed("extendedText_forwarded").content;
  EXPECT_EQ(forwarded.forwarding_score, 1);
  EXPECT_TRUE(forwarded.forwarded);
  const Content link = *parsed("extendedText_linkpreview").content;
  EXPECT_EQ(std::get<content::Text>(link.what).preview->url, "https://example.com/a");
  EXPECT_EQ(said("ephemeral_wrapper"), "gone soon");
  EXPECT_EQ(said("device_sent"), "from my other device");
  for (const char* edit : {"edit_direct", "edit_wrapped"}) {
    const Parsed change = parsed(edit);
    EXPECT_EQ(std::get<content::Edit>(change.content->what).target_id, "3EB0BBBBBBBBBBBBBBBBBB");
    EXPECT_TRUE(change.target_from_me);
  }
  for (const char* revoke : {"revoke_own", "revoke_by_admin"}) {
    EXPECT_TRUE(std::holds_alternative<content::Deletion>(parsed(revoke).content->what));
  }
  EXPECT_FALSE(parsed("revoke_by_admin").target_from_me);
  const Content timer = *parsed("ephemeral_setting").content;
  EXPECT_GT(std::get<content::Timer>(timer.what).seconds, 0U);
  const Content order = *parsed("order").content;
  EXPECT_TRUE(std::holds_alternative<content::Order>(order.what));
}

TEST(MessagesVectors, DeviceHashes) {
  for (const char* file : {"phash.json", "usync-phash.json"}) {
    const auto vectors = test::load_vectors(file);
    ASSERT_GE(vectors["cases"].size(), 4U);
    for (const auto& entry : vectors["cases"]) {
      std::vector<Jid> devices;
      for (const auto& text : entry["devices"]) {
        // As text, because our JID parser reads the old server name as the new one.
        devices.push_back(*wire::parse_jid(json::text_of(text).value_or("")));
      }
      // Both files say "2:" for the empty set; WhatsApp's own token table holds the hash of
      // nothing.
      EXPECT_EQ(device_hash(devices), devices.empty() ? "2:47DEQpj8" : text_at(entry, "phash"));
    }
  }
}

TEST(MessagesVectors, TokensExpire) {
  const auto expiry = test::load_vectors("privacy-tokens.json")["expiry"];
  const auto now = json::int_at(expiry, "now").value_or(0);
  ASSERT_GE(expiry["cases"].size(), 4U);
  for (const auto& entry : expiry["cases"]) {
    EXPECT_EQ(token_is_valid(json::int_at(entry, "timestamp").value_or(0), now),
              !json::bool_at(entry, "expired").value_or(true));
  }
  EXPECT_TRUE(token_is_due(0, now));
  EXPECT_FALSE(token_is_due(now - 100, now));
  EXPECT_TRUE(token_is_due(now - 604'800, now));
}

/// A node of the vectors; attributes that hold a JID are JIDs on the wire.
Node node_of(const json::Value& value) {
  Node node(text_at(value, "tag"));
  for (const auto& key : value["attrs"].getMemberNames()) {
    const std::string text = text_at(value["attrs"], key.c_str());
    const auto jid =
        text.find('@') != std::string::npos ? wire::parse_jid(text) : fail(Errc::malformed, "text");
    node.set_attr(
        key, jid ? std::variant<std::string, Jid>(*jid) : std::variant<std::string, Jid>(text));
  }
  if (value.isMember("bytes")) node.content = *hex_decode(text_at(value, "bytes"));
  if (!value.isMember("children")) return node;
  std::vector<Node> children;
  for (const auto& child : value["children"]) children.push_back(node_of(child));
  node.content = std::move(children);
  return node;
}

/// Attribute order and the host's form (a JID without user, or text) do not matter.
Node normal(Node node) {
  for (auto& attr : node.attrs) {
    const auto* jid = std::get_if<Jid>(&attr.value);
    if (jid != nullptr && jid->user.empty()) attr.value = to_string(*jid);
  }
  std::sort(node.attrs.begin(), node.attrs.end(),
            [](const auto& a, const auto& b) { return a.key < b.key; });
  if (auto* children = std::get_if<std::vector<Node>>(&node.content)) {
    for (Node& child : *children) child = normal(std::move(child));
  }
  return node;
}

class MessagesStanzas : public testing::Test {
 protected:
  Node expected(const char* name) { return normal(node_of(stanzas_["stanzas"][name])); }
  void expect_same(const char* name, const Node& built) {
    EXPECT_EQ(to_xml(normal(built)), to_xml(expected(name))) << name;
  }
  static signal::Encrypted sealed(const Node& enc) {
    return {
        enc.text_attr("type") == "pkmsg" ? signal::MessageType::pkmsg : signal::MessageType::msg,
        to_bytes(enc.bytes())};
  }
  json::Value stanzas_ = test::load_vectors("stanzas.json");
  const Jid peer_{"200000000000002", "lid", 0};
};

TEST_F(MessagesStanzas, TextToALid) {
  const Node vector = expected("dm_text_to_lid");
  OutgoingMessage message;
  message.id = vector.text_attr("id");
  message.to = peer_;
  message.peer_recipient_pn = vector.jid_attr("peer_recipient_pn");
  for (const Node& to : vector.child("participants")->children()) {
    message.copies.push_back({*to.jid_attr("jid"), sealed(*to.child("enc"))});
  }
  const Bytes identity = to_bytes(vector.child("device-identity")->bytes());
  message.device_identity = identity;
  message.tctoken = to_bytes(vector.child("tctoken")->bytes());
  expect_same("dm_text_to_lid", build_message(message));
}

TEST_F(MessagesStanzas, EditsAndReactionsHideTheirFailure) {
  for (const char* name : {"dm_edit", "dm_reaction", "dm_image_to_pn", "dm_poll"}) {
    const Node vector = expected(name);
    OutgoingMessage message;
    message.id = vector.text_attr("id");
    message.to = *vector.jid_attr("to");
    message.peer_recipient_pn = vector.jid_attr("peer_recipient_pn");
    const std::map<std::string, std::string> kinds{{"dm_edit", "edit_direct"},
                                                   {"dm_reaction", "reaction"},
                                                   {"dm_image_to_pn", "image"},
                                                   {"dm_poll", "poll_single_v3"}};
    const auto messages = test::load_vectors("messages.json");
    for (const auto& entry : messages["cases"]) {
      if (text_at(entry, "name") == kinds.at(name)) {
        message.attrs = describe_content(message_of(entry));
      }
    }
    const Node& to = vector.child("participants")->children()[0];
    message.copies.push_back({*to.jid_attr("jid"), sealed(*to.child("enc"))});
    expect_same(name, build_message(message));
  }
}

TEST_F(MessagesStanzas, DeliveryReceipts) {
  session::Identity self;
  self.pn = {"5511999990001", "s.whatsapp.net", 3};
  self.lid = {"100000000000001", "lid", 3};
  const auto receipt_for = [&](const Node& stanza) {
    const auto envelope = parse_envelope(stanza, self, Wall{});
    EXPECT_TRUE(envelope);
    return build_delivery_receipt(*envelope, self, Available::yes);
  };
  expect_same("delivery_receipt_dm",
              receipt_for(Node("message", {{"id", "AC0FFEE"}, {"from", peer_}})));
  expect_same("delivery_receipt_group",
              receipt_for(Node("message", {{"id", "AC0FFEF"},
                                           {"from", Jid{"120363000000000001", "g.us", 0}},
                                           {"participant", peer_.with_device(4)}})));
  // Whatsmeow's choice of name: zapo writes the LID that the message came from.
  const Node peer = receipt_for(Node(
      "message", {{"id", "AC0FFF0"}, {"from", self.lid.with_device(0)}, {"category", "peer"}}));
  EXPECT_EQ(peer.text_attr("type"), "peer_msg");
  EXPECT_EQ(peer.jid_attr("to"), self.pn.bare());
}

TEST_F(MessagesStanzas, ReadReceiptsAndAcks) {
  const std::vector<std::string> ids{"M1", "M2", "M3"};
  expect_same("read_receipt_batch",
              build_read_receipt({"120363000000000001", "g.us", 0}, peer_, ids,
                                 Wall::from_unix(1754000010), ReadTo::everybody));
  Node message("message", {{"id", "AC0FFEE"}, {"from", peer_}, {"type", "text"}});
  expect_same("ack_message", build_ack(message, session::Identity{}));
  Node receipt(
      "receipt",
      {{"id", "3EB0C0FFEE0000000000AA"}, {"from", peer_.with_device(4)}, {"type", "retry"}});
  expect_same("ack_receipt_retry", build_ack(receipt, session::Identity{}));
}

TEST_F(MessagesStanzas, RetryRequests) {
  Node failed("message", {{"id", "AC0FFEE"}, {"from", peer_}, {"t", "1754000000"}});
  expect_same("retry_receipt_first", build_retry_request(failed, 1, 1, 12345, std::nullopt));

  const Node vector = expected("retry_receipt_with_keys_group");
  const Node* node = vector.child("keys");
  RetryKeys keys;
  const auto key_of = [](const Node* parent, const char* tag) {
    return *signal::parse_public_key(parent->child(tag)->bytes());
  };
  keys.identity = key_of(node, "identity");
  keys.one_time.id = 42;
  keys.one_time.key.public_key = key_of(node->child("key"), "value");
  keys.signed_prekey.id = 1;
  keys.signed_prekey.key.public_key = key_of(node->child("skey"), "value");
  const ByteView signature = node->child("skey")->child("signature")->bytes();
  std::copy(signature.begin(), signature.end(), keys.signed_prekey.signature.begin());
  keys.device_identity = to_bytes(node->child("device-identity")->bytes());
  Node group("message", {{"id", "AC0FFEF"},
                         {"from", Jid{"120363000000000001", "g.us", 0}},
                         {"participant", peer_.with_device(4)},
                         {"t", "1754000001"}});
  Node built = build_retry_request(group, 2, 7, 12345, keys);
  // The order of the keys is not significant; zapo writes the signed one first.
  auto& children = built.mutable_children().back().mutable_children();
  std::swap(children[2], children[3]);
  expect_same("retry_receipt_with_keys_group", built);
}

TEST_F(MessagesStanzas, TokenIssue) {
  expect_same("privacy_token_issue", build_token_issue(peer_, 1754000000));
}

TEST(MessagesParse, UsyncAnswersThatMakeNoSense) {
  EXPECT_FALSE(parse_usync(Node("iq")));
  const auto refused = parse_usync(Node(
      "iq", {},
      {Node("usync", {},
            {Node("result", {},
                  {Node("devices", {}, {Node("error", {{"code", "429"}, {"text", "rate"}})})})})}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::refused);
  EXPECT_EQ(refused.error().detail, "429 rate");
  const Node odd("user", {{"jid", "undefined"}},
                 {Node("devices", {},
                       {Node("device-list", {},
                             {Node("device"), Node("device", {{"id", "-1"}}),
                              Node("device", {{"id", "500"}})})})});
  const auto parsed = parse_usync(Node("iq", {}, {Node("usync", {}, {Node("list", {}, {odd})})}));
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->size(), 1U);
  EXPECT_TRUE((*parsed)[0].jid.empty());
  EXPECT_TRUE((*parsed)[0].devices.empty());
}

TEST(MessagesParse, WrappersEndSomewhere) {
  wa::Message message;
  wa::Message* inner = &message;
  for (int depth = 0; depth < 8; ++depth) {
    inner = inner->mutable_ephemeralmessage()->mutable_message();
  }
  inner->set_conversation("deep");
  EXPECT_TRUE(open_wrappers(message));
  wa::Message deeper;
  *deeper.mutable_ephemeralmessage()->mutable_message() = message;
  EXPECT_FALSE(open_wrappers(deeper));
}

}  // namespace
}  // namespace posthorn::chat
