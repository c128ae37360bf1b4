// Bodies that are never in memory as a whole, in both directions.

#include <gtest/gtest.h>

#include "live.h"

namespace posthorn::api::test {
namespace {

/// Keeps count of a body; has room only when the test says so.
struct Intake {
  std::size_t taken = 0;
  std::size_t room = 1'000'000'000;
  int alive = 0;
  int finished = 0;
  std::function<void()> wake;
};

class CountingSink final : public BodySink {
 public:
  explicit CountingSink(Intake& intake) : intake_(intake) { ++intake_.alive; }
  ~CountingSink() override { --intake_.alive; }
  void on_room(std::function<void()> wake) override { intake_.wake = std::move(wake); }
  bool write(std::string_view piece) override {
    intake_.taken += piece.size();
    return intake_.taken < intake_.room;
  }
  void finish(Reply reply) override {
    ++intake_.finished;
    reply.send(Response{.body = std::to_string(intake_.taken), .headers = {}});
  }

 private:
  Intake& intake_;
};

/// `size` bytes, a piece each time the test allows one.
class Spring final : public BodySource {
 public:
  explicit Spring(std::size_t size) : left(size) {}
  void on_ready(std::function<void()> w) override { wake = std::move(w); }
  Piece read(std::span<char> out) override {
    ++reads;
    if (broken) return {More::failed, 0};
    if (left == 0) return {More::end, 0};
    if (dry) return {More::later, 0};
    const std::size_t size = std::min(left, out.size());
    std::fill_n(out.begin(), size, 's');
    left -= size;
    return {More::bytes, size};
  }

  std::size_t left;
  bool dry = false;
  bool broken = false;
  int reads = 0;
  std::function<void()> wake;
};

struct StreamShop : Shop {
  StreamShop() {
    handler.make_sink = [this] { return std::make_unique<CountingSink>(intake); };
  }
  Intake intake;
};

const std::string kPut = "PUT /file HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n";

TEST(Streams, ABodyGoesToItsSinkPieceByPiece) {
  StreamShop shop;
  Client client(shop.loop, shop.port());
  client.write(kPut + std::string(300'000, 'x'));
  EXPECT_TRUE(client.read().ends_with("\r\n\r\n300000"));
  client.write(
      "POST /file HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n");
  EXPECT_TRUE(client.read().ends_with("\r\n\r\n300005"));
  EXPECT_EQ(shop.intake.alive, 0);
}

TEST(Streams, ASinkWithoutRoomHoldsTheClientBack) {
  StreamShop shop;
  shop.intake.room = 10'000;
  Client client(shop.loop, shop.port());
  const std::string body(20'000'000, 'x');
  client.write("PUT /file HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n");
  std::size_t sent = 0;
  for (int i = 0; i < 500; ++i) {
    sent += client.push(std::string_view(body).substr(sent, 1'000'000));
    shop.loop.run_once(milliseconds(1));
  }
  EXPECT_LT(shop.intake.taken, 100'000U);
  EXPECT_LT(sent, body.size()) << "the sockets are full, and nobody reads";
  Client other(shop.loop, shop.port());
  shop.handler.make_sink = nullptr;
  other.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(other.read().starts_with("HTTP/1.1 200 ")) << "others are served";
  shop.intake.room = 1'000'000'000;
  shop.intake.wake();
  while (sent < body.size()) {
    sent += client.push(std::string_view(body).substr(sent, 1'000'000));
    shop.loop.run_once(milliseconds(1));
  }
  EXPECT_TRUE(client.read().ends_with("\r\n\r\n20000000"));
}

TEST(Streams, AClientThatVanishesInTheMiddleLeavesNothing) {
  StreamShop shop;
  {
    Client gone(shop.loop, shop.port());
    gone.write(kPut + std::string(100'000, 'x'));
    gone.peek(5);
    EXPECT_EQ(shop.intake.alive, 1);
  }
  for (int i = 0; i < 50 && shop.intake.alive > 0; ++i) shop.loop.run_once(milliseconds(10));
  EXPECT_EQ(shop.intake.alive, 0);
  EXPECT_EQ(shop.intake.finished, 0);
}

TEST(Streams, AClientThatVanishesWhileItIsHeldBackIsNoticedWhenThereIsRoom) {
  StreamShop shop;
  shop.intake.room = 10'000;
  {
    Client gone(shop.loop, shop.port());
    gone.write(kPut + std::string(100'000, 'x'));
    gone.peek(5);
  }
  shop.intake.room = 1'000'000'000;
  shop.intake.wake();
  for (int i = 0; i < 50 && shop.intake.alive > 0; ++i) shop.loop.run_once(milliseconds(10));
  EXPECT_EQ(shop.intake.alive, 0);
  shop.intake.wake();  // too late, and harmless
}

TEST(Streams, TheServerGoesInTheMiddleOfThem) {
  StreamShop shop;
  shop.intake.room = 10'000;
  Client held(shop.loop, shop.port());
  held.write(kPut + std::string(50'000, 'x'));
  Client coming(shop.loop, shop.port());
  coming.write(kPut + std::string(100, 'x'));
  shop.handler.make_sink = nullptr;
  auto spring = std::make_shared<Spring>(1'000'000);
  spring->dry = true;
  shop.handler.next = Response{.body = {}, .headers = {}, .stream = spring};
  Client taking(shop.loop, shop.port());
  taking.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  taking.peek(5);
  shop.server.reset();
  EXPECT_EQ(shop.intake.alive, 0);
  spring->wake();
  shop.intake.wake();
}

TEST(Streams, AnAnswerIsMadeWhileItIsTaken) {
  StreamShop shop;
  shop.handler.make_sink = nullptr;
  auto spring = std::make_shared<Spring>(1'000'000);
  spring->dry = true;
  shop.handler.next =
      Response{.body = {}, .headers = {}, .stream = spring, .stream_size = 1'000'000};
  Client client(shop.loop, shop.port());
  client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  client.peek();
  EXPECT_LE(spring->reads, 2) << "nothing spins while there is nothing";
  spring->dry = false;
  spring->wake();
  const std::string answer = client.read();
  EXPECT_NE(answer.find("Content-Length: 1000000\r\n"), std::string::npos);
  EXPECT_TRUE(answer.ends_with(std::string(1'000'000, 's')));
}

TEST(Streams, OfUnknownLengthComeInChunks) {
  StreamShop shop;
  shop.handler.make_sink = nullptr;
  shop.handler.next = Response{.body = {}, .headers = {}, .stream = std::make_shared<Spring>(10)};
  Client client(shop.loop, shop.port());
  client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string answer = client.peek();
  EXPECT_NE(answer.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_NE(answer.find("ssssssssss"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("0\r\n\r\n"));
}

TEST(Streams, AHeadGetsTheLengthAndNoBody) {
  StreamShop shop;
  shop.handler.make_sink = nullptr;
  auto spring = std::make_shared<Spring>(5000);
  shop.handler.next = Response{.body = {}, .headers = {}, .stream = spring, .stream_size = 5000};
  Client client(shop.loop, shop.port());
  client.write("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string answer = client.peek();
  EXPECT_NE(answer.find("Content-Length: 5000\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
  EXPECT_EQ(spring->left, 5000U);
}

TEST(Streams, OneThatBreaksCutsTheConnectionSoThatNobodyTakesItForTheWhole) {
  StreamShop shop;
  shop.handler.make_sink = nullptr;
  auto spring = std::make_shared<Spring>(1'000'000);
  shop.handler.next = Response{.body = {}, .headers = {}, .stream = spring};
  spring->broken = true;
  Client client(shop.loop, shop.port());
  client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(client.closed(100));
}

TEST(Streams, AReaderThatDoesNotReadIsNotReadFor) {
  StreamShop shop;
  shop.handler.make_sink = nullptr;
  auto spring = std::make_shared<Spring>(std::size_t{1} << 30);
  shop.handler.next = Response{.body = {}, .headers = {}, .stream = spring};
  Client client(shop.loop, shop.port());
  client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  for (int i = 0; i < 100; ++i) shop.loop.run_once(milliseconds(1));
  EXPECT_GT(spring->left, (std::size_t{1} << 30) - (std::size_t{16} << 20))
      << "the socket's buffer and no more";
}

}  // namespace
}  // namespace posthorn::api::test
