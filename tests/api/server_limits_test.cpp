// What one client can do to the others: connections, unread answers, bodies, faults of ours.

#include <gtest/gtest.h>

#include <stdexcept>

#include "live.h"

namespace posthorn::api::test {
namespace {

const std::string kAsk = "GET /till HTTP/1.1\r\nHost: box.lan\r\n\r\n";

/// What a scanner sends, or a till that hangs in the middle.
std::string junk(std::size_t kind) {
  switch (kind % 6) {
    case 0:
      return "";
    case 1:
      return "GET / HT";
    case 2:
      return std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) +
             std::string(200, '\0');
    case 3:
      return "POST /stranger HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nhalf";
    case 4:
      return std::string(1000, '\0');
    default:
      return "GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n";
  }
}

TEST(ServerLimits, ATillIsServedBesideAnyNumberOfIdleConnections) {
  Shop shop;
  for (const int addresses : {1, 2, 40}) {
    std::vector<std::unique_ptr<Client>> held;
    for (int i = 0; i < 260; ++i) {
      const std::string from = "127.0.1." + std::to_string(1 + i % addresses);
      held.push_back(std::make_unique<Client>(shop.loop, shop.port(), from.c_str()));
      (void)held.back()->push(junk(static_cast<std::size_t>(i / addresses)));
      if (i % 16 == 0) shop.loop.run_once(milliseconds(1));
    }
    Client till(shop.loop, shop.port(), "127.0.0.9");
    till.write(kAsk);
    EXPECT_TRUE(till.read().starts_with("HTTP/1.1 200 ")) << addresses << " addresses";
    held.clear();
    till.write(kAsk);
    EXPECT_TRUE(till.read().starts_with("HTTP/1.1 200 ")) << "kept through it";
    Client next(shop.loop, shop.port(), "127.0.1.1");
    next.write(kAsk);
    EXPECT_TRUE(next.read().starts_with("HTTP/1.1 200 ")) << "the listener is back";
  }
}

TEST(ServerLimits, ATillsPoolOfFortyWorksAtOnce) {
  Shop shop;
  std::vector<std::unique_ptr<Client>> pool;
  for (int i = 0; i < 40; ++i) pool.push_back(std::make_unique<Client>(shop.loop, shop.port()));
  for (int round = 0; round < 2; ++round) {
    for (auto& one : pool) one->write(kAsk);
    for (auto& one : pool) EXPECT_TRUE(one->read().starts_with("HTTP/1.1 200 "));
  }
}

TEST(ServerLimits, WhatStaysUnfinishedIsClosed) {
  ServerOptions options;
  options.unfinished = seconds(0);
  Shop shop(options);
  Client silent(shop.loop, shop.port());
  Client half(shop.loop, shop.port());
  half.write("POST /till HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nhalf");
  Client waits(shop.loop, shop.port());
  shop.handler.hold = true;
  waits.write(kAsk);
  EXPECT_TRUE(silent.closed(300));
  EXPECT_TRUE(half.closed(300));
  ASSERT_EQ(shop.handler.held.size(), 1U);
  shop.handler.held[0].send(Response{.body = "late", .headers = {}});
  EXPECT_TRUE(waits.read().ends_with("late")) << "who waits for us is not unfinished";
}

TEST(ServerLimits, UnreadAnswersHaveABoundWhateverTheNumberOfReaders) {
  Shop shop;
  const std::size_t size = 3'900'000;
  shop.handler.next = Response{.body = std::string(size, 'x'), .headers = {}};
  std::vector<std::unique_ptr<Client>> readers;
  for (int i = 0; i < 20; ++i) {
    // Little of it fits the kernel's buffers.
    readers.push_back(std::make_unique<Client>(shop.loop, shop.port(), "127.0.0.1", 8192));
    (void)readers.back()->push(kAsk);
  }
  for (int i = 0; i < 200; ++i) shop.loop.run_once(milliseconds(1));
  int whole = 0;
  int refused = 0;
  for (auto& reader : readers) {
    const std::string answer = reader->read();
    whole += answer.starts_with("HTTP/1.1 200 ") && answer.size() > size ? 1 : 0;
    refused += answer.starts_with("HTTP/1.1 503 ") ? 1 : 0;
  }
  EXPECT_EQ(whole + refused, 20) << "everybody is answered";
  EXPECT_GE(whole, 1);
  EXPECT_GE(refused, 1) << "4 MiB of them wait at once";
  Client later(shop.loop, shop.port());
  later.write(kAsk);
  EXPECT_TRUE(later.read().starts_with("HTTP/1.1 200 ")) << "the room is free again";
}

TEST(ServerLimits, BodiesInMemoryHaveABoundTogether) {
  Shop shop;
  shop.handler.limit = 600'000;
  std::vector<std::unique_ptr<Client>> clients;
  const std::string head = "POST /till HTTP/1.1\r\nHost: x\r\nContent-Length: 500001\r\n\r\n";
  for (int i = 0; i < 12; ++i) {
    clients.push_back(std::make_unique<Client>(shop.loop, shop.port()));
    clients.back()->write(head + std::string(500'000, 'x'));
  }
  int taken = 0;
  int refused = 0;
  for (auto& client : clients) {
    client->write("x");
    const std::string answer = client->read();
    taken += answer.starts_with("HTTP/1.1 200 ") ? 1 : 0;
    refused += answer.starts_with("HTTP/1.1 503 ") ? 1 : 0;
  }
  EXPECT_EQ(taken + refused, 12);
  EXPECT_GE(taken, 6);
  EXPECT_GE(refused, 2);
}

TEST(ServerLimits, WhoAsksBeforeSendingTooMuchIsToldBefore) {
  Shop shop;
  Client asks(shop.loop, shop.port());
  asks.write(
      "PUT /till HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n");
  EXPECT_TRUE(asks.read().starts_with("HTTP/1.1 200 ")) << "the handler's own answer, no 100";
  EXPECT_TRUE(shop.handler.last.body_too_large);
  Client large(shop.loop, shop.port());
  large.write("PUT /till HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000000\r\n\r\n");
  EXPECT_TRUE(large.read().starts_with("HTTP/1.1 200 "));
}

TEST(ServerLimits, TheAnswerBeforeABodyMayComeLater) {
  Shop shop;
  shop.handler.hold = true;
  Client guesses(shop.loop, shop.port());
  guesses.write("PUT /till HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\n" +
                std::string(20'000, 'x'));
  guesses.peek(5);
  ASSERT_EQ(shop.handler.held.size(), 1U);
  shop.handler.held[0].send(Response{.status = 401, .body = "no", .headers = {}});
  EXPECT_TRUE(guesses.read().starts_with("HTTP/1.1 401 "));
}

TEST(ServerLimits, AFaultOfOursIsA500AndTheNextRequestIsServed) {
  Shop shop;
  shop.handler.act = [](const Request&) { throw std::runtime_error("a bug"); };
  Client client(shop.loop, shop.port());
  client.write(kAsk);
  EXPECT_TRUE(client.read().starts_with("HTTP/1.1 500 "));
  shop.handler.act = nullptr;
  client.write(kAsk);
  EXPECT_TRUE(client.read().starts_with("HTTP/1.1 200 "));
}

TEST(ServerLimits, AFaultWhileTheHeadIsLookedAtClosesThatConnectionOnly) {
  Shop shop;
  shop.handler.make_sink = []() -> std::unique_ptr<BodySink> { throw std::bad_alloc(); };
  Client client(shop.loop, shop.port());
  client.write(kAsk);
  EXPECT_TRUE(client.closed(100));
  shop.handler.make_sink = nullptr;
  Client next(shop.loop, shop.port());
  next.write(kAsk);
  EXPECT_TRUE(next.read().starts_with("HTTP/1.1 200 "));
}

TEST(ServerLimits, AWholeUrlAsTargetNamesTheHost) {
  Shop shop;
  Client client(shop.loop, shop.port());
  client.write("GET http://box.shop.example:8080/a/b?x=1 HTTP/1.1\r\nHost: other\r\n\r\n");
  EXPECT_TRUE(client.read().starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(shop.handler.last.path, "/a/b");
  EXPECT_EQ(shop.handler.last.host, "box.shop.example:8080");
  EXPECT_EQ(shop.handler.last.query_value("x"), "1");
  client.write("GET http://box HTTP/1.1\r\nHost: other\r\n\r\n");
  EXPECT_TRUE(client.read().starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(shop.handler.last.path, "/");
}

TEST(ServerLimits, ARequestFromTheBoxItselfIsKnownAndAForwardedOneIsNot) {
  Shop shop;
  Client client(shop.loop, shop.port());
  client.write(kAsk);
  client.read();
  EXPECT_TRUE(shop.handler.last.local);
  client.write("GET /till HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.168.1.9\r\n\r\n");
  client.read();
  EXPECT_FALSE(shop.handler.last.local);
}

}  // namespace
}  // namespace posthorn::api::test
