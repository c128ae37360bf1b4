#include "session/version_finder.h"

#include <gtest/gtest.h>

#include "support/fakes.h"

namespace posthorn::session {
namespace {

using namespace posthorn::test;

constexpr auto kPage =
    "HTTP/1.1 200 OK\r\nContent-Type: text/javascript\r\n\r\n"
    R"(self.x="{\"server_revision\":1,\"client_revision\":1045649367,\"a\":\"client\"}";)";

std::optional<std::string> scan(std::string_view text, std::size_t piece) {
  RevisionScanner scanner;
  for (std::size_t at = 0; at < text.size(); at += piece)
    scanner.feed(as_bytes(text.substr(at, piece)));
  return scanner.found();
}

TEST(RevisionScanner, FindsTheNumberInAnyPieces) {
  for (std::size_t piece = 1; piece < 40; ++piece)
    EXPECT_EQ(scan(kPage, piece), "1045649367") << piece;
  EXPECT_EQ(scan(R"("client_revision":77})", 100), "77");
}

TEST(RevisionScanner, FindsNothingWhereThereIsNothing) {
  EXPECT_FALSE(scan("client_revision", 100).has_value());
  EXPECT_FALSE(scan("client_revision: many words before 12 ", 100).has_value());
  EXPECT_FALSE(scan("client_revisio 12 ", 100).has_value());
  EXPECT_FALSE(scan(R"("client_revision":1045649367)", 100).has_value());  // may go on
  EXPECT_EQ(scan("cclient_client_revision:5;", 3), "5");
  EXPECT_EQ(scan("client_revision words come here client_revision:6;", 7), "6");
}

TEST(VersionFinder, AcceptsOnlyPlausibleNumbers) {
  EXPECT_EQ(accept_revision("1045649367", 1043028647), 1045649367U);
  for (const char* wrong :
       {"1043028647", "1043028646", "104564936", "104564936777", "10456x9367", "", "9999999999"})
    EXPECT_FALSE(accept_revision(wrong, 1043028647).has_value()) << wrong;
}

/// A web server that says one thing to everybody.
struct Web final : Stream::Handler {
  Web() {
    dialer.accept = [this](std::unique_ptr<Stream> stream) {
      line = std::move(stream);
      line->start(*this);
    };
  }
  void on_data(ByteView data) override {
    request += as_text(data);
    if (!request.ends_with("\r\n\r\n") || answer.empty()) return;
    line->write(to_bytes(answer));
    line->close();
  }
  void on_closed(Error) override {}

  FakeScheduler scheduler;
  MemoryDialer dialer{scheduler};
  MemoryBlobStore blobs{scheduler};
  Clock clock{scheduler, Wall::from_unix(1'780'000'000, false)};
  std::unique_ptr<Stream> line;
  std::string request;
  std::string answer = kPage;
};

struct Look {
  std::optional<Result<bool>> got;
  Once<void(Result<bool>)> done() {
    return [this](Result<bool> newer) { got = std::move(newer); };
  }
};

TEST(VersionFinder, LooksUpAndKeepsANewerVersion) {
  Web web;
  const WhatsAppConfig config;
  {
    VersionFinder finder({web.scheduler, web.clock, web.dialer, web.blobs}, config);
    ASSERT_TRUE(finder.load().has_value());
    EXPECT_EQ(finder.version(), config.version);
    EXPECT_TRUE(finder.due());
    Look look;
    finder.look(look.done());
    Look second;
    finder.look(second.done());
    EXPECT_EQ(second.got->error().code, Errc::busy);
    web.scheduler.advance(seconds(1));
    ASSERT_TRUE(look.got && *look.got);
    EXPECT_TRUE(**look.got);
    EXPECT_EQ(finder.version()[2], 1045649367U);
    EXPECT_FALSE(finder.due());
    EXPECT_TRUE(web.request.starts_with("GET /sw.js HTTP/1.1\r\nHost: web.whatsapp.com\r\n"));
    Look again;
    finder.look(again.done());
    web.scheduler.advance(seconds(1));
    ASSERT_TRUE(again.got && *again.got);
    EXPECT_FALSE(**again.got);  // nothing newer than what we know
  }
  VersionFinder after_restart({web.scheduler, web.clock, web.dialer, web.blobs}, config);
  ASSERT_TRUE(after_restart.load().has_value());
  EXPECT_EQ(after_restart.version()[2], 1045649367U);
  EXPECT_FALSE(after_restart.due());
  web.scheduler.advance(hours(25));
  EXPECT_TRUE(after_restart.due());
}

TEST(VersionFinder, KeepsWhatItHasWhenTheLookFails) {
  for (const char* answer : {"HTTP/1.1 500 no\r\n\r\n", "client_revision:12;", ""}) {
    Web web;
    web.answer = answer;
    VersionFinder finder({web.scheduler, web.clock, web.dialer, web.blobs}, WhatsAppConfig{});
    Look look;
    finder.look(look.done());
    web.scheduler.advance(seconds(25));
    ASSERT_TRUE(look.got.has_value());
    EXPECT_FALSE(look.got->value_or(false));
    EXPECT_EQ(finder.version(), WhatsAppConfig{}.version);
  }
  Web web;
  web.dialer.refuse = true;
  VersionFinder finder({web.scheduler, web.clock, web.dialer, web.blobs}, WhatsAppConfig{});
  Look look;
  finder.look(look.done());
  web.scheduler.advance(seconds(1));
  EXPECT_EQ(look.got->error().code, Errc::refused);
}

TEST(VersionFinder, LeavesAnOperatorsChoiceAndAStandInAlone) {
  Web web;
  WhatsAppConfig pinned;
  pinned.version = {2, 3000, 1'099'999'999};
  WhatsAppConfig stand_in;
  stand_in.noise_root_key = std::string(64, '1');
  for (const auto& config : {pinned, stand_in}) {
    VersionFinder finder({web.scheduler, web.clock, web.dialer, web.blobs}, config);
    EXPECT_FALSE(finder.due());
    Look look;
    finder.look(look.done());
    EXPECT_EQ(look.got->error().code, Errc::unsupported);
    EXPECT_EQ(finder.version(), config.version);
  }
  EXPECT_EQ(web.dialer.dialled, 0U);
}

TEST(VersionFinder, AnswersWhenItEndsEarly) {
  Web web;
  Look look;
  {
    VersionFinder finder({web.scheduler, web.clock, web.dialer, web.blobs}, WhatsAppConfig{});
    finder.look(look.done());
  }
  EXPECT_EQ(look.got->error().code, Errc::cancelled);
  web.scheduler.advance(minutes(1));
}

}  // namespace
}  // namespace posthorn::session
