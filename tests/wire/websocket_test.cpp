#include "posthorn/wire/websocket.h"

#include <gtest/gtest.h>

#include <random>

#include "wire/http_upgrade.h"
#include "wire/wire_support.h"

namespace posthorn::wire {
namespace {

using State = WebSocket::State;
using test::ScriptedRandom;
using test::unhex;

constexpr char kRfcKey[] = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr char kRfcAccept[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A client and a server, joined by the test's own hands.
struct Pair {
  ScriptedRandom random{unhex("74686520 73616d70 6c65206e 6f6e6365")};  // "the sample nonce"
  std::unique_ptr<WebSocket> client = WebSocket::client({}, random);
  std::unique_ptr<WebSocket> server = WebSocket::server("/ws/chat", random);

  explicit Pair(WebSocketLimits limits = {})
      : server(WebSocket::server("/ws/chat", random, limits)) {}

  Result<void> to_server() { return server->feed(client->take_output()); }
  Result<void> to_client() { return client->feed(server->take_output()); }
  void open() {
    ASSERT_TRUE(to_server());
    ASSERT_TRUE(to_client());
    ASSERT_EQ(client->state(), State::open);
    ASSERT_EQ(server->state(), State::open);
  }
};

std::string text_of(const std::optional<Bytes>& message) {
  return message ? std::string(as_text(*message)) : "(none)";
}

TEST(WebSocketUpgrade, AcceptsAsTheRfcExample) { EXPECT_EQ(accept_value(kRfcKey), kRfcAccept); }

TEST(WebSocketUpgrade, AsksAsTheChapterSays) {
  Pair pair;
  EXPECT_EQ(as_text(pair.client->take_output()),
            "GET /ws/chat HTTP/1.1\r\nHost: web.whatsapp.com\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://web.whatsapp.com\r\n"
            "Cache-Control: no-cache\r\nPragma: no-cache\r\n\r\n");
}

TEST(WebSocketUpgrade, UnderstandsAnswers) {
  const std::string good =
      "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nConnection: keep-alive, Upgrade"
      "\r\nSec-WebSocket-Accept:s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \r\nX-Other: a:b\r\n\r\n";
  EXPECT_TRUE(parse_upgrade_response(good, kRfcKey));

  const auto refused = parse_upgrade_response("HTTP/1.1 403 Forbidden\r\n\r\n", kRfcKey);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::refused);
  EXPECT_NE(refused.error().detail.find("403 Forbidden"), std::string::npos);

  const auto without = [&good](std::string_view part, std::string_view instead = "") {
    std::string text = good;
    const std::size_t at = text.find(part);
    EXPECT_NE(at, std::string::npos) << part;
    return text.replace(at, part.size(), instead);
  };
  const std::string bad[] = {
      "\r\n\r\n",
      "HTTP/1.0 101 Switching Protocols\r\n\r\n",
      without("HTTP/1.1 101", "HTTP/1.1 1011"),
      without("HTTP/1.1 101", "HTTP/1.1 1x1"),
      without("upgrade: WebSocket\r\n"),
      without("keep-alive, Upgrade", "keep-alive"),
      without("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", kRfcKey),
      without("X-Other: a:b", "Sec-WebSocket-Extensions: permessage-deflate"),
      without("X-Other: a:b", "Sec-WebSocket-Protocol: chat"),
      without("X-Other: a:b", "no colon"),
      without("X-Other: a:b", "bad name: x"),
      without("X-Other: a:b", std::string("Sec-WebSocket-Accept: ") + kRfcAccept),
      without("X-Other: a:b\r\n\r\n", "X-Other: a:b"),
  };
  for (const std::string& text : bad) {
    const auto parsed = parse_upgrade_response(text, kRfcKey);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Errc::malformed) << text;
  }
}

TEST(WebSocketUpgrade, UnderstandsRequests) {
  const std::string good =
      "GET /ws/chat?ED=abc HTTP/1.1\r\nHost: 127.0.0.1:1\r\nUpgrade: websocket\r\n"
      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: "
      "permessage-deflate\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  EXPECT_EQ(parse_upgrade_request(good, "/ws/chat").status, 101);
  const auto status = [&good](std::string_view part, std::string_view instead) {
    std::string text = good;
    text.replace(text.find(part), part.size(), instead);
    return parse_upgrade_request(text, "/ws/chat").status;
  };
  EXPECT_EQ(status("GET", "POST"), 400);
  EXPECT_EQ(status("HTTP/1.1", "HTTP/1.0"), 400);
  EXPECT_EQ(status("Host: 127.0.0.1:1\r\n", ""), 400);
  EXPECT_EQ(status("/ws/chat", "/ws/chats"), 404);
  EXPECT_EQ(status("Upgrade: websocket\r\n", ""), 426);
  EXPECT_EQ(status("Connection: Upgrade", "Connection: close"), 426);
  EXPECT_EQ(status("Version: 13", "Version: 8"), 426);
  EXPECT_EQ(status("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ="), 400);
  EXPECT_EQ(status("dGhlIHNhbXBsZSBub25jZQ==", "!"), 400);
}

TEST(WebSocket, CarriesMessagesBothWays) {
  Pair pair;
  pair.open();
  pair.client->send(as_bytes("hello"));
  pair.client->send(as_bytes("again"));
  pair.client->send({});
  ASSERT_TRUE(pair.to_server());
  EXPECT_EQ(text_of(pair.server->next()), "hello");
  EXPECT_EQ(text_of(pair.server->next()), "again");
  EXPECT_EQ(text_of(pair.server->next()), "");
  EXPECT_EQ(text_of(pair.server->next()), "(none)");

  pair.server->send(as_bytes("answer"));
  EXPECT_EQ(hex_encode(pair.server->take_output()), "8206616e73776572");
}

TEST(WebSocket, WorksOneByteAtATime) {
  Pair pair;
  const auto trickle = [](WebSocket& from, WebSocket& to) {
    for (const std::byte b : from.take_output()) ASSERT_TRUE(to.feed(ByteView(&b, 1)));
  };
  trickle(*pair.client, *pair.server);
  trickle(*pair.server, *pair.client);
  for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 65535U, 65536U, 70000U}) {
    const Bytes message(size, std::byte{0x5a});
    pair.client->send(message);
    pair.server->send(message);
    trickle(*pair.client, *pair.server);
    trickle(*pair.server, *pair.client);
    EXPECT_EQ(pair.server->next(), message) << size;
    EXPECT_EQ(pair.client->next(), message) << size;
  }
}

TEST(WebSocket, TakesFramesThatComeWithTheUpgrade) {
  Pair pair;
  ASSERT_TRUE(pair.to_server());
  pair.server->send(as_bytes("early"));
  ASSERT_TRUE(pair.to_client());
  EXPECT_EQ(text_of(pair.client->next()), "early");
}

TEST(WebSocket, JoinsFragmentsAroundControlFrames) {
  Pair pair;
  pair.open();
  // RFC 6455 section 5.7, as binary: "Hel" + ping + "lo".
  ASSERT_TRUE(pair.client->feed(unhex("020348656c 890548656c6c6f 80026c6f")));
  EXPECT_EQ(text_of(pair.client->next()), "Hello");
  ASSERT_TRUE(pair.to_server()) << "the pong is well-formed";

  pair.server->send_fragmented(as_bytes("0123456789"), 3);
  EXPECT_EQ(hex_encode(pair.server->take_output()),
            "0203303132"
            "0003333435"
            "0003363738"
            "800139");
  pair.server->send_fragmented(as_bytes("0123456789"), 4);
  ASSERT_TRUE(pair.to_client());
  EXPECT_EQ(text_of(pair.client->next()), "0123456789");
}

TEST(WebSocket, AnswersPings) {
  Pair pair;
  pair.open();
  ASSERT_TRUE(pair.client->feed(unhex("890548656c6c6f")));
  const Bytes pong = pair.client->take_output();
  ASSERT_GE(pong.size(), 2U);
  EXPECT_EQ(hex_encode(ByteView(pong).first(2)), "8a85") << "masked pong with five bytes";
  pair.server->ping();
  EXPECT_EQ(hex_encode(pair.server->take_output()), "8900");
  ASSERT_TRUE(pair.client->feed(unhex("8a00")));
  EXPECT_FALSE(pair.client->next());
}

TEST(WebSocket, ClosesInOrder) {
  Pair pair;
  pair.open();
  pair.client->send(as_bytes("last"));
  pair.client->close(1000, "bye");
  EXPECT_EQ(pair.client->state(), State::closing);
  pair.client->send(as_bytes("too late"));
  const auto heard = pair.to_server();
  ASSERT_FALSE(heard);
  EXPECT_EQ(heard.error().code, Errc::disconnected);
  EXPECT_NE(heard.error().detail.find("1000"), std::string::npos);
  EXPECT_EQ(text_of(pair.server->next()), "last");
  EXPECT_FALSE(pair.server->next());
  EXPECT_EQ(pair.server->state(), State::closed);
  const auto answered = pair.to_client();
  ASSERT_FALSE(answered);
  EXPECT_EQ(answered.error().code, Errc::disconnected);
  EXPECT_EQ(pair.client->state(), State::closed);
  EXPECT_EQ(pair.client->feed(as_bytes("x")).error().code, Errc::disconnected);
}

TEST(WebSocket, TellsTheCloseCodeOfTheServer) {
  Pair pair;
  pair.open();
  pair.server->close(1011, std::string(500, 'x'));
  const auto heard = pair.to_client();
  ASSERT_FALSE(heard);
  EXPECT_NE(heard.error().detail.find("1011"), std::string::npos) << heard.error().detail;
}

/// What the client says when it gets these frames. 1005 is a Close without a code, which wslay
/// sends when a frame header alone is wrong.
void expect_client_refuses(std::string_view hex, std::uint16_t close_code) {
  Pair pair;
  pair.open();
  const auto fed = pair.client->feed(unhex(hex));
  ASSERT_FALSE(fed) << hex;
  EXPECT_EQ(fed.error().code, Errc::malformed) << hex;
  EXPECT_EQ(pair.client->state(), State::closed);
  const auto heard = pair.server->feed(pair.client->take_output());
  ASSERT_FALSE(heard) << hex;
  EXPECT_NE(heard.error().detail.find(std::to_string(close_code)), std::string::npos)
      << hex << ": " << heard.error().detail;
}

TEST(WebSocket, RefusesBrokenFrames) {
  expect_client_refuses("810548656c6c6f", 1003);          // text
  expect_client_refuses("8285aabbccdd0000000000", 1002);  // masked by the server
  expect_client_refuses("c20548656c6c6f", 1002);          // reserved bit
  expect_client_refuses("830548656c6c6f", 1002);          // unknown opcode
  expect_client_refuses("8b0548656c6c6f", 1002);          // unknown control opcode
  expect_client_refuses("800548656c6c6f", 1002);          // continuation of nothing
  expect_client_refuses("020148 820148", 1002);           // a new message inside another
  expect_client_refuses("090548656c6c6f", 1005);          // fragmented ping
  expect_client_refuses("897e007e", 1005);                // ping over 125 bytes
  expect_client_refuses("827e0005 48656c6c6f", 1005);     // length not in its shortest form
  expect_client_refuses("827f8000000000000000", 1005);    // length with the top bit set
  expect_client_refuses("827f000000010000000000", 1009);  // 4 GiB
}

TEST(WebSocket, ServerRefusesUnmaskedFrames) {
  Pair pair;
  pair.open();
  const auto fed = pair.server->feed(unhex("820548656c6c6f"));
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, Errc::malformed);
}

TEST(WebSocket, RefusesMessagesOverTheLimit) {
  WebSocketLimits limits;
  limits.max_message_bytes = 100;
  for (const bool fragmented : {false, true}) {
    Pair pair(limits);
    pair.open();
    pair.client->send_fragmented(Bytes(100), 30);
    ASSERT_TRUE(pair.to_server());
    EXPECT_TRUE(pair.server->next());
    if (fragmented) {
      pair.client->send_fragmented(Bytes(101), 30);
    } else {
      pair.client->send(Bytes(101));
    }
    const auto fed = pair.to_server();
    ASSERT_FALSE(fed);
    EXPECT_EQ(fed.error().code, Errc::malformed);
    EXPECT_FALSE(pair.server->next());
  }
}

TEST(WebSocket, RefusesBadHttp) {
  ScriptedRandom random;
  const auto client = WebSocket::client({}, random);
  const auto refused = client->feed(as_bytes("HTTP/1.1 503 Busy\r\nRetry-After: 1\r\n\r\nbody"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::refused);
  EXPECT_EQ(client->state(), State::closed);

  const auto endless = WebSocket::client({}, random);
  const auto too_long = endless->feed(Bytes(9000, std::byte{'x'}));
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().code, Errc::malformed);

  const auto server = WebSocket::server("/ws/chat", random);
  const auto lost = server->feed(as_bytes("GET /other HTTP/1.1\r\nHost: x\r\n\r\n"));
  ASSERT_FALSE(lost);
  EXPECT_TRUE(as_text(server->take_output()).starts_with("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_EQ(server->state(), State::closed);
}

TEST(WebSocket, CloseBeforeTheUpgradeJustEnds) {
  ScriptedRandom random;
  const auto client = WebSocket::client({}, random);
  client->close();
  EXPECT_EQ(client->state(), State::closed);
}

TEST(WebSocket, SurvivesRandomBytes) {
  std::mt19937 chance(11);
  for (int round = 0; round < 2000; ++round) {
    Pair pair;
    pair.open();
    Bytes noise(chance() % 200);
    for (std::byte& b : noise) b = static_cast<std::byte>(chance());
    WebSocket& target = round % 2 == 0 ? *pair.client : *pair.server;
    const auto fed = target.feed(noise);
    EXPECT_EQ(target.state() == State::closed, !fed);
    while (target.next()) {
    }
  }
}

}  // namespace
}  // namespace posthorn::wire
