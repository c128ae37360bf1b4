#include "posthorn/wire/node.h"

#include <gtest/gtest.h>

namespace posthorn::wire {
namespace {

const Jid kBob{"1234", "s.whatsapp.net", 7};

TEST(Node, ReadsAttributesAsTheCallerNeedsThem) {
  const Node node("message", {{"from", kBob}, {"participant", "5@lid"}, {"t", "1790000000"}});
  EXPECT_EQ(node.attr("from"), "1234:7@s.whatsapp.net");
  EXPECT_EQ(node.jid_attr("from"), kBob);
  EXPECT_EQ(node.jid_attr("participant"), (Jid{"5", "lid", 0}));
  EXPECT_EQ(node.int_attr("t"), 1'790'000'000);
  EXPECT_EQ(node.text_attr("t"), "1790000000");
  EXPECT_TRUE(node.has_attr("t"));

  EXPECT_FALSE(node.attr("id"));
  EXPECT_FALSE(node.jid_attr("t"));
  EXPECT_FALSE(node.jid_attr("id"));
  EXPECT_FALSE(node.int_attr("from"));
  EXPECT_FALSE(node.int_attr("participant"));
  EXPECT_EQ(node.text_attr("id"), "");
  EXPECT_FALSE(node.has_attr("id"));
}

TEST(Node, RefusesNumbersThatAreNotWhole) {
  for (const char* text : {"", " 1", "1 ", "1x", "+1", "99999999999999999999"}) {
    EXPECT_FALSE(Node("iq", {{"t", text}}).int_attr("t")) << text;
  }
  EXPECT_EQ(Node("iq", {{"t", "-5"}}).int_attr("t"), -5);
}

TEST(Node, SetsAndRemovesAttributes) {
  Node node("iq", {{"id", "1"}, {"to", kBob}});
  node.set_attr("id", std::string("2"));
  node.set_attr("type", std::string("get"));
  node.remove_attr("to");
  node.remove_attr("absent");
  EXPECT_EQ(node, Node("iq", {{"id", "2"}, {"type", "get"}}));
}

TEST(Node, FindsChildrenAndBytes) {
  const Node node("list", {}, std::vector<Node>{Node("item", {{"id", "a"}}), Node("item")});
  ASSERT_NE(node.child("item"), nullptr);
  EXPECT_EQ(node.child("item")->text_attr("id"), "a");
  EXPECT_EQ(node.child("other"), nullptr);
  EXPECT_EQ(node.children().size(), 2U);
  EXPECT_TRUE(node.bytes().empty());

  const Node bytes("ref", {}, to_bytes("x"));
  EXPECT_TRUE(bytes.children().empty());
  EXPECT_EQ(as_text(bytes.bytes()), "x");
}

TEST(Node, PrintsForLogsWithoutSecrets) {
  EXPECT_EQ(to_xml(Node("iq", {{"id", "7"}, {"to", kBob}}, std::vector<Node>{Node("ping")})),
            "<iq id=\"7\" to=\"1234:7@s.whatsapp.net\"><ping/></iq>");
  EXPECT_EQ(to_xml(Node("type", {}, Bytes{std::byte{5}})), "<type>05</type>");
  EXPECT_EQ(to_xml(Node("value", {}, Bytes(9, std::byte{0xab}))),
            "<value>abababababababab… (9 bytes)</value>");
  for (const char* tag : {"enc", "device-identity", "routing_info", "link_code_pairing_ref"}) {
    const std::string text = to_xml(Node(tag, {}, Bytes(4, std::byte{0xab})));
    EXPECT_EQ(text.find("ab"), std::string::npos) << text;
    EXPECT_NE(text.find("(4 bytes)"), std::string::npos) << text;
  }
  EXPECT_EQ(to_xml(Node("a", {{"b", "<&\"\n\x7f"}})), "<a b=\"&lt;&amp;&quot;\\x0a\\x7f\"/>");
}

}  // namespace
}  // namespace posthorn::wire
