#include "posthorn/api/file_links.h"

#include <gtest/gtest.h>

#include "support/fakes.h"

namespace posthorn::api::test {
namespace {

class CountingBlobs final : public BlobStore {
 public:
  explicit CountingBlobs(Scheduler& scheduler) : blobs_(scheduler) {}
  Result<std::optional<Bytes>> load(std::string_view name) override { return blobs_.load(name); }
  Result<void> save(std::string_view name, ByteView value) override {
    ++saves;
    return blobs_.save(name, value);
  }
  void durable(Once<void(Result<void>)> done) override { blobs_.durable(std::move(done)); }

  int saves = 0;

 private:
  posthorn::test::MemoryBlobStore blobs_;
};

struct CalledBox : testing::Test {
  CalledBox() { start("http"); }
  void start(const std::string& scheme) {
    FileLinks::Options options;
    options.scheme = scheme;
    links = std::move(*FileLinks::load(blobs, random, std::move(options)));
    blobs.saves = 0;
  }
  void call(const Request& request) { links->on_called(request, scheduler.now()); }
  static Request till(const std::string& host) {
    Request request;
    request.host = host;
    return request;
  }
  static Request page(const std::string& host) {
    Request request = till(host);
    request.from_page = true;
    return request;
  }
  /// What a link begins with that goes out unasked.
  [[nodiscard]] std::string told() const {
    content::File file;
    file.ref = std::string(64, 'a');
    const std::string link = links->link_to(file);
    return link.substr(0, link.find("/files/"));
  }

  posthorn::test::FakeScheduler scheduler;
  posthorn::test::SeededRandom random;
  CountingBlobs blobs{scheduler};
  std::unique_ptr<FileLinks> links;
};

TEST_F(CalledBox, GoesByTheTillsNameAndNotByThePages) {
  call(page("192.168.1.5:8080"));
  EXPECT_EQ(told(), "http://192.168.1.5:8080") << "while there is no other";
  call(till("box.lan:8080"));
  EXPECT_EQ(told(), "http://box.lan:8080");
  call(page("192.168.1.5:8080"));
  EXPECT_EQ(told(), "http://box.lan:8080");
  Request local = till("127.0.0.1:8080");
  local.local = true;
  call(local);
  EXPECT_EQ(told(), "http://box.lan:8080");
}

TEST_F(CalledBox, DoesNotMixTheSchemeOfOneWithThePortOfTheOther) {
  Request secure = till("box.lan:8443");
  secure.secure = true;
  call(secure);
  EXPECT_EQ(told(), "");
  start("https");
  call(till("box.lan:8080"));
  EXPECT_EQ(told(), "");
  call(secure);
  EXPECT_EQ(told(), "https://box.lan:8443");
}

TEST_F(CalledBox, SavesItsNameAtMostEveryTenMinutes) {
  for (int i = 0; i < 50; ++i) {
    call(till("box.lan:8080"));
    call(page("192.168.1.5:8080"));
  }
  EXPECT_EQ(blobs.saves, 1);
  for (int i = 0; i < 50; ++i) {
    call(till("box.lan:8080"));
    call(till("posthorn.local:8080"));
  }
  EXPECT_EQ(told(), "http://posthorn.local:8080");
  EXPECT_EQ(blobs.saves, 1);
  scheduler.advance(minutes(10));
  call(till("posthorn.local:8080"));
  EXPECT_EQ(blobs.saves, 2);
  start("http");
  EXPECT_EQ(told(), "http://posthorn.local:8080");
}

}  // namespace
}  // namespace posthorn::api::test
