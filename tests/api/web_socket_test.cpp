#include "api/web_socket.h"

#include <gtest/gtest.h>

#include "api/box.h"
#include "api/live.h"

namespace posthorn::api::test {
namespace {

/// As a client sends it: masked.
std::string from_client(unsigned char opcode, const std::string& payload) {
  const std::string mask = "\x11\x22\x33\x44";
  std::string out{static_cast<char>(0x80U | opcode), static_cast<char>(0x80U | payload.size())};
  out += mask;
  for (std::size_t i = 0; i < payload.size(); ++i) {
    out.push_back(static_cast<char>(payload[i] ^ mask[i % 4]));
  }
  return out;
}

/// The example of RFC 6455 section 1.3.
TEST(WebSocket, AcceptsAsTheStandardShows) {
  EXPECT_EQ(web_socket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(WebSocket, WritesTheThreeLengths) {
  EXPECT_EQ(WebSocketFrames::text("Hi"), "\x81\x02Hi");
  EXPECT_EQ(WebSocketFrames::text(std::string(300, 'x')).substr(0, 4),
            std::string("\x81\x7E\x01\x2C", 4));
  EXPECT_EQ(WebSocketFrames::text(std::string(70'000, 'x')).substr(0, 10),
            std::string("\x81\x7F\x00\x00\x00\x00\x00\x01\x11\x70", 10));
}

TEST(WebSocket, AnswersAPingAndACloseByteByByte) {
  WebSocketFrames frames;
  std::string out;
  for (const char c : from_client(0x9, "you there?")) {
    ASSERT_TRUE(frames.feed(std::string_view(&c, 1), out));
  }
  EXPECT_EQ(out, "\x8A\x0Ayou there?");
  out.clear();
  EXPECT_TRUE(frames.feed(from_client(0x1, "nobody listens"), out));
  EXPECT_EQ(out, "");
  EXPECT_FALSE(frames.feed(from_client(0x8, "\x03\xE8"), out));
  EXPECT_EQ(out, WebSocketFrames::close(1000));
}

TEST(WebSocket, EndsWithWhoeverBreaksTheRules) {
  std::string out;
  EXPECT_FALSE(WebSocketFrames().feed("\x81\x02Hi", out)) << "not masked";
  EXPECT_EQ(out, WebSocketFrames::close(1002));
  out.clear();
  EXPECT_FALSE(WebSocketFrames().feed(std::string("\x81\xFE\xFF\xFF", 4), out)) << "too long";
  EXPECT_EQ(out, WebSocketFrames::close(1009));
  out.clear();
  EXPECT_FALSE(WebSocketFrames().feed(std::string("\x81\xFF", 2), out));
  EXPECT_EQ(out, WebSocketFrames::close(1009));
}

/// A server of its own whose every answer is a WebSocket.
struct Shop {
  loop::Loop loop;
  Handler handler;
  std::shared_ptr<posthorn::api::WebSocket> socket;
  std::unique_ptr<Server> server;

  Shop() {
    handler.answer = [this](const Request&, Reply reply) {
      Response response;
      response.status = 101;
      response.opened = [this](std::shared_ptr<posthorn::api::WebSocket> opened) {
        socket = std::move(opened);
      };
      reply.send(std::move(response));
    };
    ServerOptions where;
    where.listen = "127.0.0.1";
    where.port = 0;
    server = *serve(loop, where, handler);
  }
};

constexpr const char* kUpgrade =
    "GET /x HTTP/1.1\r\nHost: box.lan\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

TEST(WebSocket, GoesThroughTheServerBothWays) {
  Shop shop;
  Client client(shop.loop, shop.server->port());
  client.write(kUpgrade + from_client(0x9, "early"));
  const std::string head = client.peek();
  EXPECT_TRUE(head.starts_with("HTTP/1.1 101 ")) << head;
  EXPECT_NE(head.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), std::string::npos) << head;
  EXPECT_NE(head.find("\x8A\x05"
                      "early"),
            std::string::npos)
      << "what came with the request";
  ASSERT_TRUE(shop.socket);
  EXPECT_TRUE(shop.socket->is_open());
  shop.socket->send("one");
  shop.socket->send("two");
  const std::string told = client.peek();
  EXPECT_NE(told.find("\x81\x03one\x81\x03two"), std::string::npos);
  shop.socket->close();
  EXPECT_TRUE(client.closed(100));
  EXPECT_FALSE(shop.socket->is_open());
  shop.socket->send("nobody");
}

TEST(WebSocket, IsGoneWhenItsClientOrTheServerIsGone) {
  Shop shop;
  {
    Client client(shop.loop, shop.server->port());
    client.write(kUpgrade);
    client.peek();
    ASSERT_TRUE(shop.socket && shop.socket->is_open());
  }
  for (int i = 0; i < 20; ++i) shop.loop.run_once(milliseconds(2));
  EXPECT_FALSE(shop.socket->is_open());
  Client client(shop.loop, shop.server->port());
  client.write(kUpgrade);
  client.peek();
  ASSERT_TRUE(shop.socket->is_open());
  shop.server.reset();
  EXPECT_FALSE(shop.socket->is_open());
}

TEST(WebSocket, AClientThatDoesNotReadIsCutOff) {
  Shop shop;
  Client client(shop.loop, shop.server->port(), "127.0.0.1", 4096);
  client.write(kUpgrade);
  for (int i = 0; i < 20; ++i) shop.loop.run_once(milliseconds(2));
  ASSERT_TRUE(shop.socket);
  for (int i = 0; i < 2000 && shop.socket->is_open(); ++i) {
    shop.socket->send(std::string(10'000, 'x'));
  }
  EXPECT_FALSE(shop.socket->is_open());
}

struct FakeSocket final : posthorn::api::WebSocket {
  void send(std::string_view text) override { told.emplace_back(text); }
  void close() override { open = false; }
  [[nodiscard]] bool is_open() const override { return open; }
  [[nodiscard]] std::string type(std::size_t i) const {
    return json::string_at(*json::parse(told.at(i)), "type").value_or("");
  }

  std::vector<std::string> told;
  bool open = true;
};

class ScanQrCode : public ::testing::Test {
 protected:
  std::shared_ptr<FakeSocket> connect() {
    Request request = box.request(Verb::get, Box::path("scanqrcode"));
    request.web_socket_key = "dGhlIHNhbXBsZSBub25jZQ==";
    const auto answer = box.send(std::move(request));
    if (answer->status() != 101) return nullptr;
    auto socket = std::make_shared<FakeSocket>();
    answer->response->opened(socket);
    box.scheduler.advance(milliseconds(1));
    return socket;
  }

  Box box{0};
};

TEST_F(ScanQrCode, TellsEachCodeOnceAndThenTheAccount) {
  box.link.who = {};
  box.link.qr_text = "2@first";
  const auto socket = connect();
  ASSERT_TRUE(socket);
  box.scheduler.advance(seconds(5));
  ASSERT_EQ(socket->told.size(), 1U);
  EXPECT_EQ(socket->type(0), "qrCode");
  box.link.qr_text = "2@second";
  box.scheduler.advance(seconds(5));
  ASSERT_EQ(socket->told.size(), 2U);
  EXPECT_NE(socket->told[0], socket->told[1]);
  box.link.who = {"4915550001234", "4915550001234:17@s.whatsapp.net", "Shop"};
  box.scheduler.advance(seconds(5));
  ASSERT_EQ(socket->told.size(), 3U);
  EXPECT_EQ(socket->told[2],
            R"({"message":{"pushname":"Shop","webhookUrl":"","wid":"4915550001234@c.us"},)"
            R"("type":"accountData"})");
  EXPECT_FALSE(socket->open);
}

TEST_F(ScanQrCode, SaysWhenThereIsNothingToScanAndWhenTimeIsUp) {
  const auto linked = connect();
  ASSERT_TRUE(linked);
  ASSERT_EQ(linked->told.size(), 1U);
  EXPECT_EQ(linked->type(0), "alreadyLogged");
  EXPECT_FALSE(linked->open);
  box.link.who = {};
  const auto patient = connect();
  box.scheduler.advance(seconds(101));
  ASSERT_EQ(patient->told.size(), 1U);
  EXPECT_EQ(patient->told[0], R"({"message":"","type":"timeoutExpired"})");
  EXPECT_FALSE(patient->open);
}

TEST_F(ScanQrCode, IsForAFewAtATimeAndForWebSocketsOnly) {
  EXPECT_EQ(box.get("scanqrcode")->status(), 426);
  box.link.who = {};
  std::vector<std::shared_ptr<FakeSocket>> all;
  for (int i = 0; i < 8; ++i) all.push_back(connect());
  EXPECT_TRUE(all.back());
  EXPECT_FALSE(connect());
  all.front()->open = false;  // its client has gone
  box.scheduler.advance(seconds(1));
  EXPECT_TRUE(connect());
}

}  // namespace
}  // namespace posthorn::api::test
