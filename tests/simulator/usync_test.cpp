#include <gtest/gtest.h>

#include <algorithm>

#include "posthorn/wire/names.h"
#include "posthorn/wire/wa.pb.h"
#include "simulator/directory.h"
#include "simulator/test_client.h"
#include "support/vectors.h"

namespace posthorn::simulator {
namespace {

namespace names = wire::names;
using test::TestClient;
using wire::Node;

struct SimulatorUsync : testing::Test {
  test::FakeScheduler scheduler;
  test::SeededRandom random{12};
  Simulator sim{scheduler, random};
  AccountInfo peer = sim.add_account({"5511990000001", "Customer"});
  TestClient client{scheduler, random, sim};

  void SetUp() override { client.link(""); }

  std::vector<Node> ask(std::vector<Node> protocols, std::vector<Node> users) {
    const Node answer = client.ask(
        Node(names::kIq, {{"type", "get"}, {"xmlns", names::kUsync}},
             std::vector{Node(names::kUsync,
                              {{"sid", "s"}, {"mode", "query"}, {"context", "interactive"}},
                              std::vector{Node(names::kQuery, {}, std::move(protocols)),
                                          Node(names::kList, {}, std::move(users))})}));
    const Node* usync = answer.child(names::kUsync);
    EXPECT_NE(usync, nullptr);
    EXPECT_EQ(usync->text_attr("sid"), "s");
    return usync->child(names::kList)->children();
  }
  static Node number(const std::string& text) {
    return Node(names::kUser, {}, std::vector{Node(names::kContact, {}, to_bytes(text))});
  }
};

TEST_F(SimulatorUsync, TellsWhichNumbersAreOnWhatsApp) {
  const auto users = ask({Node(names::kContact), Node(names::kLid)},
                         {number("+5511990000001"), number("+49155500009"), number("nonsense")});
  ASSERT_EQ(users.size(), 3U);
  EXPECT_EQ(users[0].text_attr("jid"), "5511990000001@s.whatsapp.net");
  EXPECT_EQ(users[0].child(names::kContact)->text_attr("type"), "in");
  EXPECT_EQ(to_string(users[0].child(names::kContact)->bytes()), "+5511990000001");
  EXPECT_EQ(users[0].child(names::kLid)->jid_attr("val"), peer.lid);
  EXPECT_EQ(users[1].child(names::kContact)->text_attr("type"), "out");
  EXPECT_EQ(users[2].child(names::kContact)->text_attr("type"), "invalid");
}

TEST_F(SimulatorUsync, NamesPeopleByLidWhenAsked) {
  const auto users =
      ask({Node(names::kContact, {{"addressing_mode", "lid"}})}, {number("+5511990000001")});
  ASSERT_EQ(users.size(), 1U);
  EXPECT_EQ(users[0].jid_attr("jid"), peer.lid);
  EXPECT_EQ(users[0].jid_attr("pn_jid"), peer.pn);
}

TEST_F(SimulatorUsync, SignsTheListOfKeyIndexes) {
  ASSERT_TRUE(sim.peer_add_companion(peer.pn.user));
  ASSERT_TRUE(sim.peer_add_companion(peer.pn.user));
  ASSERT_TRUE(sim.peer_remove_companion(peer.pn.user, 1));
  const auto users =
      ask({Node(names::kDevices, {{"version", "2"}})}, {Node(names::kUser, {{"jid", peer.lid}})});
  ASSERT_EQ(users.size(), 1U);
  const Node& devices = *users[0].child(names::kDevices);
  const auto& listed = devices.child(names::kDeviceList)->children();
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_FALSE(listed[0].has_attr("key-index"));
  EXPECT_EQ(listed[1].text_attr("id"), "2");
  EXPECT_EQ(listed[1].text_attr("key-index"), "2");
  const ByteView bytes = devices.child(names::kKeyIndexList)->bytes();
  wa::ADVSignedKeyIndexList signed_list;
  ASSERT_TRUE(signed_list.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  const auto key = signal::parse_public_key(as_bytes(signed_list.accountsignaturekey()));
  ASSERT_TRUE(key);
  EXPECT_TRUE(signal::verify(
      *key, concat({Bytes{std::byte{6}, std::byte{2}}, as_bytes(signed_list.details())}),
      as_bytes(signed_list.accountsignature())));
  wa::ADVKeyIndexList list;
  ASSERT_TRUE(list.ParseFromString(signed_list.details()));
  EXPECT_EQ(list.currentindex(), 2U);
  EXPECT_EQ(std::vector(list.validindexes().begin(), list.validindexes().end()),
            (std::vector<std::uint32_t>{0, 2}));
}

TEST_F(SimulatorUsync, LeavesOutWhoseListTheAskerHas) {
  const auto asked = [this](const std::string& hash) {
    return ask({Node(names::kDevices, {{"version", "2"}})},
               {Node(names::kUser, {{"jid", peer.lid}},
                     std::vector{Node(names::kDevices, {{"device_hash", hash}, {"ts", "1"}})})})
        .size();
  };
  EXPECT_EQ(asked(device_hash({peer.lid})), 0U);
  EXPECT_EQ(asked("2:AAAAAAAA"), 1U);
}

TEST_F(SimulatorUsync, TheDigestIsOverWhatWasUploaded) {
  const Node answer = client.ask(Node(names::kIq, {{"type", "get"}, {"xmlns", names::kEncrypt}},
                                      std::vector{Node(names::kDigest)}));
  const Node* digest = answer.child(names::kDigest);
  ASSERT_NE(digest, nullptr);
  const auto skey = client.protocol.current_signed_pre_key();
  Bytes hashed = concat({client.store.own->key.public_key, skey->key.public_key, skey->signature});
  const auto& ids = digest->child(names::kList)->children();
  EXPECT_EQ(ids.size(), 20U);
  for (const Node& id : ids) {
    const auto number = std::to_integer<std::uint32_t>(id.bytes()[2]);
    append(hashed, client.store.pre_keys.at(number).key.public_key);
  }
  EXPECT_EQ(to_bytes(digest->child(names::kHash)->bytes()), to_bytes(crypto::sha1(hashed)));
}

TEST_F(SimulatorUsync, AnUploadWithAForgedSignatureIsRefused) {
  std::ranges::fill(client.store.signed_pre_keys.begin()->second.key.signature, std::byte{7});
  std::vector<Node> keys;
  const auto skey = client.protocol.current_signed_pre_key();
  const auto id3 = Bytes{std::byte{0}, std::byte{0}, std::byte{1}};
  const Node answer = client.ask(
      Node(names::kIq, {{"type", "set"}, {"xmlns", names::kEncrypt}},
           std::vector{Node(names::kRegistration, {}, Bytes(4)),
                       Node(names::kType, {}, Bytes{std::byte{5}}),
                       Node(names::kIdentity, {}, to_bytes(client.store.own->key.public_key)),
                       Node(names::kList, {}, std::move(keys)),
                       Node(names::kSkey, {},
                            std::vector{Node(names::kId, {}, id3),
                                        Node(names::kValue, {}, to_bytes(skey->key.public_key)),
                                        Node(names::kSignature, {}, to_bytes(skey->signature))})}));
  EXPECT_EQ(answer.text_attr("type"), "error");
  EXPECT_EQ(sim.violations().size(), 1U);
}

TEST_F(SimulatorUsync, AQuestionNobodyKnowsGetsAnErrorNotSilence) {
  const Node answer = client.ask(Node(names::kIq, {{"type", "get"}, {"xmlns", "w:unknown"}}));
  ASSERT_NE(answer.child(names::kError), nullptr);
  EXPECT_EQ(answer.child(names::kError)->text_attr("code"), "501");
}

TEST(SimulatorDeviceHash, MatchesTheVectors) {
  const json::Value vectors = test::load_vectors("usync-phash.json");
  int checked = 0;
  const json::Value& cases = vectors.isArray() ? vectors : json::at(vectors, "cases");
  for (const auto& one : cases) {
    std::vector<wire::Jid> jids;
    for (const auto& name : json::at(one, "devices")) {
      jids.push_back(*wire::parse_jid(*json::text_of(name)));
    }
    EXPECT_EQ(device_hash(jids), json::string_at(one, "phash"));
    ++checked;
  }
  EXPECT_GT(checked, 2);
}

}  // namespace
}  // namespace posthorn::simulator
