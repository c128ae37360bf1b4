#include "posthorn/api/server.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>

#include "box.h"
#include "live.h"

namespace posthorn::api::test {
namespace {

const std::string kGet = "GET /a//b%20c?x=1&y=&5 HTTP/1.1\r\nHost: box.lan\r\n\r\n";

TEST(Server, HandsOverWhatTheClientSaid) {
  Shop shop;
  Client client(shop.loop, shop.port());
  client.write(
      "POST /a//b%20c?x=1&y=&5 HTTP/1.1\r\nHost: box.lan:80\r\nContent-Type: text/plain\r\n"
      "idempotency-key: k1\r\nUser-Agent: Mozilla/5.0 (X11)\r\nContent-Length: 5\r\n\r\nhello");
  const std::string answer = client.read();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n[hello]")) << answer;
  EXPECT_NE(answer.find("Content-Type: application/json; charset=utf-8\r\n"), std::string::npos);
  EXPECT_NE(answer.find("Access-Control-Allow-Origin: *\r\n"), std::string::npos);
  EXPECT_NE(answer.find("X-Extra: 1\r\n"), std::string::npos);
  EXPECT_NE(answer.find("Date: "), std::string::npos);
  const Request& seen = shop.handler.last;
  EXPECT_EQ(seen.verb, Verb::post);
  EXPECT_EQ(seen.path, "/a//b c");
  EXPECT_EQ(seen.query_value("x"), "1");
  EXPECT_EQ(seen.query_value("y"), "");
  EXPECT_EQ(seen.query.size(), 3U);
  EXPECT_EQ(seen.content_type, "text/plain");
  EXPECT_EQ(seen.idempotency_key, "k1");
  EXPECT_EQ(seen.host, "box.lan:80");
  EXPECT_EQ(seen.peer, "127.0.0.1");
  EXPECT_TRUE(seen.from_browser);
  client.write(kGet);
  ASSERT_TRUE(client.read().starts_with("HTTP/1.1 200 "));
  EXPECT_FALSE(shop.handler.last.from_browser);
}

TEST(Server, KeepsTheConnectionForTheNextRequest) {
  Shop shop;
  Client client(shop.loop, shop.port());
  for (int i = 0; i < 5; ++i) {
    client.write(kGet);
    EXPECT_TRUE(client.read().starts_with("HTTP/1.1 200 ")) << i;
  }
  client.write(kGet + kGet + kGet);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(client.read().ends_with("[]")) << "pipelined " << i;
}

TEST(Server, NeverMixesUpAnswersThatFollowEachOther) {
  Shop shop;
  Client client(shop.loop, shop.port());
  const std::string big(100'000, 'b');
  const std::vector<Response> answers = {
      Response{.body = "null", .headers = {}},
      Response{.body = "null", .headers = {}},
      Response{.status = 404, .body = "null", .headers = {}},
      Response{.body = "null", .content_type = "text/plain", .headers = {}},
      Response{.body = "nulL", .headers = {}},
      Response{.body = big, .headers = {}},
      Response{.status = 429, .body = "null", .headers = {{"Retry-After", "1"}}},
      Response{.status = 204, .body = "", .headers = {}},
      Response{.body = "", .headers = {}},
      Response{.body = "null", .headers = {}},
  };
  for (const Response& answer : answers) {
    shop.handler.next = answer;
    client.write(kGet);
    const std::string got = client.read();
    EXPECT_TRUE(got.starts_with("HTTP/1.1 " + std::to_string(answer.status) + " ")) << got;
    EXPECT_TRUE(got.ends_with("\r\n\r\n" + answer.body));
    EXPECT_EQ(got.find("Retry-After") != std::string::npos, !answer.headers.empty());
    EXPECT_EQ(got.find("Content-Type: " + answer.content_type) != std::string::npos,
              answer.status != 204)
        << got;
  }
}

TEST(Server, TakesChunkedBodiesInAnyPieces) {
  Shop shop;
  Client client(shop.loop, shop.port());
  const std::string request =
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n4;ext=1\r\ndefg\r\n0\r\n\r\n";
  for (const char c : request) client.write(std::string(1, c));
  EXPECT_TRUE(client.read().ends_with("[abcdefg]"));
}

TEST(Server, InvitesABodyThatWaitsForIt) {
  Shop shop;
  Client client(shop.loop, shop.port());
  client.write("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_TRUE(client.read().starts_with("HTTP/1.1 100 ")) << "curl waits a second without it";
  client.write("abc");
  EXPECT_TRUE(client.read().ends_with("[abc]"));
}

TEST(Server, TellsBodiesThatAreTooLarge) {
  Shop shop;
  Client client(shop.loop, shop.port());
  const std::string body(5000, 'x');
  client.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n" + body);
  EXPECT_TRUE(client.read().ends_with("[]"));
  EXPECT_TRUE(shop.handler.last.body_too_large);
  client.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_TRUE(client.read().ends_with("[abc]")) << "the connection is still good";
}

TEST(Server, AnswersLaterWhatIsAnsweredLater) {
  Shop shop;
  shop.handler.hold = true;
  Client slow(shop.loop, shop.port());
  Client other(shop.loop, shop.port());
  slow.write(kGet);
  EXPECT_EQ(slow.peek(), "");
  ASSERT_EQ(shop.handler.held.size(), 1U);
  shop.handler.hold = false;
  other.write(kGet);
  EXPECT_TRUE(other.read().starts_with("HTTP/1.1 200 ")) << "nobody waits for the slow one";
  shop.handler.held[0].send(Response{.body = "late", .headers = {}});
  EXPECT_TRUE(slow.read().ends_with("late"));
  slow.write(kGet);
  EXPECT_TRUE(slow.read().starts_with("HTTP/1.1 200 "));
}

TEST(Server, SurvivesClientsThatLeaveBeforeTheAnswer) {
  Shop shop;
  shop.handler.hold = true;
  {
    Client gone(shop.loop, shop.port());
    gone.write(kGet);
    gone.peek();
  }
  ASSERT_EQ(shop.handler.held.size(), 1U);
  for (int i = 0; i < 20; ++i) shop.loop.run_once(milliseconds(1));
  shop.handler.held[0].send(Response{.body = "nobody reads this", .headers = {}});
  shop.handler.hold = false;
  Client next(shop.loop, shop.port());
  next.write(kGet);
  EXPECT_TRUE(next.read().starts_with("HTTP/1.1 200 "));
}

TEST(Server, GoesWhileRequestsWaitAndTheirAnswersComeLater) {
  Shop shop;
  shop.handler.hold = true;
  Client client(shop.loop, shop.port());
  client.write(kGet);
  client.peek();
  ASSERT_EQ(shop.handler.held.size(), 1U);
  shop.server.reset();
  shop.handler.held[0].send(Response{.body = "too late", .headers = {}});
  EXPECT_EQ(client.read().find("too late"), std::string::npos);
}

TEST(Server, SurvivesGarbage) {
  Shop shop;
  for (const std::string& text :
       {std::string("\r\n\r\n\r\n"), std::string("GET\r\n\r\n"), std::string(100'000, 'A'),
        std::string("GET / HTTP/1.1\r\nContent-Length: -5\r\n\r\n"),
        std::string("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        std::string("\x16\x03\x01\x02\x00\x01\x00", 7),
        "GET /" + std::string(60'000, 'b') + " HTTP/1.1\r\n\r\n"}) {
    Client client(shop.loop, shop.port());
    client.write(text.substr(0, 30'000));
    client.peek(5);
  }
  Client client(shop.loop, shop.port());
  client.write(kGet);
  EXPECT_TRUE(client.read().starts_with("HTTP/1.1 200 "));
}

TEST(Server, SaysWhyItCannotListen) {
  Shop shop;
  ServerOptions options;
  options.listen = "posthorn.local";
  const auto named = serve(shop.loop, options, shop.handler);
  ASSERT_FALSE(named);
  EXPECT_EQ(named.error().code, Errc::malformed);
  options.listen = "127.0.0.1";
  options.port = shop.port();
  const auto taken = serve(shop.loop, options, shop.handler);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Errc::refused);
  EXPECT_NE(taken.error().detail.find("Address already in use"), std::string::npos)
      << taken.error().detail;
  options.listen = "192.0.2.1";
  options.port = 0;
  const auto foreign = serve(shop.loop, options, shop.handler);
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().code, Errc::refused);
}

/// The whole API behind real sockets and the real loop.
struct LiveBox {
  loop::Loop loop;
  Box fakes;
  InstanceState state{loop, [] { return true; }, [](InstanceState::Value) {}};
  std::unique_ptr<Api> api;
  std::unique_ptr<Server> server;

  LiveBox() {
    state.on_session(session::State::online);
    ApiOptions options;
    options.id_instance = kId;
    options.token = kToken;
    // clang-format off
    api = std::make_unique<Api>(
        options,
        Api::Outside{loop, fakes.clock, fakes.random, fakes.blobs, fakes.settings, state,
                     fakes.outbox, fakes.inbox, fakes.link, fakes.link, fakes.link, fakes.link,
                     fakes.link, fakes.link, fakes.link, fakes.link, [] { return Status{}; }});
    // clang-format on
    ServerOptions where;
    where.listen = "127.0.0.1";
    where.port = 0;
    server = *serve(loop, where, *api);
  }
  [[nodiscard]] static std::string get(const std::string& method, const std::string& query = "") {
    return "GET " + Box::path(method) + query + " HTTP/1.1\r\nHost: box.lan\r\n\r\n";
  }
};

TEST(LiveApi, WakesALongPollWhenANotificationComes) {
  LiveBox box;
  Client client(box.loop, box.server->port());
  client.write(LiveBox::get("receiveNotification", "?receiveTimeout=60"));
  EXPECT_EQ(client.peek(), "");
  box.fakes.inbox.waiting = {{1, R"({"typeWebhook":"a"})"}};
  box.api->on_notification();
  EXPECT_TRUE(client.read().ends_with(R"({"receiptId":1,"body":{"typeWebhook":"a"}})"));
  client.write("DELETE " + Box::path("deleteNotification") + "/1 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(client.read().ends_with(R"({"result":true})"));
}

TEST(LiveApi, AnswersNullWhenNothingComes) {
  LiveBox box;
  Client client(box.loop, box.server->port());
  client.write(LiveBox::get("receiveNotification", "?receiveTimeout=1"));
  EXPECT_TRUE(client.read().ends_with("\r\n\r\nnull"));
}

TEST(LiveApi, AnswersABrowsersPreflight) {
  LiveBox box;
  Client client(box.loop, box.server->port());
  client.write("OPTIONS " + Box::path("sendMessage") +
               " HTTP/1.1\r\nHost: x\r\nOrigin: http://till.lan\r\n"
               "Access-Control-Request-Method: POST\r\n\r\n");
  const std::string answer = client.read();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 204 ")) << answer;
  EXPECT_NE(answer.find("Access-Control-Allow-Origin: *\r\n"), std::string::npos);
  EXPECT_NE(answer.find("Access-Control-Allow-Methods: GET, POST, DELETE, OPTIONS\r\n"),
            std::string::npos);
}

TEST(LiveApi, AcceptsAMessage) {
  LiveBox box;
  Client client(box.loop, box.server->port());
  const std::string body = R"({"chatId":"4915550007777@c.us","message":"Order 118 is ready"})";
  client.write("POST /" + Box::path("SendMessage") + "/ HTTP/1.1\r\nHost: x\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n\r\n" + body);
  const std::string answer = client.read();
  ASSERT_EQ(box.fakes.outbox.count(), 1U) << answer;
  EXPECT_TRUE(answer.ends_with("{\"idMessage\":\"" + box.fakes.outbox.views[0].job.id + "\"}"));
}

/// The contract's form of a refusal (section 3.1).
void expect_413(const std::string& answer) {
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 413 ")) << answer.substr(0, 200);
  const std::size_t end = answer.find("\r\n\r\n");
  ASSERT_NE(end, std::string::npos);
  const auto body = json::parse(answer.substr(end + 4));
  ASSERT_TRUE(body) << answer;
  EXPECT_EQ((*body)["statusCode"], 413);
  EXPECT_EQ((*body)["path"], Box::path("sendMessage"));
  EXPECT_TRUE((*body)["timestamp"].isString());
  EXPECT_FALSE((*body)["message"].asString().empty());
}

TEST(LiveApi, Answers413ToABodyThatIsTooLargeHoweverItComes) {
  LiveBox box;
  const std::string body =
      R"({"chatId":"4915550007777@c.us","message":")" + std::string(600'000, 'x') + "\"}";
  Client declared(box.loop, box.server->port());
  declared.write("POST " + Box::path("sendMessage") + " HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                 std::to_string(body.size()) + "\r\n\r\n" + body);
  expect_413(declared.read());
  Client chunked(box.loop, box.server->port());
  chunked.write("POST " + Box::path("sendMessage") +
                " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  constexpr std::size_t kPiece = 60'000;
  for (std::size_t at = 0; at < body.size(); at += kPiece) {
    const std::string piece = body.substr(at, kPiece);
    std::array<char, 16> size{};
    std::snprintf(size.data(), size.size(), "%zx", piece.size());
    chunked.write(std::string(size.data()) + "\r\n" + piece + "\r\n");
  }
  chunked.write("0\r\n\r\n");
  expect_413(chunked.read());
  // Far more, and said before: told at once.
  Client huge(box.loop, box.server->port());
  huge.write("POST " + Box::path("sendMessage") +
             " HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n");
  expect_413(huge.read());
  EXPECT_TRUE(box.fakes.outbox.views.empty());
}

}  // namespace
}  // namespace posthorn::api::test
