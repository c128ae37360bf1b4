#include <gtest/gtest.h>

#include "api/host_names.h"
#include "box.h"
#include "posthorn/base/bytes.h"

namespace posthorn::api::test {
namespace {

std::string basic(const std::string& password) {
  return "Basic " + base64_encode(as_bytes("prometheus:" + password));
}

/// A method of the technician's and a page of the shop's counters.
struct Rights : testing::Test {
  Rights() {
    Route route;
    route.name = "makeBackup";
    route.verb = Verb::post;
    route.needs = Needs::body;
    route.right = Right::care;
    route.per_second = 1000;
    route.handler = [](Call call) { call.send_text(R"({"size":1})"); };
    box.api->add(std::move(route));
    box.api->add_page("/metrics", Right::send, [](const Request&, Reply reply) {
      reply.send(Response{.body = "up 1\n", .content_type = "text/plain", .headers = {}});
    });
  }
  std::shared_ptr<Answer> backup(const std::string& token, const std::string& header = "") {
    Request request = Box::request(
        Verb::post, "/waInstance" + std::to_string(kId) + "/makeBackup/" + token, "{}");
    request.authorization = header;
    return box.send(std::move(request));
  }
  std::shared_ptr<Answer> metrics(const std::string& behind, const std::string& header = "") {
    Request request = Box::request(Verb::get, "/metrics" + behind);
    request.authorization = header;
    return box.send(std::move(request));
  }

  Box box;
};

TEST_F(Rights, TheTillsTokenDoesNotReachTheTechniciansMethods) {
  const auto refused = backup(kToken);
  EXPECT_EQ(refused->status(), 403);
  EXPECT_NE(refused->message().find("careToken"), std::string::npos) << refused->text();
  EXPECT_EQ(backup(kCareToken)->status(), 200);
  EXPECT_EQ(backup(kToken, "Bearer " + kCareToken)->status(), 200);
  EXPECT_EQ(backup(kToken, "bearer " + kCareToken)->status(), 200);
  EXPECT_EQ(backup("-", basic(kCareToken))->status(), 200);
}

TEST_F(Rights, ThePagePasswordIsATechniciansOnlyWhereAPersonTypesIt) {
  EXPECT_EQ(backup("-", basic(kPagePassword))->status(), 200);
  EXPECT_EQ(backup(kPagePassword)->status(), 0) << "refused later, as a wrong token";
  EXPECT_EQ(backup(kToken, "Bearer " + kPagePassword)->status(), 403);
}

TEST_F(Rights, BasicOfABrowserIsNotShownForForeignPages) {
  const auto status = [this](const char* origin, const char* fetch_site) {
    Request form =
        Box::request(Verb::post, "/waInstance" + std::to_string(kId) + "/makeBackup/-", "{}");
    form.authorization = basic(kCareToken);
    form.host = "box.lan:8080";
    form.from_browser = true;
    form.origin = origin;
    form.fetch_site = fetch_site;
    const auto answer = box.send(std::move(form));
    box.scheduler.advance(seconds(60));
    return answer->status();
  };
  EXPECT_EQ(status("http://evil.example", ""), 401);
  EXPECT_EQ(status("null", ""), 401) << "of a sandboxed frame";
  EXPECT_EQ(status("http://box.lan:9090", ""), 401) << "another server of the same machine";
  EXPECT_EQ(status("", "cross-site"), 401);
  EXPECT_EQ(status("", "same-site"), 401);
  EXPECT_EQ(status("http://box.lan:8080", ""), 200);
  EXPECT_EQ(status("http://box.lan:8080", "same-origin"), 200);
}

TEST_F(Rights, BasicOpensNoMethodToAPictureOnAForeignPage) {
  Request picture = Box::request(Verb::get, "//waInstance" + std::to_string(kId) + "/logout/-");
  picture.authorization = basic(kCareToken);
  Request typed = picture;
  typed.fetch_site = "none";
  Request curl = picture;
  picture.from_browser = true;
  typed.from_browser = true;
  const auto refused = box.send(std::move(picture));
  box.scheduler.advance(seconds(60));
  EXPECT_EQ(refused->status(), 401);
  EXPECT_FALSE(box.link.who.phone.empty());
  EXPECT_EQ(box.send(std::move(typed))->status(), 200);
  box.scheduler.advance(seconds(60));
  EXPECT_EQ(box.send(std::move(curl))->status(), 200);
}

TEST_F(Rights, ABrowserReadsTheCountersWithBasic) {
  Request request = Box::request(Verb::get, "/metrics");
  request.authorization = basic(kToken);
  request.from_browser = true;
  EXPECT_EQ(box.send(std::move(request))->text(), "up 1\n");
}

TEST_F(Rights, TheTechnicianMayDoWhatTheTillMay) {
  const auto answer = box.send(
      Box::request(Verb::get, "/waInstance" + std::to_string(kId) + "/getSettings/" + kCareToken));
  EXPECT_EQ(answer->status(), 200);
}

TEST_F(Rights, CountersNeedATokenInOneOfTheWaysOfPrometheus) {
  const auto asked = metrics("");
  EXPECT_EQ(asked->status(), 401);
  EXPECT_EQ(asked->header("WWW-Authenticate"), "Basic realm=\"Posthorn\"");
  EXPECT_EQ(metrics("/" + kToken)->text(), "up 1\n");
  EXPECT_EQ(metrics("", "Bearer " + kToken)->text(), "up 1\n");
  EXPECT_EQ(metrics("", basic(kToken))->text(), "up 1\n");
  EXPECT_EQ(metrics("", basic(kPagePassword))->text(), "up 1\n");
  Request query = Box::request(Verb::get, "/metrics");
  query.query = {{"token", kToken}};
  EXPECT_EQ(box.send(std::move(query))->text(), "up 1\n");
}

TEST_F(Rights, GuessingThereIsAsSlowAsGuessingTokens) {
  const auto guess = metrics("", basic("12345678"));
  EXPECT_EQ(guess->status(), 0);
  box.scheduler.advance(seconds(1));
  EXPECT_EQ(guess->status(), 401);
}

TEST_F(Rights, BrokenHeadersAreWrongOnes) {
  for (const char* header : {"Bearer", "Bearer ", "Basic", "Basic ", "Basic !!!",
                             "Basic Og==", "Basic Og", "Digest x", "Basic YWJj"}) {
    const auto answer = metrics("", header);
    box.scheduler.advance(seconds(10));
    EXPECT_EQ(answer->status(), 401) << header;
  }
}

TEST_F(Rights, AnEmptySecretOpensNothing) {
  Box bare(1.0, "", "");
  for (const char* header : {"Basic Og==", "Bearer "}) {
    Request request = Box::request(Verb::get, "/healthz");
    request.authorization = header;
    const auto answer = bare.send(std::move(request));
    bare.scheduler.advance(seconds(10));
    EXPECT_EQ(answer->status(), 401) << header;
  }
}

TEST(Hosts, AreAddressesOwnNamesAndThoseThatNobodyCanRegister) {
  const std::vector<std::string> own{"posthorn.local", "box.shop.example"};
  for (const char* good :
       {"", "192.168.1.20", "192.168.1.20:8080", "[fd00::1]:8080", "[fe80::1%eth0]", "localhost",
        "localhost:8080", "posthorn", "POSTHORN.local", "posthorn.local.", "posthorn.fritz.box",
        "box.lan:80", "box.shop.example", "box.shop.example:8443", "x",
        // Clients with a fixed host, where the shop's DNS leads them here.
        "api.green-api.com", "media.green-api.com", "4100.api.green-api.com:443", "green-api.com",
        "API.Green-API.com."}) {
    EXPECT_TRUE(is_our_host(good, own)) << good;
  }
  for (const char* bad :
       {"evil.example", "posthorn.local.evil.example", "192.168.1.20.evil.example",
        "evil.example:80", "shop.example", "box.shop.example.org", "1.2.3", "1.2.3.4.5", ":80",
        "[evil.example]", "box.com", "evillocal.com", "evilgreen-api.com",
        "green-api.com.evil.example", "green-api.org"}) {
    EXPECT_FALSE(is_our_host(bad, own)) << bad;
  }
}

TEST(Hosts, ARebindingPageGetsNothingWhateverItAsks) {
  Box box;
  for (const std::string& path : {std::string("/"), std::string("/healthz"),
                                  Box::path("getSettings"), std::string("/certificate.pem")}) {
    for (const Verb verb : {Verb::get, Verb::options, Verb::post}) {
      Request request = Box::request(verb, path);
      request.host = "rebound.evil.example";
      request.local = true;
      const auto answer = box.send(std::move(request));
      EXPECT_EQ(answer->status(), 421) << path;
      EXPECT_NE(answer->message().find("api.names"), std::string::npos);
    }
  }
}

TEST(Hosts, OnlyTheTokenApiAndFilesAreOpenToPagesOfAnyOrigin) {
  Box box;
  EXPECT_TRUE(box.api->terms(Box::request(Verb::get, "/files/ab-cd/a.jpg")).any_origin);
  EXPECT_TRUE(box.api->terms(Box::request(Verb::get, Box::path("getSettings"))).any_origin);
  EXPECT_FALSE(box.api->terms(Box::request(Verb::get, "/healthz")).any_origin);
  EXPECT_FALSE(box.api->terms(Box::request(Verb::get, "/metrics/" + kToken)).any_origin);
}

TEST(Bodies, OfTooManyMembersAreRefusedBeforeTheyAreMade) {
  Box box;
  std::string body = R"({"chatId":"4915550007777@c.us","message":"a,b","x":[0)";
  for (int i = 0; i < 20'000; ++i) body += ",0";
  const auto answer = box.post("sendMessage", body + "]}");
  EXPECT_EQ(answer->status(), 400);
  EXPECT_NE(answer->message().find("10000 values"), std::string::npos) << answer->text();
}

TEST(Bodies, OfEqualKeysTheLastOneWins) {
  Box box;
  const auto answer = box.post(
      "sendMessage", R"({"chatId":"4915550007777@c.us","message":"first","message":"second"})");
  ASSERT_EQ(answer->status(), 200) << answer->text();
  EXPECT_EQ(readable_text(box.outbox.views.at(0).job.content), "second");
}

}  // namespace
}  // namespace posthorn::api::test
