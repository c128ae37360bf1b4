// The courier, the real HTTP client and a receiver on loopback.

#include <gtest/gtest.h>

#include <map>

#include "posthorn/loop/loop.h"
#include "posthorn/net/listener.h"
#include "posthorn/webhooks/courier.h"

namespace posthorn::webhooks {
namespace {

struct Box final : Mailbox {
  [[nodiscard]] std::optional<Head> head(std::size_t ahead) override {
    if (waiting.size() <= ahead) return std::nullopt;
    const auto at = std::next(waiting.begin(), static_cast<std::ptrdiff_t>(ahead));
    return Head{at->first, at->second};
  }
  void set_aside(const Head& head, const Refusal&, Once<void(Result<bool>)> done) override {
    remove(head.receipt_id, std::move(done));
  }
  void remove(std::uint32_t id, Once<void(Result<bool>)> done) override {
    done(waiting.erase(id) == 1);
  }
  std::map<std::uint32_t, std::string> waiting;
};

/// Answers each request with the next status, 200 when there is none left.
struct Till {
  struct Peer final : Stream::Handler {
    Peer(Till& t, std::unique_ptr<Stream> s) : till(t), stream(std::move(s)) {
      stream->start(*this);
    }
    void on_data(ByteView data) override {
      text += as_text(data);
      const std::size_t head = text.find("\r\n\r\n");
      if (head == std::string::npos || !text.ends_with("}")) return;
      till.bodies.push_back(text.substr(head + 4));
      text.clear();
      std::string status = "200 OK";
      if (!till.statuses.empty()) {
        status = till.statuses.front();
        till.statuses.erase(till.statuses.begin());
      }
      stream->write(to_bytes("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n"));
    }
    void on_closed(Error) override {}
    Till& till;
    std::unique_ptr<Stream> stream;
    std::string text;
  };

  explicit Till(loop::Loop& loop)
      : listener(*net::listen(loop, "127.0.0.1", 0, [this](std::unique_ptr<Stream> stream) {
          peers.push_back(std::make_unique<Peer>(*this, std::move(stream)));
        })) {}

  std::vector<std::string> statuses;
  std::vector<std::string> bodies;
  std::vector<std::unique_ptr<Peer>> peers;
  std::unique_ptr<net::Listener> listener;
};

TEST(Delivery, ReachesAReceiverThatFailsAtFirst) {
  loop::Loop loop;
  Till till(loop);
  till.statuses = {"500 No", "503 Later"};
  Box box;
  const Clock clock(loop, Wall{});
  const auto client = net::make_http_client(loop);
  CourierOptions options;
  options.retry_gap = milliseconds(5);
  options.spacing = milliseconds(1);
  Courier courier(options, Courier::Outside{loop, clock, *client, box});
  box.waiting = {{1, R"({"n":1})"}, {2, R"({"n":2})"}};
  courier.set_target({"http://127.0.0.1:" + std::to_string(till.listener->port()) + "/", ""});
  for (int turns = 0; !box.waiting.empty() && turns < 500; ++turns) loop.run_once(milliseconds(20));
  const std::string one = R"({"n":1})";
  EXPECT_EQ(till.bodies, (std::vector<std::string>{one, one, one, R"({"n":2})"}));
  EXPECT_EQ(courier.counters().delivered, 2U);
  EXPECT_EQ(courier.counters().failures, 2U);
}

}  // namespace
}  // namespace posthorn::webhooks
