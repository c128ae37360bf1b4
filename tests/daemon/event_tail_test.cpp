#include "daemon/event_tail.h"

#include <gtest/gtest.h>

#include "support/fakes.h"
#include "support/mem_disk.h"

namespace posthorn::daemon {
namespace {

class EventTailTest : public ::testing::Test {
 protected:
  EventTailTest() { start(); }

  void start() {
    tail_.reset();
    ring_.reset();
    scheduler_.run_posted();
    queue::RingFile::Options options;
    options.path = "inbox.ring";
    options.bytes = 256 * 1024;
    options.when_full = queue::WhenFull::drop_oldest;
    ring_ = std::move(*queue::RingFile::open(disk_, scheduler_, worker_, random_, options));
    tail_ = std::make_unique<EventTail>(scheduler_, *ring_);
  }
  void store(const std::string& body) {
    ring_->append(to_bytes(body), Wall{},
                  [this](const Result<queue::Sequence>&) { tail_->on_stored(); });
    scheduler_.run_posted();
  }

  struct Answer {
    int status = 0;
    json::Value body;
    [[nodiscard]] std::vector<int> numbers() const {
      std::vector<int> all;
      for (const json::Value& event : body["events"]) all.push_back(event["number"].asInt());
      return all;
    }
  };
  /// query: "after=3&wait=5".
  std::shared_ptr<Answer> ask(const std::string& name, const std::string& query = "",
                              const std::string& body = "{}") {
    auto answer = std::make_shared<Answer>();
    api::Request request;
    for (std::size_t at = 0; at < query.size();) {
      const std::size_t end = std::min(query.find('&', at), query.size());
      const std::string pair = query.substr(at, end - at);
      request.query.emplace_back(pair.substr(0, pair.find('=')), pair.substr(pair.find('=') + 1));
      at = end + 1;
    }
    api::Call call{std::move(request), *json::parse(body), "", Wall{},
                   api::Reply([answer](const api::Response& response) {
                     answer->status = response.status;
                     answer->body = json::parse(response.body).value_or(json::Value());
                   })};
    for (api::Route& route : tail_->routes()) {
      if (route.name != name) continue;
      route.handler(std::move(call));
      break;
    }
    scheduler_.run_posted();
    return answer;
  }
  std::shared_ptr<Answer> watch(const std::string& query) { return ask("watchEvents", query); }
  using Numbers = std::vector<int>;

  test::MemDisk disk_;
  test::FakeScheduler scheduler_;
  test::InlineWorker worker_{scheduler_};
  test::SeededRandom random_{1};
  std::unique_ptr<queue::RingFile> ring_;
  std::unique_ptr<EventTail> tail_;
};

TEST_F(EventTailTest, ShowsWhatWasStoredAndTakesNothing) {
  store(R"({"n":1})");
  store(R"({"n":2})");
  const auto all = watch("after=0");
  EXPECT_EQ(all->numbers(), (Numbers{1, 2}));
  EXPECT_EQ(all->body["events"][1]["event"]["n"].asInt(), 2);
  EXPECT_EQ(all->body["last"].asInt(), 2);
  EXPECT_EQ(all->body["lost"].asInt(), 0);
  EXPECT_EQ(watch("after=1")->numbers(), Numbers{2});
  EXPECT_EQ(ring_->status().pending, 2U);
}

TEST_F(EventTailTest, WaitsForTheNextOne) {
  const auto waiting = watch("after=0&wait=20");
  EXPECT_EQ(waiting->status, 0);
  store(R"({"n":1})");
  EXPECT_EQ(waiting->numbers(), Numbers{1});
  const auto in_vain = watch("after=1&wait=20");
  scheduler_.advance(seconds(19));
  EXPECT_EQ(in_vain->status, 0);
  scheduler_.advance(seconds(2));
  EXPECT_EQ(in_vain->status, 200);
  EXPECT_TRUE(in_vain->numbers().empty());
  EXPECT_EQ(in_vain->body["last"].asInt(), 1);
}

TEST_F(EventTailTest, NumbersGoOnAfterARestart) {
  store(R"({"n":1})");
  while (const auto first = ring_->first()) ring_->ack(first->sequence);
  ring_->flush([](const Result<void>&) {});
  scheduler_.run_posted();
  start();
  store(R"({"n":2})");
  EXPECT_EQ(watch("after=0")->numbers(), (Numbers{1, 2}))
      << "done with by the POS, still to be seen";
  EXPECT_EQ(watch("after=1")->numbers(), Numbers{2});
}

TEST_F(EventTailTest, ANamedReaderGoesOnWhereItWas) {
  EXPECT_TRUE(watch("reader=page")->numbers().empty());
  for (int n = 1; n <= 3; ++n) store("{\"n\":" + std::to_string(n) + "}");
  EXPECT_EQ(watch("reader=page")->numbers(), (Numbers{1, 2, 3}));
  EXPECT_EQ(watch("reader=page&after=2")->numbers(), Numbers{3});
  scheduler_.advance(seconds(3));
  start();
  EXPECT_EQ(watch("reader=page")->numbers(), Numbers{3});
  const json::Value readers = ask("getReaders")->body;
  ASSERT_EQ(readers.size(), 1U);
  EXPECT_EQ(readers[0]["reader"].asString(), "page");
  EXPECT_EQ(readers[0]["position"].asInt(), 2);
  EXPECT_EQ(readers[0]["behind"].asInt(), 1);
}

TEST_F(EventTailTest, AReaderIsToldWhatItMissed) {
  watch("reader=fleet&behind=2");
  for (int n = 1; n <= 5; ++n) store("{}");
  const auto answer = watch("reader=fleet&behind=2");
  EXPECT_EQ(answer->numbers(), (Numbers{4, 5}));
  EXPECT_EQ(answer->body["lost"].asInt(), 3);
}

TEST_F(EventTailTest, ReadersAreFourAndMayGo) {
  for (const char* name : {"a", "b", "c", "d"}) {
    EXPECT_EQ(watch("reader=" + std::string(name))->status, 200);
  }
  EXPECT_EQ(watch("reader=e")->status, 400);
  EXPECT_EQ(watch("reader=NOT+GOOD")->status, 400);
  EXPECT_EQ(ask("removeReader", "", R"({"reader":"a"})")->status, 200);
  EXPECT_EQ(watch("reader=e")->status, 200);
}

TEST_F(EventTailTest, AnswersAreBoundedAndSoAreWatchers) {
  const std::string large = "\"" + std::string(15'000, 'x') + "\"";
  for (int i = 0; i < 40; ++i) store(large);
  const auto answer = watch("after=20");
  EXPECT_LE(answer->numbers().size(), EventTail::kAnswerBytes / 15'000 + 1);
  std::vector<std::shared_ptr<Answer>> waiting;
  for (int i = 0; i < 8; ++i) waiting.push_back(watch("after=40&wait=20"));
  EXPECT_EQ(watch("after=40&wait=20")->status, 429);
  tail_->stop();
  for (const auto& one : waiting) EXPECT_EQ(one->status, 200);
}

}  // namespace
}  // namespace posthorn::daemon
