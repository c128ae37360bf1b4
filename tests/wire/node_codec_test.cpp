#include "posthorn/wire/node_codec.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

#include "posthorn/base/crypto.h"
#include "posthorn/base/json.h"
#include "posthorn/wire/token_tables.h"
#include "support/vectors.h"
#include "wire/node_vectors.h"

namespace posthorn::wire {
namespace {

using test::unhex;

std::string sha256_hex(ByteView bytes) { return hex_encode(crypto::sha256(bytes)); }

Bytes encoded(const Node& node) {
  const Result<Bytes> frame = encode_frame(node);
  EXPECT_TRUE(frame) << frame.error().detail;
  return frame ? *frame : Bytes();
}

void expect_malformed(ByteView frame, const std::string& what) {
  const Result<Node> node = decode_frame(frame);
  ASSERT_FALSE(node) << what << ": " << to_xml(*node);
  EXPECT_EQ(node.error().code, Errc::malformed) << what;
}

TEST(NodeCodec, EncodesTheWorkedExamplesByteForByte) {
  for (const auto& vector : test::encode_vectors()) {
    EXPECT_EQ(hex_encode(encoded(vector.node)), hex_encode(vector.bytes)) << vector.name;
  }
}

TEST(NodeCodec, DecodesTheWorkedExamples) {
  auto vectors = test::encode_vectors();
  for (auto& vector : test::decode_vectors()) vectors.push_back(std::move(vector));
  for (const auto& vector : vectors) {
    std::size_t left_over = 99;
    const Result<Node> node = decode_frame(vector.bytes, &left_over);
    ASSERT_TRUE(node) << vector.name << ": " << node.error().detail;
    EXPECT_EQ(*node, vector.node) << vector.name << ": " << to_xml(*node);
    EXPECT_EQ(left_over, 0U) << vector.name;
  }
}

TEST(NodeCodec, EncodesLongBytesAsBinary20) {  // N13
  const Bytes frame = encoded(Node("b", {}, Bytes(256, std::byte{0x5a})));
  EXPECT_EQ(frame.size(), 266U);
  EXPECT_EQ(sha256_hex(frame), "3a3539837e1d7fd5574e0597a2274f33c9ca816948199af43ef2c445b75e81bc");
}

TEST(NodeCodec, EncodesLongListsAsList16) {  // N14
  const Bytes frame = encoded(Node("list", {}, std::vector<Node>(300, Node("item"))));
  EXPECT_EQ(frame.size(), 907U);
  EXPECT_EQ(sha256_hex(frame), "7828e667493ee3b46bff85b2b86070423ca0042c96ce67d11ecfd17e38167d7c");
}

TEST(NodeCodec, PacksUpTo127Symbols) {  // N15
  const Bytes frame =
      encoded(Node("x-test", {{"a", std::string(127, '1')}, {"b", std::string(128, '1')}}));
  EXPECT_EQ(frame.size(), 213U);
  EXPECT_EQ(sha256_hex(frame), "c5c688c11daa32f0002861ed23a5b415ffba229b762f25dfdd156be45bc3e3a1");
}

TEST(NodeCodec, EncodesMegabytesAsBinary32) {
  const Node node("b", {}, Bytes((std::size_t{1} << 20) + 3, std::byte{7}));
  const Bytes frame = encoded(node);
  EXPECT_EQ(hex_encode(ByteView(frame).first(11)), "00f802fc0162fe00100003" + std::string());
  const Result<Node> back = decode_frame(frame);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, node);
}

/// The stanza trees of chapter 06's reference builder; attributes are text there.
Node tree_from_json(const Json::Value& value) {
  Node node(value["tag"].asString());
  for (const auto& name : value["attrs"].getMemberNames()) {
    const std::string text = value["attrs"][name].asString();
    const Result<Jid> jid = parse_jid(text);
    if (text.find('@') != std::string::npos && jid) {
      node.attrs.emplace_back(name, *jid);
    } else {
      node.attrs.emplace_back(name, text);
    }
  }
  if (value.isMember("bytes")) node.content = *hex_decode(value["bytes"].asString());
  for (const auto& child : value["children"]) {
    node.mutable_children().push_back(tree_from_json(child));
  }
  return node;
}

TEST(NodeCodec, RoundTripsEveryReferenceStanza) {
  const json::Value root = posthorn::test::load_vectors("stanzas.json");
  const json::Value& stanzas = root["stanzas"];
  ASSERT_GT(stanzas.size(), 10U);
  for (const auto& name : stanzas.getMemberNames()) {
    const Node node = tree_from_json(stanzas[name]);
    for (const auto compression : {Compression::none, Compression::zlib}) {
      const Result<Bytes> frame = encode_frame(node, compression);
      ASSERT_TRUE(frame) << name;
      EXPECT_EQ((*frame)[0], compression == Compression::none ? std::byte{0} : std::byte{2});
      const Result<Node> back = decode_frame(*frame);
      ASSERT_TRUE(back) << name << ": " << back.error().detail;
      EXPECT_EQ(*back, node) << name;
    }
  }
}

/// Makes trees of every form that we encode.
class TreeMaker {
 public:
  explicit TreeMaker(unsigned seed) : chance_(seed) {}

  Node node(int depth) {
    Node out(text(1));
    const std::size_t attrs = below(6);
    for (std::size_t i = 0; i < attrs; ++i) {
      if (below(3) == 0) {
        out.set_attr(text(1), jid());
      } else {
        out.set_attr(text(1), text(1));
      }
    }
    switch (below(depth > 0 ? 3 : 2)) {
      case 0:
        break;
      case 1:
        out.content = Bytes(below(600), static_cast<std::byte>(below(256)));
        break;
      default:
        for (std::size_t i = 1 + below(5); i > 0; --i) {
          out.mutable_children().push_back(node(depth - 1));
        }
    }
    return out;
  }

 private:
  std::size_t below(std::size_t limit) { return chance_() % limit; }

  std::string from(std::string_view alphabet, std::size_t size) {
    std::string out(size, ' ');
    for (char& c : out) c = alphabet[below(alphabet.size())];
    return out;
  }

  std::string text(std::size_t shortest) {
    const std::size_t size = shortest + below(below(10) == 0 ? 300 : 20);
    switch (below(5)) {
      case 0:
        return std::string(kSingleTokens[1 + below(kSingleTokenCount - 1)]);
      case 1:
        return std::string(kDoubleTokens[below(4)][below(256)]);
      case 2:
        return from("0123456789-.", size);
      case 3:
        return from("0123456789ABCDEF", size);
      default:
        return from("abcxyz-_:. 0123AF\xc3\xa7", size);
    }
  }

  Jid jid() {
    constexpr std::string_view kWithDevice[] = {kServerUser, kServerLid, kServerHosted,
                                                kServerHostedLid, "msgr"};
    constexpr std::string_view kWithout[] = {kServerGroup,      kServerBroadcast, kServerNewsletter,
                                             kServerLegacyUser, "call",           "bot"};
    const std::string user = from("0123456789", 1 + below(18));
    if (below(2) == 0) return {user, std::string(kWithout[below(6)]), 0};
    return {user, std::string(kWithDevice[below(5)]), static_cast<std::uint16_t>(below(256))};
  }

  std::mt19937 chance_;
};

TEST(NodeCodec, RoundTripsRandomTrees) {
  TreeMaker make(20261122);
  for (int round = 0; round < 2000; ++round) {
    const Node node = make.node(4);
    const Result<Bytes> frame = encode_frame(node);
    ASSERT_TRUE(frame) << round << ": " << frame.error().detail;
    const Result<Node> back = decode_frame(*frame);
    ASSERT_TRUE(back) << round << ": " << back.error().detail;
    ASSERT_EQ(*back, node) << round << ": " << to_xml(node);
  }
}

TEST(NodeCodec, RefusesEveryTruncation) {
  auto vectors = test::encode_vectors();
  for (auto& vector : test::decode_vectors()) vectors.push_back(std::move(vector));
  for (const auto& vector : vectors) {
    for (std::size_t size = 0; size < vector.bytes.size(); ++size) {
      expect_malformed(ByteView(vector.bytes).first(size),
                       vector.name + " cut at " + std::to_string(size));
    }
  }
}

TEST(NodeCodec, SurvivesRandomMutations) {
  std::mt19937 chance(2026);
  std::size_t decoded = 0;
  std::size_t refused = 0;
  for (const auto& vector : test::encode_vectors()) {
    for (int round = 0; round < 1000; ++round) {
      Bytes bytes = vector.bytes;
      const std::size_t changes = 1 + chance() % 4;
      for (std::size_t i = 0; i < changes; ++i) {
        bytes[chance() % bytes.size()] = static_cast<std::byte>(chance());
      }
      const Result<Node> node = decode_frame(bytes);
      if (!node) {
        ASSERT_EQ(node.error().code, Errc::malformed);
        ++refused;
        continue;
      }
      // What decodes can be printed, and what encodes again decodes to the same tree.
      ++decoded;
      EXPECT_FALSE(to_xml(*node).empty());
      const Result<Bytes> again = encode_frame(*node);
      if (!again) continue;
      ASSERT_TRUE(decode_frame(*again)) << hex_encode(bytes);
    }
  }
  EXPECT_GT(decoded, 500U);
  EXPECT_GT(refused, 500U);
}

TEST(NodeCodec, RefusesMalformedShapes) {
  const std::pair<const char*, const char*> shapes[] = {
      {"nothing", ""},
      {"flag alone", "00"},
      {"compressed flag alone", "02"},
      {"list without size", "00f8"},
      {"empty list", "00f800"},
      {"LIST_EMPTY as node", "0000"},
      {"string as node", "003f"},
      {"unassigned tag byte", "00f801f0"},
      {"nil tag", "00f80100"},
      {"nil tag with content", "00f80200"},
      {"empty tag", "00f801fc00"},
      {"JID as tag", "00f801fa0003"},
      {"binary over the end", "00fd0fffff"},
      {"binary32 over the end", "00f8026cfeffffffff00"},
      {"list as attribute key", "00f8033ff80108"},
      {"empty attribute key", "00f8033ffc0008"},
      {"nil attribute key", "00f8033f0008"},
      {"JID as attribute key", "00f8033ffa000308"},
      {"nibble 12", "00f8033f08ff02c512"},  // D14
      {"nibble 15 in the middle", "00f8033f08ff02f512"},
      {"packed odd of length 0", "00f8033f08ff80"},
      {"JID pair without server", "00f8031311faff02123400"},
      {"JID pair with empty server", "00f8031311faff021234fc00"},
      {"JID inside a JID", "00f8031311fafa000303"},
      {"AD JID without user", "00f8031311f7000700"},
      {"FB JID with another server", "00f8031311f6ff03123456000203"},
      {"interop JID with another server", "00f8031311f5ff031234560002000503"},
      {"more children than bytes", "00f8026cf9ffff00"},
      {"more attributes than bytes", "00f9fffd6c"},
  };
  for (const auto& [what, hex] : shapes) expect_malformed(unhex(hex), what);
}

TEST(NodeCodec, IgnoresBytesBehindTheNodeAndCountsThem) {
  std::size_t left_over = 0;
  const Result<Node> node = decode_frame(unhex("00f80102aabbcc"), &left_over);
  ASSERT_TRUE(node);
  EXPECT_EQ(node->tag, "xmlstreamend");
  EXPECT_EQ(left_over, 3U);
}

TEST(NodeCodec, TreatsNilAttributesAsAbsent) {
  const Result<Node> node = decode_frame(unhex("00f8053f08000413"));
  ASSERT_TRUE(node) << node.error().detail;
  EXPECT_EQ(*node, Node("item", {{"type", "message"}}));
}

TEST(NodeCodec, KeepsTheLastOfTwoEqualKeys) {
  const Result<Node> node = decode_frame(unhex("00f8053f08fa000308ff021234"));
  ASSERT_TRUE(node) << node.error().detail;
  EXPECT_EQ(*node, Node("item", {{"id", "1234"}}));
}

TEST(NodeCodec, StopsAtTheDepthLimit) {
  const auto nested = [](std::size_t depth) {
    Node node("item");
    for (std::size_t i = 1; i < depth; ++i) {
      Node outer("item");
      outer.mutable_children().push_back(std::move(node));
      node = std::move(outer);
    }
    return node;
  };
  const Node deepest = nested(kMaxNodeDepth);
  const Result<Node> back = decode_frame(encoded(deepest));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, deepest);
  EXPECT_FALSE(encode_frame(nested(kMaxNodeDepth + 1)));

  Bytes thousand{std::byte{0}};
  for (int i = 0; i < 1000; ++i) append(thousand, unhex("f80262f801"));
  expect_malformed(thousand, "1000 levels");
  Bytes tags{std::byte{0}};
  for (int i = 0; i < 1000; ++i) append(tags, unhex("f80262"));
  expect_malformed(tags, "lists as content");
}

TEST(NodeCodec, RefusesGarbageBehindTheCompressedFlag) {
  std::mt19937 chance(7);
  for (int round = 0; round < 200; ++round) {
    Bytes frame(33);
    for (std::byte& b : frame) b = static_cast<std::byte>(chance());
    frame[0] = std::byte{2};
    expect_malformed(frame, "random zlib");
  }
}

TEST(NodeCodec, StopsADecompressionBomb) {
  const Bytes zeros(kMaxInflatedBytes + (std::size_t{1} << 20));
  uLongf size = compressBound(static_cast<uLong>(zeros.size()));
  Bytes frame(1 + size);
  frame[0] = std::byte{2};
  ASSERT_EQ(
      compress2(reinterpret_cast<Bytef*>(frame.data() + 1), &size,
                reinterpret_cast<const Bytef*>(zeros.data()), static_cast<uLong>(zeros.size()), 9),
      Z_OK);
  frame.resize(1 + size);
  const Result<Node> node = decode_frame(frame);
  ASSERT_FALSE(node);
  EXPECT_NE(node.error().detail.find("limit"), std::string::npos) << node.error().detail;
}

TEST(NodeCodec, BoundsWhatSmallInputBecomes) {
  // 16 MiB of the smallest nodes would otherwise be half a gigabyte of trees.
  Bytes lists{std::byte{0}};
  append(lists, unhex("f8026cf80a"));
  for (int i = 0; i < 10; ++i) {
    append(lists, unhex("f8026cf9ffff"));
    for (int child = 0; child < 65535; ++child) append(lists, unhex("f8013f"));
  }
  const Result<Node> node = decode_frame(lists);
  ASSERT_FALSE(node);
  EXPECT_NE(node.error().detail.find("too many elements"), std::string::npos);
}

TEST(NodeCodec, RefusesToEncodeWhatHasNoForm) {
  const auto refuse = [](const Node& node) {
    Bytes out = unhex("aa");
    const Result<void> written = encode_node(node, out);
    ASSERT_FALSE(written) << to_xml(node);
    EXPECT_EQ(written.error().code, Errc::malformed);
    EXPECT_EQ(out, unhex("aa")) << "half a node was left behind";
  };
  refuse(Node(""));
  refuse(Node("iq", {{"", "x"}}));
  refuse(Node("iq", {{"to", Jid{"1234", std::string(kServerUser), 256}}}));
  refuse(Node("iq", {{"to", Jid{"", std::string(kServerLid), 3}}}));
  refuse(Node("iq", {{"to", Jid{"1234", std::string(kServerGroup), 3}}}));
  refuse(Node("iq", {{"to", Jid{"1234", "", 0}}}));
  refuse(Node("iq", {{"to", Jid{"nointegrator", "interop", 0}}}));
  refuse(Node("list", {}, std::vector<Node>(kMaxChildren + 1, Node("item"))));
  Node wide("iq");
  for (int i = 0; i < 300; ++i) wide.attrs.emplace_back("k" + std::to_string(i), "v");
  refuse(wide);
}

TEST(NodeCodec, EchoesForeignJids) {
  for (const Jid& jid : {Jid{"123456", "msgr", 2}, Jid{"5-123456", "interop", 2},
                         Jid{"", std::string(kServerUser), 0}}) {
    const Node node("ack", {{"to", jid}});
    const Result<Node> back = decode_frame(encoded(node));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, node) << to_string(jid);
  }
}

TEST(NodeCodec, LeavesOutEmptyAttributesAndEmptyChildLists) {
  Node node("item", {{"id", ""}, {"to", Jid()}});
  node.content = std::vector<Node>();
  EXPECT_EQ(hex_encode(encoded(node)), "00f8013f");
}

}  // namespace
}  // namespace posthorn::wire
