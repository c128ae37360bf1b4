#include "posthorn/wire/channel.h"

#include <gtest/gtest.h>

#include "wire/handshake_vectors.h"
#include "wire/http_upgrade.h"
#include "wire/node_vectors.h"

namespace posthorn::wire {
namespace {

using test::kNow;
using test::ScriptedRandom;
using test::unhex;
using Framing = ServerChannel::Framing;

/// Both ends with their bytes carried by hand, in pieces of `chunk`.
struct Line {
  ScriptedRandom random;
  ClientChannel client;
  ServerChannel server;
  std::size_t chunk;

  explicit Line(ClientChannelOptions options = {{}, test::client_identity(), {}},
                ServerIdentity identity = test::server_identity(), std::size_t chunk_bytes = 65536)
      : client(std::move(options), random),
        server({"/ws/chat", std::move(identity)}, random),
        chunk(chunk_bytes) {}

  Result<void> to_server() {
    return in_chunks(client.take_output(), [this](ByteView b) { return server.feed(b); });
  }
  Result<void> to_client() {
    return in_chunks(server.take_output(), [this](ByteView b) { return client.feed(b, kNow); });
  }
  Result<void> exchange() {
    for (int i = 0; i < 4; ++i) {
      TRY(to_server());
      TRY(to_client());
    }
    return {};
  }

 private:
  template <class Feed>
  Result<void> in_chunks(const Bytes& bytes, Feed feed) {
    for (std::size_t at = 0; at < bytes.size(); at += chunk) {
      TRY(feed(ByteView(bytes).subspan(at, std::min(chunk, bytes.size() - at))));
    }
    return {};
  }
};

template <class Channel>
std::vector<Node> nodes_of(Channel& channel) {
  std::vector<Node> out;
  while (auto node = channel.next()) {
    EXPECT_TRUE(*node) << node->error().detail;
    if (*node) out.push_back(std::move(**node));
  }
  return out;
}

std::vector<Node> example_nodes() {
  std::vector<Node> out;
  for (auto& vector : test::encode_vectors()) out.push_back(std::move(vector.node));
  out.emplace_back("value", std::vector<Attr>{}, Bytes(100'000, std::byte{9}));
  return out;
}

TEST(Channel, CarriesNodesInEveryFramingAndChunkSize) {
  const std::vector<Node> nodes = example_nodes();
  for (const Framing framing :
       {Framing::one_per_message, Framing::merged, Framing::split, Framing::fragmented}) {
    for (const std::size_t chunk : {1U, 7U, 1000U, 65536U}) {
      Line line({{}, test::client_identity(), {}}, test::server_identity(), chunk);
      line.server.set_framing(framing);
      ASSERT_TRUE(line.exchange());
      ASSERT_TRUE(line.client.handshake_done());
      ASSERT_TRUE(line.server.handshake_done());
      EXPECT_EQ(as_text(line.server.client_payload()), as_text(test::kPayload));
      EXPECT_EQ(line.server.client_key(), test::kClientStatic.public_key);
      for (const Node& node : nodes) {
        ASSERT_TRUE(line.client.send(node));
        ASSERT_TRUE(line.server.send(node));
      }
      ASSERT_TRUE(line.exchange());
      EXPECT_EQ(nodes_of(line.server), nodes);
      EXPECT_EQ(nodes_of(line.client), nodes);
    }
  }
}

TEST(Channel, SendsTheBytesOfTheWorkedExample) {
  // The whole stack with fixed keys: mask 0, so that the payload of each message can be read.
  // Draws: the upgrade's nonce, the ephemeral key, then masks.
  ScriptedRandom random(concat({Bytes(16), test::kClientEphemeral.private_key, Bytes(64)}));
  ClientChannel client({{}, test::client_identity(), unhex("0a1b2c3d")}, random);
  EXPECT_FALSE(client.take_output().empty());
  const std::string key = base64_encode(Bytes(16));
  ASSERT_TRUE(client.feed(as_bytes("HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                   "Sec-WebSocket-Accept: " +
                                   accept_value(key) + "\r\n\r\n"),
                          kNow));
  EXPECT_EQ(hex_encode(client.take_output()),
            "82b600000000"
            "454400010000040a1b2c3d" +
                hex_encode(test::kXxFirstMessage));
  Bytes answer = unhex("827e015d00015a");
  append(answer, test::kXxServerHello);
  append(answer, unhex("8217 0000147351e47e9739fcb293f52bb895d153aa11cecd55"));
  ASSERT_TRUE(client.feed(answer, kNow));
  EXPECT_EQ(hex_encode(client.take_output()), "82e300000000" + hex_encode(test::kXxFinishFrame));
  EXPECT_EQ(nodes_of(client), std::vector<Node>{Node("xmlstreamend")});
}

TEST(Channel, GivesRoutingInfoToTheServer) {
  Line line({{}, test::client_identity(), unhex("0a1b2c3d")});
  line.chunk = 1;
  ASSERT_TRUE(line.exchange());
  EXPECT_TRUE(line.server.handshake_done());
  EXPECT_EQ(hex_encode(line.server.routing_info()), "0a1b2c3d");
}

TEST(Channel, ResumesWithAKnownKeyAndFallsBackWithoutIt) {
  for (const bool key_is_right : {true, false}) {
    ClientChannelOptions options{{}, test::client_identity(), {}};
    options.identity.known_server_key =
        key_is_right ? test::kServerStatic.public_key : test::kTestRoot.public_key;
    Line line(std::move(options));
    ASSERT_TRUE(line.exchange());
    EXPECT_TRUE(line.client.handshake_done());
    EXPECT_EQ(line.client.resumed(), key_is_right);
    EXPECT_EQ(line.server.resumed(), key_is_right);
    EXPECT_EQ(line.client.certificate().has_value(), !key_is_right);
    ASSERT_TRUE(line.client.send(Node("iq")));
    ASSERT_TRUE(line.to_server());
    EXPECT_EQ(nodes_of(line.server), std::vector<Node>{Node("iq")});
  }
}

TEST(Channel, DecodesCompressedStanzas) {
  Line line;
  ASSERT_TRUE(line.exchange());
  const std::vector<Node> nodes = example_nodes();
  for (const Node& node : nodes) ASSERT_TRUE(line.server.send(node, Compression::zlib));
  ASSERT_TRUE(line.to_client());
  EXPECT_EQ(nodes_of(line.client), nodes);
}

TEST(Channel, RefusesEveryWrongCertificate) {
  for (const ChainFlaw flaw : kAllChainFlaws) {
    const ChainRecipe recipe{test::kTestRoot,  test::kIntermediate, test::kServerStatic.public_key,
                             test::kNotBefore, test::kNotAfter,     flaw};
    Line line({{}, test::client_identity(), {}},
              {test::kServerStatic, build_certificate_chain(recipe, test::xeddsa_sign), true});
    const auto done = line.exchange();
    ASSERT_FALSE(done) << to_string(flaw);
    EXPECT_EQ(done.error().code, Errc::crypto) << to_string(flaw);
    EXPECT_FALSE(line.client.handshake_done());
    EXPECT_FALSE(line.server.handshake_done()) << "no ClientFinish may leave: it names us";
    EXPECT_FALSE(line.client.send(Node("iq")));
    EXPECT_EQ(line.client.feed(as_bytes("x"), kNow).error().code, Errc::disconnected);
  }
}

TEST(Channel, GoesOnAfterAStanzaThatCannotBeDecoded) {
  Line line;
  ASSERT_TRUE(line.exchange());
  ASSERT_TRUE(line.server.send_plaintext(unhex("00f801f0")));
  ASSERT_TRUE(line.server.send_plaintext({}));
  ASSERT_TRUE(line.server.send(Node("iq")));
  ASSERT_TRUE(line.to_client());
  for (int i = 0; i < 2; ++i) {
    const auto bad = line.client.next();
    ASSERT_TRUE(bad);
    ASSERT_FALSE(*bad);
    EXPECT_EQ(bad->error().code, Errc::malformed);
  }
  EXPECT_EQ(nodes_of(line.client), std::vector<Node>{Node("iq")});
}

TEST(Channel, DiesOfAWrongTag) {
  Line line;
  ASSERT_TRUE(line.exchange());
  ASSERT_TRUE(line.server.send(Node("iq")));
  Bytes bytes = line.server.take_output();
  bytes.back() ^= std::byte{1};
  const auto fed = line.client.feed(bytes, kNow);
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, Errc::malformed);
  EXPECT_FALSE(line.client.next());
  EXPECT_EQ(line.client.send(Node("iq")).error().code, Errc::disconnected);
}

TEST(Channel, KeepsStanzasThatCameWithTheClose) {
  Line line;
  ASSERT_TRUE(line.exchange());
  ASSERT_TRUE(line.server.send(Node("failure", {{"reason", "401"}})));
  line.server.close();
  const auto fed = line.to_client();
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, Errc::disconnected);
  EXPECT_EQ(nodes_of(line.client), std::vector<Node>{Node("failure", {{"reason", "401"}})});
}

TEST(Channel, ClosesInOrderFromTheClient) {
  Line line;
  ASSERT_TRUE(line.exchange());
  ASSERT_TRUE(line.client.send(Node("presence")));
  line.client.close();
  EXPECT_EQ(line.client.send(Node("iq")).error().code, Errc::disconnected);
  const auto heard = line.to_server();
  ASSERT_FALSE(heard);
  EXPECT_EQ(heard.error().code, Errc::disconnected);
  EXPECT_TRUE(line.server.closed());
  EXPECT_EQ(nodes_of(line.server), std::vector<Node>{Node("presence")});
}

TEST(Channel, RefusesToSendTooEarlyAndTooMuch) {
  Line line;
  EXPECT_EQ(line.client.send(Node("iq")).error().code, Errc::disconnected);
  EXPECT_EQ(line.server.send(Node("iq")).error().code, Errc::disconnected);
  ASSERT_TRUE(line.exchange());
  EXPECT_EQ(line.client.send(Node("value", {}, Bytes(std::size_t{1} << 24))).error().code,
            Errc::malformed);
  ASSERT_TRUE(line.client.send(Node("iq"))) << "nothing was queued, the counter did not move";
  ASSERT_TRUE(line.to_server());
  EXPECT_EQ(nodes_of(line.server), std::vector<Node>{Node("iq")});
}

TEST(Channel, CarriesTheLargestFrame) {
  Line line;
  ASSERT_TRUE(line.exchange());
  const Node large("value", {}, Bytes((std::size_t{1} << 24) - 64, std::byte{3}));
  ASSERT_TRUE(line.server.send(large));
  ASSERT_TRUE(line.to_client());
  const auto node = line.client.next();
  ASSERT_TRUE(node && *node);
  EXPECT_EQ(**node, large);
}

/// Feeds a raw first WebSocket message to a server.
Result<void> server_gets(ByteView first_message) {
  ScriptedRandom random;
  const auto socket = WebSocket::client({}, random);
  ServerChannel server({"/ws/chat", test::server_identity()}, random);
  TRY(server.feed(socket->take_output()));
  TRY(socket->feed(server.take_output()));
  socket->send(first_message);
  const Result<void> fed = server.feed(socket->take_output());
  if (!fed) {
    EXPECT_TRUE(server.closed());
    const auto closed = socket->feed(server.take_output());
    EXPECT_FALSE(closed);
    EXPECT_NE(closed.error().detail.find("1011"), std::string::npos);
  }
  return fed;
}

TEST(Channel, ServerClosesWith1011OnWrongFirstBytes) {
  EXPECT_TRUE(server_gets(test::kXxFirstMessage));
  EXPECT_TRUE(server_gets(unhex("57410602")));
  EXPECT_TRUE(server_gets(unhex("4544000100")));
  for (const char* hex : {"57410604", "57410601", "57410503", "00000000", "ED000100",
                          "45440001ffffff", "57410603 000001ff", "47455420"}) {
    const auto fed = server_gets(unhex(hex));
    ASSERT_FALSE(fed) << hex;
    EXPECT_EQ(fed.error().code, Errc::malformed) << hex;
  }
}

TEST(Channel, ClientReportsARefusedUpgrade) {
  ScriptedRandom random;
  ClientChannel client({{}, test::client_identity(), {}}, random);
  const auto fed = client.feed(as_bytes("HTTP/1.1 403 Forbidden\r\n\r\n"), kNow);
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, Errc::refused);
}

}  // namespace
}  // namespace posthorn::wire
