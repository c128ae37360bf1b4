// Links with a preview: the page and its picture are fetched by the box before the text's turn.

#include <gtest/gtest.h>

#include "posthorn/base/crypto.h"
#include "posthorn/wire/wa.pb.h"
#include "shop.h"

namespace posthorn::scenario {
namespace {

using simulator::Received;

constexpr const char* kPage = "https://shop.example/menu";
/// 8 by 8 pixels.
constexpr const char* kPng =
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR42mM4YSOCFTEMLQkAh11GAShFWoUAAAAASUVORK"
    "5CYII=";

Config preview_config() {
  Config config = established();
  config.whatsapp.media_insecure_hosts = {"127.0.0.1"};
  config.throttle.quiet_from = "00:00";
  config.throttle.quiet_to = "00:00";
  return config;
}

class PreviewScenario : public testing::Test {
 protected:
  void SetUp() override {
    customer = shop.link_with_customer();
    chat = customer + "@c.us";
    page(R"(<head><meta property="og:title" content="Today&#39;s menu">)"
         R"(<meta property="og:description" content="12 dishes">)"
         R"(<meta property="og:image" content="/m.png"></head><body>)");
    shop.http.pages["https://shop.example/m.png"] = {200, to_string(*base64_decode(kPng)),
                                                     "image/png"};
  }

  void page(const std::string& html) { shop.http.pages[kPage] = {200, html, "text/html"}; }

  std::string posts(const std::string& text, const std::string& more = "") {
    json::Value body = json::parse("{" + more + "}").value_or(json::Value());
    body["chatId"] = chat;
    body["message"] = text;
    const auto answer = shop.post("sendMessage", json::write(body));
    EXPECT_EQ(answer.status, 200) << json::write(answer.body);
    return answer.body["idMessage"].asString();
  }

  /// What the customer got with that id, waiting for it.
  wa::Message::ExtendedTextMessage got(const std::string& id, std::string* plain = nullptr) {
    for (int i = 0; i < 120; ++i) {
      for (const Received& one : world.inbox(customer)) {
        if (one.id != id) continue;
        wa::Message message;
        EXPECT_TRUE(message.ParseFromString(to_string(one.protobuf)));
        if (plain != nullptr) *plain = message.conversation();
        return message.extendedtextmessage();
      }
      shop.pass(seconds(1));
    }
    ADD_FAILURE() << "nothing came";
    return {};
  }

  [[nodiscard]] std::size_t asked(const std::string& what) const {
    return static_cast<std::size_t>(
        std::count(shop.http.asked.begin(), shop.http.asked.end(), what));
  }

  Shop shop{preview_config()};
  simulator::Simulator& world = shop.world;
  std::string customer, chat;
};

TEST_F(PreviewScenario, ATextShowsThePageThatItsLinkLeadsTo) {
  const auto text = got(posts("Menu: https://shop.example/menu."));
  EXPECT_EQ(text.text(), "Menu: https://shop.example/menu.");
  EXPECT_EQ(text.matchedtext(), kPage);
  EXPECT_EQ(text.title(), "Today's menu");
  EXPECT_EQ(text.description(), "12 dishes");
  EXPECT_TRUE(text.jpegthumbnail().starts_with("\xFF\xD8\xFF"));
  EXPECT_EQ(text.thumbnaildirectpath(), "") << "a small one has no more";
  EXPECT_TRUE(world.violations().empty()) << world.violations().front().what;
}

TEST_F(PreviewScenario, AMenuForManyIsFetchedOnce) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(got(posts("Number " + std::to_string(i) + " https://shop.example/menu")).title(),
              "Today's menu");
  }
  EXPECT_EQ(asked("GET /menu"), 1U);
  EXPECT_EQ(asked("GET /m.png"), 1U);
}

TEST_F(PreviewScenario, ALargeOneBringsThePictureItself) {
  const auto text = got(posts("https://shop.example/menu", R"("typePreview":"large")"));
  EXPECT_EQ(text.thumbnailwidth(), 8U);
  EXPECT_EQ(text.thumbnailheight(), 8U);
  EXPECT_EQ(hex_encode(as_bytes(text.thumbnailsha256())),
            hex_encode(crypto::sha256(*base64_decode(kPng))));
  EXPECT_EQ(text.mediakey().size(), 32U);
  EXPECT_NE(text.thumbnaildirectpath(), "");
  EXPECT_EQ(std::count_if(shop.http.asked.begin(), shop.http.asked.end(),
                          [](const std::string& one) {
                            return one.starts_with("POST /mms/thumbnail-link/");
                          }),
            1);
}

TEST_F(PreviewScenario, TheTillsOwnWordsCountAndNothingElseIsAsked) {
  const auto text =
      got(posts("Menu", R"("customPreview":{"title":"Cakes","description":"by Ida","link":)"
                        R"("https://shop.example/c","urlFile":"https://shop.example/m.png"})"));
  EXPECT_EQ(text.title(), "Cakes");
  EXPECT_EQ(text.description(), "by Ida");
  EXPECT_EQ(text.matchedtext(), "https://shop.example/c");
  EXPECT_TRUE(text.jpegthumbnail().starts_with("\xFF\xD8\xFF"));
  EXPECT_EQ(asked("GET /m.png"), 1U);
  EXPECT_EQ(asked("GET /c"), 0U);
}

TEST_F(PreviewScenario, WithoutAPreviewTheTextGoesAsItIs) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"https://shop.example/menu", R"("linkPreview":false)"},
      {"https://gone.example/x", ""},
      {"no link", ""},
  };
  for (const auto& [words, more] : rows) {
    std::string plain;
    got(posts(words, more), &plain);
    EXPECT_EQ(plain, words);
  }
  page(std::string(600'000, ' ') + "<title>too late</title>");
  std::string plain;
  got(posts("https://shop.example/menu"), &plain);
  EXPECT_EQ(plain, "https://shop.example/menu") << "only the beginning of a page is read";
}

TEST_F(PreviewScenario, AnEndlessPageIsLeftWhenItHasSaidEnough) {
  page("<head><title>Menu</title></head>" + std::string(5'000'000, 'x'));
  EXPECT_EQ(got(posts("https://shop.example/menu")).title(), "Menu");
}

TEST_F(PreviewScenario, NobodyWaitsForASlowPageOfSomebodyElse) {
  shop.http.never.insert("https://slow.example/");
  const std::string slow = posts("https://slow.example/");
  EXPECT_EQ(shop.queue()[slow], "preparing");
  const std::string other = world.add_account({"4915550003333", "Otto"}).pn.user;
  simulator::PeerText hello;
  hello.to = shop.phone;
  hello.text = "Hi";
  ASSERT_TRUE(world.peer_send(other, hello));
  shop.pass(seconds(2));
  shop.send(other + "@c.us", "Ready");
  for (int i = 0; i < 12 && world.inbox(other).empty(); ++i) shop.pass(seconds(1));
  EXPECT_EQ(world.inbox(other).size(), 1U);
  std::string plain;
  got(slow, &plain);
  EXPECT_EQ(plain, "https://slow.example/") << "after 15 seconds it goes without";
}

TEST_F(PreviewScenario, PagesAreAskedForOutsideOfTheShopOnly) {
  got(posts("https://shop.example/menu"));
  const auto page = std::find_if(shop.http.requests.begin(), shop.http.requests.end(),
                                 [](const auto& one) { return one.url == kPage; });
  ASSERT_NE(page, shop.http.requests.end());
  EXPECT_TRUE(page->public_only);
  EXPECT_LE(page->redirects, 3);
  EXPECT_LE(page->timeout, seconds(15));
}

TEST_F(PreviewScenario, AFarewellInTheMiddleHarmsNobody) {
  shop.http.never.insert("https://slow.example/");
  const std::string id = posts("https://slow.example/");
  shop.pass(milliseconds(100));
  shop.restart();
  std::string plain;
  got(id, &plain);
  EXPECT_EQ(plain, "https://slow.example/");
}

}  // namespace
}  // namespace posthorn::scenario
