#include <gtest/gtest.h>

#include "api/page/escape_html.h"
#include "api/page/sessions.h"
#include "box.h"
#include "posthorn/api/form.h"
#include "posthorn/base/bytes.h"

namespace posthorn::api::test {
namespace {

const std::string kPassword = "two-bretzels";

/// "posthorn_4100012345=…" out of Set-Cookie.
std::string cookie_of(const Answer& answer) {
  const std::string set = answer.header("Set-Cookie");
  return set.substr(0, set.find(';'));
}

/// A box whose page has no password yet.
struct PageInBrowser : testing::Test {
  /// As the page's script sends it.
  static Request request(Verb verb, const std::string& path, const std::string& body = "",
                         const std::string& cookie = "") {
    Request out = Box::request(verb, path, body);
    out.host = "posthorn.local";
    out.from_page = true;
    out.cookie = cookie;
    return out;
  }
  std::shared_ptr<Answer> ask(Verb verb, const std::string& path, const std::string& body = "",
                              const std::string& cookie = "") {
    return settled(box.send(request(verb, path, body, cookie)));
  }
  /// Lets the answer's pause pass.
  std::shared_ptr<Answer> settled(std::shared_ptr<Answer> answer) {
    if (!answer->response) box.scheduler.advance(seconds(9));
    return answer;
  }
  std::shared_ptr<Answer> log_in(const std::string& password) {
    json::Value body;
    body["password"] = password;
    return ask(Verb::post, "/session", json::write(body));
  }
  std::shared_ptr<Answer> set_password(const std::string& password, const std::string& current = "",
                                       const std::string& cookie = "") {
    json::Value body;
    body["password"] = password;
    body["current"] = current;
    return ask(Verb::post, "/password", json::write(body), cookie);
  }
  static std::string method(const std::string& name) {
    return "/waInstance" + std::to_string(kId) + "/" + name;
  }
  int settings_status(const std::string& cookie) {
    box.scheduler.advance(seconds(2));  // the method's own rate
    return ask(Verb::get, method("getSettings"), "", cookie)->status();
  }

  Box box{1.0, kCareToken, ""};
};

TEST_F(PageInBrowser, WhoeverComesFirstSetsThePasswordAndIsLoggedIn) {
  const auto before = ask(Verb::get, "/session");
  EXPECT_EQ(before->json()["passwordSet"].asBool(), false);
  EXPECT_GT(before->json()["firstPasswordSeconds"].asInt(), 1700);
  EXPECT_TRUE(before->json()["idInstance"].isNull());
  const auto set = set_password(kPassword);
  ASSERT_EQ(set->status(), 200) << set->text();
  EXPECT_TRUE(set->json()["loggedIn"].asBool());
  const std::string cookie = set->header("Set-Cookie");
  for (const char* part : {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=2592000"}) {
    EXPECT_NE(cookie.find(part), std::string::npos) << cookie;
  }
  EXPECT_EQ(settings_status(cookie_of(*set)), 200);
  EXPECT_EQ(set_password("another-one")->status(), 401) << "a second first password";
  EXPECT_EQ(log_in(kPassword)->status(), 200);
}

TEST_F(PageInBrowser, NothingOfThePasswordIsKeptButItsSlowHash) {
  (void)set_password(kPassword);
  const std::string kept(as_text(box.blobs.values.at("page/password")));
  EXPECT_EQ(kept.find(kPassword), std::string::npos);
  const auto value = json::parse(kept);
  EXPECT_GE((Page{box.worker, {}}.password_rounds), 200'000U);
  const auto salt = hex_decode((*value)["salt"].asString());
  EXPECT_EQ(hex_encode(
                crypto::pbkdf2_sha256(as_bytes(kPassword), *salt, (*value)["rounds"].asUInt(), 32)),
            (*value)["hash"].asString());
}

TEST_F(PageInBrowser, TheFirstPasswordHasHalfAnHourOrAPressOfTheButton) {
  box.scheduler.advance(minutes(31));
  const auto late = set_password(kPassword);
  EXPECT_EQ(late->status(), 403);
  EXPECT_NE(late->message().find("button"), std::string::npos);
  box.api->on_button();
  EXPECT_EQ(set_password(kPassword)->status(), 200);
}

TEST_F(PageInBrowser, APasswordHasEightToAHundredAndTwentyEightCharacters) {
  EXPECT_EQ(set_password("short77")->status(), 400);
  EXPECT_EQ(set_password(std::string(129, 'x'))->status(), 400);
  EXPECT_EQ(set_password(std::string(128, 'x'))->status(), 200);
}

TEST_F(PageInBrowser, ACookieCountsOnlyWithWhatForeignPagesCannotSend) {
  const std::string cookie = cookie_of(*set_password(kPassword));
  // Green-API's logout is a GET: a picture on a foreign page asks for it.
  Request picture = request(Verb::get, method("logout"), "", cookie);
  picture.from_page = false;
  EXPECT_EQ(settled(box.send(std::move(picture)))->status(), 401);
  EXPECT_FALSE(box.link.who.phone.empty());
  Request cross = request(Verb::get, method("getSettings"), "", cookie);
  cross.fetch_site = "cross-site";
  EXPECT_EQ(settled(box.send(std::move(cross)))->status(), 401);
  Request sibling = request(Verb::get, method("getSettings"), "", cookie);
  sibling.fetch_site = "same-site";
  EXPECT_EQ(settled(box.send(std::move(sibling)))->status(), 401);
  Request own = request(Verb::get, method("getSettings"), "", cookie);
  own.fetch_site = "same-origin";
  EXPECT_EQ(settled(box.send(std::move(own)))->status(), 200);
}

TEST_F(PageInBrowser, NothingIsChangedWithoutTheHeader) {
  for (const auto& [verb, path] :
       {std::pair{Verb::post, "/session"}, std::pair{Verb::del, "/session"},
        std::pair{Verb::post, "/password"}, std::pair{Verb::del, "/sessions"}}) {
    Request foreign = request(verb, path, R"({"password":"two-bretzels"})");
    foreign.from_page = false;
    EXPECT_EQ(box.send(std::move(foreign))->status(), 403) << path;
  }
  EXPECT_FALSE(ask(Verb::get, "/session")->json()["passwordSet"].asBool());
}

TEST_F(PageInBrowser, PreflightsDoNotGrantTheHeader) {
  const auto preflight = box.send(request(Verb::options, method("setSettings")));
  EXPECT_EQ(preflight->header("Access-Control-Allow-Headers").find("X-Posthorn"),
            std::string::npos);
  EXPECT_EQ(preflight->header("Access-Control-Allow-Credentials"), "");
}

TEST_F(PageInBrowser, AnIdThatSomebodyBroughtIsNeverTaken) {
  (void)set_password(kPassword);
  const std::string brought = "posthorn_" + std::to_string(kId) + "=" + std::string(32, 'a');
  const auto in = ask(Verb::post, "/session", R"({"password":"two-bretzels"})", brought);
  ASSERT_EQ(in->status(), 200);
  EXPECT_NE(cookie_of(*in), brought);
  EXPECT_EQ(settings_status(brought), 401);
  EXPECT_NE(cookie_of(*in), cookie_of(*log_in(kPassword))) << "each login has an id of its own";
}

TEST_F(PageInBrowser, WrongPasswordsAreSlowedDownOneAtATime) {
  (void)set_password(kPassword);
  const auto wrong = box.send(request(Verb::post, "/session", R"({"password":"wrong-one"})"));
  EXPECT_EQ(wrong->status(), 0) << "held back";
  const auto second = box.send(request(Verb::post, "/session", R"({"password":"two-bretzels"})"));
  EXPECT_EQ(second->status(), 429) << "and no other is looked at meanwhile, not even a right one";
  box.scheduler.advance(milliseconds(600));
  EXPECT_EQ(wrong->status(), 401);
  const Mono began = box.scheduler.now();
  int tries = 0;
  for (; box.scheduler.now() - began < minutes(10); ++tries) {
    EXPECT_EQ(log_in("wrong-one")->status(), 401);
  }
  EXPECT_LT(tries, 80);
  Request owner = request(Verb::post, "/session", R"({"password":"two-bretzels"})");
  owner.peer = "192.168.1.77";
  EXPECT_EQ(box.send(std::move(owner))->status(), 200) << "somebody else is not slowed down";
}

TEST_F(PageInBrowser, TheTechniciansTokenOpensThePageAndMendsAForgottenPassword) {
  EXPECT_EQ(log_in(kCareToken)->status(), 200) << "also before there is a password";
  EXPECT_EQ(log_in(kToken)->status(), 409) << "the till's does not";
  (void)set_password(kPassword);
  EXPECT_EQ(log_in(kToken)->status(), 401);
  Request change = request(Verb::post, "/password", R"({"password":"three-bretzels"})");
  change.authorization = "Bearer " + kCareToken;
  EXPECT_EQ(settled(box.send(std::move(change)))->status(), 200);
  EXPECT_EQ(log_in("three-bretzels")->status(), 200);
}

TEST_F(PageInBrowser, AnotherPasswordEndsEverySession) {
  const std::string first = cookie_of(*set_password(kPassword));
  const std::string second = cookie_of(*log_in(kPassword));
  EXPECT_EQ(set_password("three-bretzels", "not-the-one", first)->status(), 403);
  EXPECT_EQ(settings_status(second), 200);
  const auto changed = set_password("three-bretzels", kPassword, first);
  ASSERT_EQ(changed->status(), 200);
  EXPECT_EQ(settings_status(first), 401);
  EXPECT_EQ(settings_status(second), 401);
  EXPECT_EQ(settings_status(cookie_of(*changed)), 200);
  EXPECT_EQ(log_in(kPassword)->status(), 401);
}

TEST_F(PageInBrowser, ASessionEndsByIdlenessByAgeAndByLoggingOut) {
  const std::string idle = cookie_of(*set_password(kPassword));
  box.scheduler.advance(hours(12) + minutes(1));
  EXPECT_EQ(settings_status(idle), 401);
  const std::string old = cookie_of(*log_in(kPassword));
  for (int i = 0; i < 65; ++i) {
    box.scheduler.advance(hours(11));
    EXPECT_EQ(settings_status(old), 200) << i;
  }
  box.scheduler.advance(hours(11));
  EXPECT_EQ(settings_status(old), 401);
  const std::string left = cookie_of(*log_in(kPassword));
  const auto out = ask(Verb::del, "/session", "", left);
  EXPECT_NE(out->header("Set-Cookie").find("Max-Age=0"), std::string::npos);
  EXPECT_EQ(settings_status(left), 401);
}

TEST_F(PageInBrowser, SessionsAreListedAndEnded) {
  const std::string mine = cookie_of(*set_password(kPassword));
  const std::string other = cookie_of(*log_in(kPassword));
  const auto list = ask(Verb::get, "/sessions", "", mine)->json();
  ASSERT_EQ(list.size(), 2U);
  const json::Value& theirs = list[0]["own"].asBool() ? list[1] : list[0];
  EXPECT_EQ(theirs["from"].asString(), "192.168.1.20");
  EXPECT_EQ(other.find(theirs["id"].asString()), std::string::npos) << "no use for logging in";
  Request end = request(Verb::del, "/sessions", "", mine);
  end.query = {{"id", theirs["id"].asString()}};
  EXPECT_EQ(box.send(std::move(end))->status(), 200);
  EXPECT_EQ(settings_status(other), 401);
  EXPECT_EQ(settings_status(mine), 200);
  EXPECT_EQ(ask(Verb::get, "/sessions")->status(), 401);
}

TEST_F(PageInBrowser, TheSeventeenthSessionTakesThePlaceOfTheOneIdleLongest) {
  const std::string first = cookie_of(*set_password(kPassword));
  const std::string second = cookie_of(*log_in(kPassword));
  box.scheduler.advance(seconds(1));
  EXPECT_EQ(settings_status(first), 200);
  for (std::size_t i = 2; i <= PageSessions::kMost; ++i) (void)log_in(kPassword);
  EXPECT_EQ(settings_status(second), 401);
  EXPECT_EQ(settings_status(first), 200);
}

TEST_F(PageInBrowser, HttpsHasACookieOfItsOwn) {
  Request set = request(Verb::post, "/password", R"({"password":"two-bretzels"})");
  set.secure = true;
  const auto answer = settled(box.send(std::move(set)));
  const std::string cookie = answer->header("Set-Cookie");
  EXPECT_TRUE(cookie.starts_with("__Host-posthorn_")) << cookie;
  EXPECT_NE(cookie.find("; Secure"), std::string::npos);
  EXPECT_EQ(settings_status(cookie_of(*answer)), 401) << "it does not count over HTTP";
}

TEST_F(PageInBrowser, ReachesTheTechniciansMethodsAndTellsExpiryAtOnce) {
  Route route;
  route.name = "makeBackup";
  route.right = Right::care;
  route.handler = [](Call call) { call.send_text("{}"); };
  box.api->add(std::move(route));
  const std::string cookie = cookie_of(*set_password(kPassword));
  EXPECT_EQ(ask(Verb::get, method("makeBackup"), "", cookie)->status(), 200);
  const auto expired = box.send(request(Verb::get, method("makeBackup"), "", "posthorn_1=x"));
  EXPECT_EQ(expired->status(), 401) << "without a pause: nothing was guessed";
  EXPECT_TRUE(ask(Verb::get, "/healthz", "", cookie)->json().isMember("link"));
  EXPECT_FALSE(ask(Verb::get, "/healthz")->json().isMember("link"));
}

TEST_F(PageInBrowser, TakesNothingFromTheTillsRate) {
  const std::string cookie = cookie_of(*set_password(kPassword));
  int taken = 0;
  while (taken < 100 && ask(Verb::get, method("getSettings"), "", cookie)->status() == 200) ++taken;
  EXPECT_LT(taken, 100) << "the page has a rate, too";
  EXPECT_EQ(box.get("getSettings")->status(), 200);
}

TEST_F(PageInBrowser, FilesAreGzippedTaggedAndInNobodysFrame) {
  for (const char* view : {"/", "/welcome", "/link", "/queue", "/settings", "/box"}) {
    const auto html = box.send(Box::request(Verb::get, view));
    ASSERT_EQ(html->status(), 200) << view;
    EXPECT_EQ(html->header("Content-Encoding"), "gzip");
    EXPECT_EQ(html->header("Cache-Control"), "no-cache");
    EXPECT_EQ(html->header("X-Frame-Options"), "DENY");
    const std::string policy = html->header("Content-Security-Policy");
    for (const char* part : {"default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"}) {
      EXPECT_NE(policy.find(part), std::string::npos) << policy;
    }
    EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  }
  const auto script = box.send(Box::request(Verb::get, "/assets/app-77.js"));
  EXPECT_NE(script->header("Cache-Control").find("immutable"), std::string::npos);
  Request again = Box::request(Verb::get, "/");
  again.if_none_match = "\"1f0c\"";
  const auto unchanged = box.send(std::move(again));
  EXPECT_EQ(unchanged->status(), 304);
  EXPECT_EQ(unchanged->text(), "");
  EXPECT_EQ(box.send(Box::request(Verb::get, "/assets/app-78.js"))->status(), 403);
}

struct Plain : PageInBrowser {
  std::shared_ptr<Answer> get(const std::string& cookie = "") {
    Request out = request(Verb::get, "/plain", "", cookie);
    out.from_page = false;
    return box.send(std::move(out));
  }
  std::shared_ptr<Answer> post(const std::string& form, const std::string& cookie = "",
                               const std::string& origin = "") {
    Request out = request(Verb::post, "/plain", form, cookie);
    out.from_page = false;
    out.origin = origin;
    return settled(box.send(std::move(out)));
  }
  /// The hidden field of its forms.
  std::string token(const std::string& cookie) {
    const std::string page = get(cookie)->text();
    const std::string mark = "name=\"form\" value=\"";
    return page.substr(page.find(mark) + mark.size(), 32);
  }
};

TEST_F(Plain, WithoutALoginItShowsNothingOfTheShop) {
  box.status.what_to_do = "secret advice";
  box.link.qr_text = "secret";
  const auto page = get();
  EXPECT_EQ(page->status(), 200);
  EXPECT_NE(page->text().find("Set a password"), std::string::npos);
  for (const char* secret : {"secret", "4915550001234", "4100012345"}) {
    EXPECT_EQ(page->text().find(secret), std::string::npos) << secret;
  }
}

TEST_F(Plain, SetsThePasswordLogsInAndShowsHowTheBoxIs) {
  const auto set = post("password=two-bretzels");
  EXPECT_EQ(set->status(), 303);
  EXPECT_EQ(set->header("Location"), "/plain");
  box.status.what_to_do = "Plug <it> in.";
  const auto page = get(cookie_of(*set));
  EXPECT_NE(page->text().find("Plug &lt;it&gt; in."), std::string::npos);
  EXPECT_NE(page->text().find("+4915550001234"), std::string::npos);
  EXPECT_NE(page->text().find("at the ordinary pace"), std::string::npos);
  box.status.throttle = Status::Throttle::yellow;
  EXPECT_NE(get(cookie_of(*set))->text().find("not to new customers"), std::string::npos);
  EXPECT_EQ(post("password=three-bretzels")->status(), 401);
  EXPECT_EQ(post("password=two%2Dbretzels")->status(), 303);
}

TEST_F(Plain, LinksByPictureAndByEightCharacters) {
  const std::string cookie = cookie_of(*post("password=two-bretzels"));
  box.link.who = {};
  box.link.qr_text = "2@abc,def";
  EXPECT_NE(get(cookie)->text().find("data:image/png;base64,"), std::string::npos);
  const auto code = post("do=code&number=%2B49+155+5000+1234&form=" + token(cookie), cookie);
  EXPECT_NE(code->text().find("7XK2-M9QT"), std::string::npos) << code->text();
  EXPECT_EQ(box.link.asked, std::vector<std::string>{"4915550001234"});
}

TEST_F(Plain, FormsOfOtherPagesAreRefused) {
  const std::string cookie = cookie_of(*post("password=two-bretzels"));
  const std::string form = token(cookie);
  EXPECT_EQ(post("do=leave", cookie)->status(), 403) << "without the hidden field";
  EXPECT_EQ(post("do=leave&form=" + std::string(32, '0'), cookie)->status(), 403);
  EXPECT_EQ(post("do=leave&form=" + form, cookie, "http://evil.example")->status(), 403);
  EXPECT_EQ(post("password=two-bretzels", "", "http://evil.example")->status(), 403);
  EXPECT_EQ(post("do=leave&form=" + form, cookie, "http://posthorn.local")->status(), 303);
  EXPECT_NE(get(cookie)->text().find("Log in"), std::string::npos);
}

TEST(Forms, AreReadAsBrowsersWriteThem) {
  const auto fields = parse_form("a=1+2&b=%C3%A4%26&&c&a=x%zz%4&=v");
  EXPECT_EQ(fields.at("a"), "x%zz%4");
  EXPECT_EQ(fields.at("b"), "\xC3\xA4&");
  EXPECT_EQ(fields.at("c"), "");
  EXPECT_EQ(parse_form("").size(), 0U);
  EXPECT_EQ(escape_html("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
}

TEST(PagePasswordOfTheConfiguration, IsTheOneAndIsNotChangedHere) {
  Box box;
  Request in = Box::request(Verb::post, "/session", R"({"password":"bretzel-42"})");
  in.from_page = true;
  const auto answer = box.send(std::move(in));
  ASSERT_EQ(answer->status(), 200);
  EXPECT_TRUE(answer->json()["passwordFixed"].asBool());
  Request change =
      Box::request(Verb::post, "/password", R"({"current":"bretzel-42","password":"another-one"})");
  change.from_page = true;
  change.cookie = cookie_of(*answer);
  const auto refused = box.send(std::move(change));
  EXPECT_EQ(refused->status(), 409);
  EXPECT_NE(refused->message().find("posthorn.txt"), std::string::npos) << refused->text();
}

}  // namespace
}  // namespace posthorn::api::test
