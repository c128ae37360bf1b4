#include "posthorn/net/http_client.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "posthorn/loop/loop.h"
#include "posthorn/net/listener.h"

namespace posthorn::net {
namespace {

/// A receiver on loopback that keeps what came and answers what the test says.
class Receiver {
 public:
  explicit Receiver(loop::Loop& loop)
      : listener_(*listen(loop, "127.0.0.1", 0, [this](std::unique_ptr<Stream> stream) {
          ++connections;
          peers_.push_back(std::make_unique<Peer>(*this, std::move(stream)));
        })) {}

  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(listener_->port()) + "/hook?x=1";
  }

  std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  std::vector<std::string> requests;
  int connections = 0;

 private:
  struct Peer final : Stream::Handler {
    Peer(Receiver& r, std::unique_ptr<Stream> s) : receiver(r), stream(std::move(s)) {
      stream->start(*this);
    }
    void on_data(ByteView data) override {
      text += as_text(data);
      const std::size_t head = text.find("\r\n\r\n");
      if (head == std::string::npos) return;
      const std::size_t length = text.find("Content-Length: ");
      const std::size_t body =
          length < head ? std::strtoul(text.c_str() + length + 16, nullptr, 10) : 0;
      if (text.size() < head + 4 + body) return;
      receiver.requests.push_back(std::exchange(text, ""));
      if (!receiver.answer.empty()) stream->write(to_bytes(receiver.answer));
    }
    void on_closed(Error) override {}

    Receiver& receiver;
    std::unique_ptr<Stream> stream;
    std::string text;
  };

  std::vector<std::unique_ptr<Peer>> peers_;
  std::unique_ptr<Listener> listener_;
};

Result<HttpResponse> ask(loop::Loop& loop, HttpClient& client, HttpRequest request) {
  std::optional<Result<HttpResponse>> result;
  client.send(std::move(request), [&result](Result<HttpResponse> r) { result = std::move(r); });
  EXPECT_FALSE(result) << "never inside the call";
  for (int turns = 0; !result && turns < 500; ++turns) loop.run_once(milliseconds(20));
  return result ? std::move(*result) : Result<HttpResponse>(fail(Errc::timeout, "test gave up"));
}

HttpRequest post_to(const std::string& url) {
  HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = {{"Content-Type", "application/json; charset=utf-8"},
                     {"Authorization", "Bearer t"}};
  request.body = R"({"a":1})";
  request.timeout = seconds(5);
  return request;
}

TEST(HttpClient, PostsWithALengthAndKeepsTheConnection) {
  loop::Loop loop;
  Receiver receiver(loop);
  const auto client = make_http_client(loop);
  for (int i = 0; i < 3; ++i) {
    const auto answer = ask(loop, *client, post_to(receiver.url()));
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, "ok");
  }
  EXPECT_EQ(receiver.connections, 1);
  ASSERT_EQ(receiver.requests.size(), 3U);
  const std::string& request = receiver.requests[0];
  EXPECT_TRUE(request.starts_with("POST /hook?x=1 HTTP/1.1\r\n")) << request;
  EXPECT_NE(request.find("Content-Length: 7\r\n"), std::string::npos);
  EXPECT_NE(request.find("Authorization: Bearer t\r\n"), std::string::npos);
  EXPECT_NE(request.find("Content-Type: application/json; charset=utf-8\r\n"), std::string::npos);
  EXPECT_EQ(request.find("Transfer-Encoding"), std::string::npos);
  EXPECT_EQ(request.find("Expect"), std::string::npos);
  EXPECT_TRUE(request.ends_with("\r\n\r\n{\"a\":1}"));
}

TEST(HttpClient, DoesNotFollowRedirectsUnlessAsked) {
  loop::Loop loop;
  Receiver receiver(loop);
  receiver.answer = "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n";
  const auto client = make_http_client(loop);
  const auto answer = ask(loop, *client, post_to(receiver.url()));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 302);
  EXPECT_EQ(receiver.requests.size(), 1U);
}

TEST(HttpClient, KeepsOnlyAsMuchOfTheAnswerAsAsked) {
  loop::Loop loop;
  Receiver receiver(loop);
  receiver.answer = "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + std::string(200'000, 'x');
  const auto client = make_http_client(loop);
  HttpRequest request = post_to(receiver.url());
  request.response_limit = 1000;
  const auto answer = ask(loop, *client, std::move(request));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body.size(), 1000U);
}

TEST(HttpClient, TellsFailuresApart) {
  loop::Loop loop;
  const auto client = make_http_client(loop);
  std::string dead;
  {
    Receiver gone(loop);
    dead = gone.url();
  }
  EXPECT_EQ(ask(loop, *client, post_to(dead)).error().code, Errc::refused);
  EXPECT_EQ(ask(loop, *client, post_to("file:///etc/passwd")).error().code, Errc::malformed);
  EXPECT_EQ(ask(loop, *client, post_to("http://")).error().code, Errc::malformed);
  HttpRequest smuggling = post_to("http://127.0.0.1/");
  smuggling.headers = {{"Authorization", "x\r\nHost: y"}};
  EXPECT_EQ(ask(loop, *client, std::move(smuggling)).error().code, Errc::malformed);
}

TEST(HttpClient, GivesUpOnASilentReceiver) {
  loop::Loop loop;
  Receiver receiver(loop);
  receiver.answer.clear();
  const auto client = make_http_client(loop);
  HttpRequest request = post_to(receiver.url());
  request.timeout = milliseconds(50);
  EXPECT_EQ(ask(loop, *client, std::move(request)).error().code, Errc::timeout);
}

TEST(HttpClient, AnswersWhatIsOpenWhenItGoes) {
  loop::Loop loop;
  Receiver receiver(loop);
  receiver.answer.clear();
  auto client = make_http_client(loop);
  std::optional<Result<HttpResponse>> result;
  client->send(post_to(receiver.url()),
               [&result](Result<HttpResponse> r) { result = std::move(r); });
  for (int i = 0; receiver.requests.empty() && i < 500; ++i) loop.run_once(milliseconds(20));
  client.reset();
  for (int i = 0; !result && i < 500; ++i) loop.run_once(milliseconds(20));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->error().code, Errc::cancelled);
}

}  // namespace
}  // namespace posthorn::net
