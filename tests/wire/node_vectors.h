#pragma once

#include <string>
#include <vector>

#include "posthorn/wire/node.h"
#include "wire/wire_support.h"

/// The worked examples of protocol chapter 02: bytes from other implementations' encoders.
namespace posthorn::wire::test {

struct NodeVector {
  std::string name;
  Node node;
  Bytes bytes;
};

inline Jid pn(std::string user, std::uint16_t device = 0) {
  return {std::move(user), std::string(kServerUser), device};
}
inline Jid lid(std::string user, std::uint16_t device = 0) {
  return {std::move(user), std::string(kServerLid), device};
}
inline Jid server_jid() { return {{}, std::string(kServerUser), 0}; }

/// N01 .. N18 except N13 .. N15 (given as checksums) and N10's empty attribute (we leave it out).
inline std::vector<NodeVector> encode_vectors() {
  std::vector<NodeVector> out;
  const auto add = [&out](std::string name, Node node, std::string_view hex) {
    out.push_back({std::move(name), std::move(node), unhex(hex)});
  };
  const auto enc = [](const char* type, std::string_view hex) {
    return Node("enc", {{"v", "2"}, {"type", type}}, unhex(hex));
  };
  add("N01",
      Node("iq", {{"id", "48.113-7"}, {"type", "get"}, {"xmlns", "w:p"}, {"to", server_jid()}}),
      "00f8091908ff0448b113a70429165711fa0003");
  add("N02", Node("iq", {{"to", server_jid()}, {"type", "result"}, {"id", "9001"}}),
      "00f8071911fa0003041408ff029001");
  add("N03", Node("presence", {{"name", "Caixa 1 Ação"}, {"type", "available"}}),
      "00f8051f89fc0e436169786120312041c3a7c3a36f0488");
  add("N04",
      Node("message",
           {{"id", "3EB0A7C4D19F20E6B8"},
            {"to", pn("15550001111")},
            {"type", "text"},
            {"t", "1790000000"}},
           std::vector<Node>{enc("msg", "3308deadbeef")}),
      "00f80a1308fb093eb0a7c4d19f20e6b811faff8615550001111f0304381aff051790000000f801f8061d5145044d"
      "fc063308deadbeef");
  add("N05",
      Node("message",
           {{"id", "3EB0A7C4D19F20E"},
            {"to", Jid{"120363042299887766", std::string(kServerGroup), 0}},
            {"type", "text"}},
           std::vector<Node>{Node("participants", {},
                                  std::vector<Node>{
                                      Node("to", {{"jid", pn("15550001111", 7)}},
                                           std::vector<Node>{enc("pkmsg", "330a")}),
                                      Node("to", {{"jid", lid("98765432101234", 12)}},
                                           std::vector<Node>{enc("msg", "330b")}),
                                      Node("to", {{"jid", lid("98765432101234")}}),
                                  }),
                             enc("skmsg", "33ff00")}),
      "00f8081308fb883eb0a7c4d19f20ef11faff091203630422998877661c0438f802f8026bf803f804110cf70007ff"
      "8615550001111ff801f8061d51450453fc02330af804110cf7010cff0798765432101234f801f8061d5145044dfc"
      "02330bf803110cfaff079876543210123476f8061d51450432fc0333ff00");
  add("N06",
      Node("ack", {{"class", "receipt"},
                   {"id", "3EB0-x"},
                   {"to", pn("15550001111")},
                   {"type", "retry"},
                   {"participant", Jid{"77000000000001", std::string(kServerHostedLid), 3}}}),
      "00f80b1b150708fc06334542302d7811faff8615550001111f0304ec0b05f78103ff0777000000000001");
  add("N07",
      Node("receipt",
           {{"id", "ABCDEF"},
            {"to", Jid{"15550002222", std::string(kServerHosted), 99}},
            {"type", "read"},
            {"t", "1790000001"}},
           std::vector<Node>{Node("list", {},
                                  std::vector<Node>{Node("item", {{"id", "ABCDE"}}),
                                                    Node("item", {{"id", "abcdef"}})})}),
      "00f80a0708fb03abcdef11f78063ff8615550002222f042a1aff051790000001f801f80271f802f8033f08fb83ab"
      "cdeff8033f08fc06616263646566");
  add("N08",
      Node("notification",
           {{"type", "encrypt"}, {"from", server_jid()}, {"id", "77"}, {"t", "1790000002"}},
           std::vector<Node>{Node("count", {{"value", "4"}})}),
      "00f80a0904cb06fa000308ff01771aff051790000002f801f803416cec22");
  add("N09",
      Node("ib", {},
           std::vector<Node>{Node("edge_routing", {},
                                  std::vector<Node>{Node("routing_info", {}, unhex("0a1b2c3d"))})}),
      "00f802fc026962f801f80228f801f80227fc040a1b2c3d");
  add("N10 without its empty attribute",
      Node("x-test", {{"dot", "."},
                      {"dash", "-"},
                      {"odd", "1.2-3"},
                      {"hexodd", "A1B"},
                      {"tokenlike", "0"},
                      {"sp", "a b"}}),
      "00f80dfc06782d74657374fc03646f74ecccfc0464617368edf7fc036f6464ff831b2a3ffc066865786f6464fb82"
      "a1bffc09746f6b656e6c696b652dfc027370fc03612062");
  add("N11",
      Node("chatstate",
           {{"to", Jid{"status", std::string(kServerBroadcast), 0}},
            {"from", Jid{"123456789012345678", std::string(kServerNewsletter), 0}}},
           std::vector<Node>{Node("composing", {{"media", "audio"}})}),
      "00f8062e11fa0b0d06faff09123456789012345678fc0a6e6577736c6574746572f801f8033437a1");
  add("N12",
      Node("iq", {{"id", "5"}, {"type", "set"}, {"xmlns", "encrypt"}, {"to", server_jid()}},
           std::vector<Node>{
               Node("registration", {}, unhex("00002bcd")), Node("type", {}, unhex("05")),
               Node("list", {},
                    std::vector<Node>{
                        Node("key", {},
                             std::vector<Node>{Node("id", {}, unhex("000001")),
                                               Node("value", {}, Bytes(32, std::byte{0xa5}))})})}),
      "00f80a1908ec79045a16cb11fa0003f803f802adfc0400002bcdf80204fc0105f80271f801f8029ef802f80208fc"
      "03000001f8026cfc20a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5");
  add("N16",
      Node("call", {{"to", Jid{"15550001111", std::string(kServerLegacyUser), 0}}, {"id", "F0"}},
           std::vector<Node>{Node(
               "reject",
               {{"call-id", "DEADBEEF00"}, {"call-creator", pn("15550001111")}, {"count", "0"}})}),
      "00f8066411faff8615550001111ffc04632e757308fb01f0f801f807ed0068fb05deadbeef0047faff8615550001"
      "111f03412d");
  add("N17",
      Node("iq", {{"id", "12"}, {"type", "set"}, {"xmlns", "md"}, {"to", server_jid()}},
           std::vector<Node>{
               Node("link_code_companion_reg",
                    {{"jid", pn("15550001111")},
                     {"stage", "companion_hello"},
                     {"should_show_push_notification", "true"}},
                    std::vector<Node>{Node("companion_platform_id", {}, unhex("31")),
                                      Node("link_code_pairing_nonce", {}, unhex("00"))})}),
      "00f80a1908cf045a16fc026d6411fa0003f801f808fc176c696e6b5f636f64655f636f6d70616e696f6e5f726567"
      "0cfaff8615550001111f03ec8bfc0f636f6d70616e696f6e5f68656c6c6ffc1d73686f756c645f73686f775f7075"
      "73685f6e6f74696669636174696f6e9bf802f802fc15636f6d70616e696f6e5f706c6174666f726d5f6964fc0131"
      "f802fc176c696e6b5f636f64655f70616972696e675f6e6f6e6365fc0100");
  add("N18", Node("b", {}, Bytes()), "00f802fc0162fc00");
  return out;
}

/// D01 .. D12: forms that decoders meet and our encoder does not make.
inline std::vector<NodeVector> decode_vectors() {
  std::vector<NodeVector> out;
  const auto add = [&out](std::string name, Node node, std::string_view hex) {
    out.push_back({std::move(name), std::move(node), unhex(hex)});
  };
  const auto message_to = [](Jid jid) { return Node("message", {{"to", std::move(jid)}}); };
  add("D01", message_to({"123456", "msgr", 2}), "00f8031311f6ff031234560002fc046d736772");
  add("D02", Node("xmlstreamend"), "00f80102");
  add("D03", message_to(lid("98765432101234", 12)), "00f8031311f7010cff0798765432101234");
  add("D04", Node("item", {}, unhex("74")), "00f8023f1a");
  add("D05", Node("item", {}, unhex("31323334")), "00f8023fff021234");
  add("D06", Node("value"), "00f8026c00");
  add("D07", Node("value"), "00f8026cf800");
  add("D08", message_to(pn("1234", 7)), "00f8031311f70207ff021234");
  add("D09", message_to({"1234", std::string(kServerHosted), 99}), "00f8031311f78063ff021234");
  add("D10", Node("value", {}, unhex("010203")), "00f8026cfe00000003010203");
  add("D11", Node("item", {{"id", "ABCD"}}), "00f900033f08fb02abcd");
  add("D12", message_to({"5-123456", "interop", 2}),
      "00f8031311f5ff0312345600020005fc07696e7465726f70");
  add("D13, zlib, bare server as a token",
      Node("iq", {{"id", "48.113-7"}, {"type", "get"}, {"xmlns", "w:p"}, {"to", "s.whatsapp.net"}}),
      "0278dafbc129c9f19fc563a3f072164db1704166002e960487");
  add("N10, empty attribute",
      Node("x-test", {{"empty", ""},
                      {"dot", "."},
                      {"dash", "-"},
                      {"odd", "1.2-3"},
                      {"hexodd", "A1B"},
                      {"tokenlike", "0"},
                      {"sp", "a b"}}),
      "00f80ffc06782d74657374fc05656d707479fc00fc03646f74ecccfc0464617368edf7fc036f6464ff831b2a3ffc"
      "066865786f6464fb82a1bffc09746f6b656e6c696b652dfc027370fc03612062");
  return out;
}

}  // namespace posthorn::wire::test
