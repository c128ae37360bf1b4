#include <gtest/gtest.h>
#include <png.h>

#include <array>

#include "box.h"

namespace posthorn::api::test {
namespace {

TEST(GetSettings, ShowsEveryDocumentedKeyWithTheBoxsDefaults) {
  Box box;
  const std::string expected =
      R"({"wid":"4915550001234@c.us","countryInstance":"","typeAccount":"","typeInstance":"whatsapp","webhookUrl":"","webhookUrlToken":"",
 "delaySendMessagesMilliseconds":5000,"markIncomingMessagesReaded":"no","markIncomingMessagesReadedOnReply":"no","sharedSession":"no",
 "proxyInstance":"","outgoingWebhook":"yes","outgoingMessageWebhook":"no","outgoingAPIMessageWebhook":"no","incomingWebhook":"yes",
 "deviceWebhook":"no","statusInstanceWebhook":"no","stateWebhook":"yes","enableMessagesHistory":"no","keepOnlineStatus":"no",
 "pollMessageWebhook":"yes","incomingBlockWebhook":"no","incomingCallWebhook":"yes","outgoingCallWebhook":"no","editedMessageWebhook":"no",
 "deletedMessageWebhook":"no","avatarInfoWebhook":"no","autoTyping":0,"linkPreview":true,"enableLidMode":false})";
  EXPECT_EQ(box.get("getSettings")->json(), *json::parse(expected));
}

TEST(GetSettings, HasNoWidWhileNothingIsLinked) {
  Box box;
  box.link.who = {};
  EXPECT_EQ(box.get("getSettings")->json()["wid"].asString(), "");
}

TEST(SetSettings, TakesBothFormsOfBooleansAndNumbersAsText) {
  Box box;
  const auto answer = box.post(
      "setSettings",
      R"({"incomingWebhook":"no","outgoingMessageWebhook":true,"linkPreview":"no","enableLidMode":"no","delaySendMessagesMilliseconds":"2000","autoTyping":3})");
  EXPECT_EQ(answer->text(), R"({"saveSettings":true})");
  const Settings& now = box.settings.current();
  EXPECT_FALSE(now.incoming_webhook);
  EXPECT_TRUE(now.outgoing_message_webhook);
  EXPECT_EQ(now.delay_send_messages, milliseconds(2000));
  EXPECT_EQ(now.auto_typing, 3);
  const json::Value shown = box.get("getSettings")->json();
  EXPECT_EQ(shown["incomingWebhook"].asString(), "no");
  EXPECT_EQ(shown["linkPreview"], json::Value(false));
  EXPECT_EQ(shown["enableLidMode"], json::Value(false));
}

TEST(SetSettings, SaysWhatIsWrongAndChangesNothing) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{}", "'value' must have at least 1 key"},
      {"", "'value' must have at least 1 key"},
      {R"({"delaySendMessagesMilliseconds":499})",
       "'delaySendMessagesMilliseconds' must be larger than or equal to 500"},
      {R"({"delaySendMessagesMilliseconds":600001})",
       "'delaySendMessagesMilliseconds' must be less than or equal to 600000"},
      {R"({"delaySendMessagesMilliseconds":"soon"})",
       "'delaySendMessagesMilliseconds' must be a number"},
      {R"({"delaySendMessagesMilliseconds":500.5})",
       "'delaySendMessagesMilliseconds' must be a number"},
      {R"({"incomingWebhook":"maybe"})", "'incomingWebhook' must be one of [yes, no]"},
      {R"({"incomingWebhook":1})", "'incomingWebhook' must be one of [yes, no]"},
      {R"({"autoTyping":11})", "'autoTyping' must be less than or equal to 10"},
      {R"({"webhookUrl":5})", "'webhookUrl' must be a string"},
      {R"({"webhookUrl":"ftp://x/"})",
       "'webhookUrl' must be a valid uri with a scheme matching the http|https pattern"},
      {R"({"webhookUrl":"http://x/\r\nHost: y"})",
       "'webhookUrl' must be a valid uri with a scheme matching the http|https pattern"},
      {R"({"webhookUrlToken":"a\nX-Evil: 1"})",
       "'webhookUrlToken' must be a string without control characters"},
      {R"({"restrictionStateName":"red"})",
       "'restrictionStateName' must be one of [yellowCard, suspended]"},
      {R"({"proxyInstance":7})", "'proxyInstance' must be a string"},
      {R"({"sharedSession":"maybe"})", "'sharedSession' must be one of [yes, no]"},
  };
  for (const auto& [body, text] : cases) {
    Box box;
    const auto answer = box.post("setSettings", body);
    EXPECT_EQ(answer->status(), 400) << body;
    EXPECT_EQ(answer->message(), "Validation failed. Details: " + text) << body;
    EXPECT_EQ(box.settings.current(), Settings{}) << body;
  }
}

TEST(SetSettings, IgnoresUnknownAndReadOnlyKeysUnlessStrict) {
  Box box;
  EXPECT_EQ(box.post("setSettings", R"({"wid":"x","aNewKey":1,"stateWebhook":"no"})")->status(),
            200);
  EXPECT_FALSE(box.settings.current().state_webhook);
  box.configure(R"({"strictValidation":true})");
  EXPECT_EQ(box.post("setSettings", R"({"aNewKey":1})")->message(),
            "Validation failed. Details: 'aNewKey' is not allowed");
}

TEST(SetSettings, RefusesInWordsWhatTheBoxCannotDo) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"sendFromUTC":"09:00"})", "setThrottleSettings"},
      {R"({"sendToUTC":"19:30"})", "setThrottleSettings"},
      {R"({"proxyInstance":"http://10.0.0.1:3128"})", "section [network] of posthorn.toml"},
      {R"({"enableLidMode":true})", "always has its @lid"},
      {R"({"sharedSession":"yes"})", "must be no"},
      {R"({"deviceWebhook":true})", "must be no"},
      {R"({"enableMessagesHistory":"yes"})", "must be no"},
      {R"({"outgoingCallWebhook":"yes"})", "must be no"},
  };
  for (const auto& [body, word] : cases) {
    Box box;
    const auto answer = box.post("setSettings", body);
    EXPECT_EQ(answer->status(), 400) << body;
    EXPECT_NE(answer->message().find(word), std::string::npos) << answer->message();
    EXPECT_EQ(box.settings.current(), Settings{}) << body;
  }
}

TEST(SetSettings, TakesBackWhatGetSettingsShows) {
  Box box;
  const std::string shown = box.get("getSettings")->text();
  EXPECT_EQ(box.post("setSettings", shown)->status(), 200);
  EXPECT_EQ(box.settings.current(), Settings{});
  Box other;
  EXPECT_EQ(other
                .post("setSettings", R"({"sendFromUTC":"","sendToUTC":"","proxyInstance":"",)"
                                     R"("sharedSession":"no","stateWebhook":"no"})")
                ->status(),
            200);
  EXPECT_FALSE(other.settings.current().state_webhook);
}

TEST(SetSettings, KeepsTheRestWhenAStoredValueIsNotPossibleAnyMore) {
  Box box;
  box.blobs.values["settings"] = to_bytes(
      R"({"delaySendMessagesMilliseconds":3600000,"sharedSession":"yes","sendFromUTC":"09:00",)"
      R"("webhookUrl":"http://10.0.0.2/hook","autoTyping":3})");
  const SettingsStore store(box.blobs);
  EXPECT_EQ(store.current().webhook_url, "http://10.0.0.2/hook");
  EXPECT_EQ(store.current().auto_typing, 3);
  EXPECT_EQ(store.current().delay_send_messages, Settings{}.delay_send_messages);
}

TEST(SetSettings, IsOnDiskBeforeTheAnswerAndSurvivesARestart) {
  Box box;
  const std::string url = "https://shop.example/hook?a=1&b=%20";
  box.post("setSettings", R"({"webhookUrl":")" + url + R"(","strictValidation":"yes"})");
  const SettingsStore again(box.blobs);
  EXPECT_EQ(again.current(), box.settings.current());
  EXPECT_EQ(again.current().webhook_url, url);
  EXPECT_TRUE(again.current().strict_validation);
}

TEST(SetSettings, StartsWithDefaultsWhenTheStoredOnesAreDamaged) {
  Box box;
  box.blobs.values["settings"] = to_bytes("{\"autoTyping\":");
  EXPECT_EQ(SettingsStore(box.blobs).current(), Settings{});
}

/// A disk that does not take anything any more.
class BrokenBlobStore final : public BlobStore {
 public:
  Result<std::optional<Bytes>> load(std::string_view) override { return std::optional<Bytes>(); }
  Result<void> save(std::string_view, ByteView) override { return {}; }
  void durable(Once<void(Result<void>)> done) override { done(fail(Errc::io, "worn out")); }
};

TEST(SetSettings, TakesBackWhatCouldNotBeStored) {
  BrokenBlobStore broken;
  SettingsStore store(broken);
  Settings wanted;
  wanted.incoming_webhook = false;
  Result<void> result;
  store.replace(wanted, [&result](Result<void> r) { result = std::move(r); });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::io);
  EXPECT_EQ(store.current(), Settings{});
}

TEST(GetWaSettings, ShowsTheAccountWhileItMayBeUsed) {
  Box box;
  box.set_session(session::State::online);
  EXPECT_EQ(
      box.get("getWaSettings")->json(),
      *json::parse(
          R"({"avatar":"","phone":"4915550001234","chatId":"4915550001234@c.us","stateInstance":"authorized",
 "deviceId":"4915550001234:17@s.whatsapp.net","historySyncProgress":100,"logoutProcess":false})"));
  EXPECT_EQ(box.get("getAccountSettings")->json(), box.get("getWaSettings")->json());
  box.state.on_throttle(Status::Throttle::yellow);
  box.status.until = Wall::from_unix(1'767'300'000);
  box.configure(R"({"restrictionStateName":"suspended"})");
  const json::Value restricted = box.get("getWaSettings")->json();
  EXPECT_EQ(restricted["stateInstance"].asString(), "suspended");
  EXPECT_EQ(restricted["suspendedUntil"].asInt64(), 1'767'300'000);
  EXPECT_EQ(restricted["phone"].asString(), "4915550001234");
  Box unlinked;
  unlinked.link.who = {};
  unlinked.set_session(session::State::pairing);
  const json::Value empty = unlinked.get("getWaSettings")->json();
  EXPECT_EQ(empty["phone"].asString(), "");
  EXPECT_EQ(empty["deviceId"].asString(), "");
  EXPECT_EQ(empty["stateInstance"].asString(), "notAuthorized");
  EXPECT_FALSE(empty.isMember("suspendedUntil"));
}

TEST(GetStateInstanceHistory, ShowsTheNewestFirst) {
  Box box;
  EXPECT_EQ(box.get("getStateInstanceHistory")->text(), "[]");
  box.history.add({"notAuthorized", Wall::from_unix(1'767'225'000), ""});
  box.history.add({"authorized", Wall::from_unix(1'767'225'600), "4915550001234"});
  box.history.add({"authorized", Wall::from_unix(1'767'225'700), "4915550001234"});
  EXPECT_EQ(
      box.get("getStateInstanceHistory")->json(),
      *json::parse(
          R"([{"stateInstance":"authorized","timestamp":1767225600,"phoneNumber":"4915550001234"},
 {"stateInstance":"notAuthorized","timestamp":1767225000,"phoneNumber":""}])"));
  Request one = Box::request(Verb::get, Box::path("getStateInstanceHistory"));
  one.query = {{"count", "1"}};
  EXPECT_EQ(box.send(std::move(one))->json().size(), 1U);
  box.scheduler.advance(seconds(5));
  Request all = Box::request(Verb::get, Box::path("getStateInstanceHistory"));
  all.query = {{"count", ""}};
  EXPECT_EQ(box.send(std::move(all))->json().size(), 2U);
  EXPECT_EQ(StateHistory(box.blobs).newest(9), box.history.newest(9)) << "kept";
  for (int i = 0; i < 300; ++i) {
    box.history.add({std::to_string(i), Wall::from_unix(1'767'226'000 + i), ""});
  }
  EXPECT_EQ(StateHistory(box.blobs).newest(1000).size(), StateHistory::kMost);
  EXPECT_EQ(box.history.newest(1)[0].state, "299");
  box.blobs.values["state-history"] = to_bytes("[{");
  EXPECT_TRUE(StateHistory(box.blobs).newest(1).empty());
}

TEST(DeprecatedMethods, AnswerInTheFormThatSdksKnow) {
  Box box;
  EXPECT_EQ(
      box.get("getDeviceInfo")->json(),
      *json::parse(
          R"({"platform":"","deviceManufacturer":"","deviceModel":"","osVersion":"","waVersion":"","battery":-1})"));
  EXPECT_EQ(box.get("setSystemProxy")->text(), R"({"setProxy":true})");
}

TEST(GetStateInstance, NamesEachStateOfSessionAndThrottle) {
  using session::State;
  using Throttle = Status::Throttle;
  struct Row {
    State state;
    bool linked;
    Throttle throttle;
    const char* name;
  };
  const std::vector<Row> rows = {
      {State::pairing, false, Throttle::green, "notAuthorized"},
      {State::logged_out, true, Throttle::green, "notAuthorized"},
      {State::connecting, false, Throttle::green, "notAuthorized"},
      {State::connecting, true, Throttle::green, "starting"},
      {State::offline, true, Throttle::green, "starting"},
      {State::offline, false, Throttle::green, "notAuthorized"},
      {State::syncing, true, Throttle::green, "authorized"},
      {State::online, true, Throttle::amber, "authorized"},
      {State::online, true, Throttle::yellow, "yellowCard"},
      {State::online, true, Throttle::red, "yellowCard"},
      {State::online, true, Throttle::black, "blocked"},
      {State::blocked, true, Throttle::green, "blocked"},
      {State::paused, true, Throttle::red, "yellowCard"},
      {State::paused, true, Throttle::green, "starting"},
      {State::replaced, true, Throttle::green, "starting"},
  };
  for (const Row& row : rows) {
    posthorn::test::FakeScheduler scheduler;
    InstanceState state(
        scheduler, [&row] { return row.linked; }, [](InstanceState::Value) {});
    state.on_throttle(row.throttle);
    state.on_session(row.state);
    EXPECT_EQ(to_string(state.value(), Settings{}), row.name)
        << static_cast<int>(row.state) << " " << static_cast<int>(row.throttle);
  }
}

TEST(GetStateInstance, StaysAuthorizedForAMinuteAfterTheConnectionBroke) {
  Box box;
  box.set_session(session::State::backing_off);
  EXPECT_EQ(box.get("getStateInstance")->text(), R"({"stateInstance":"authorized"})");
  box.scheduler.advance(seconds(59));
  EXPECT_TRUE(box.states.empty());
  box.scheduler.advance(seconds(1));
  EXPECT_EQ(box.get("getStateInstance")->text(), R"({"stateInstance":"starting"})");
  box.set_session(session::State::online);
  EXPECT_EQ(box.states,
            (std::vector{InstanceState::Value::starting, InstanceState::Value::authorized}));
}

TEST(GetStateInstance, CallsARestrictionAsTheSettingsSay) {
  Box box;
  box.state.on_throttle(Status::Throttle::yellow);
  EXPECT_EQ(box.get("getStateInstance")->text(), R"({"stateInstance":"yellowCard"})");
  box.configure(R"({"restrictionStateName":"suspended"})");
  EXPECT_EQ(box.get("getStateInstance")->text(), R"({"stateInstance":"suspended"})");
}

TEST(GetStatusInstance, IsOnlineWhileLoggedIn) {
  Box box;
  EXPECT_EQ(box.get("getStatusInstance")->text(), R"({"statusInstance":"online"})");
  box.set_session(session::State::backing_off);
  EXPECT_EQ(box.get("getStatusInstance")->text(), R"({"statusInstance":"offline"})");
}

TEST(GetAuthorizationCode, IsForATelephoneNumber) {
  Box box(0);
  box.link.who = {};
  box.set_session(session::State::pairing);
  const auto ask = [&](const std::string& phone) {
    return box.post("getAuthorizationCode", R"({"phoneNumber":")" + phone + "\"}");
  };
  for (const char* good : {"4915550001234", "4915550001234@c.us", "4915550001234@S.WhatsApp.net"}) {
    EXPECT_EQ(ask(good)->status(), 200) << good;
    EXPECT_EQ(box.link.asked, std::vector<std::string>{"4915550001234"});
  }
  for (const char* bad : {"182000000000001@lid", "4915550001234@g.us", "4915550001234@"}) {
    EXPECT_EQ(ask(bad)->message(), "bad phone number, valid 11 or 12 digits") << bad;
  }
}

TEST(Reboot, Reconnects) {
  Box box;
  EXPECT_EQ(box.get("reboot")->text(), R"({"isReboot":true})");
  EXPECT_EQ(box.link.reconnects, 1);
  box.set_session(session::State::connecting);
  EXPECT_EQ(box.get("reboot")->text(), R"({"isReboot":false})");
  box.link.who = {};
  box.set_session(session::State::pairing);
  EXPECT_EQ(box.get("reboot")->text(), R"({"isReboot":false})");
  EXPECT_EQ(box.link.reconnects, 1);
}

TEST(GetStateInstance, IsStartingWhileARebootLastsAndThenWhatItWas) {
  using Value = InstanceState::Value;
  using session::State;
  Box box;
  EXPECT_EQ(box.state.value(), Value::authorized);
  box.state.on_reboot();
  for (const State state : {State::offline, State::connecting, State::handshaking}) {
    box.set_session(state);
    EXPECT_EQ(box.state.value(), Value::starting);
  }
  box.set_session(State::online);
  EXPECT_EQ(box.state.value(), Value::authorized);
  box.set_session(State::connecting);
  EXPECT_EQ(box.state.value(), Value::authorized) << "a line that breaks has its minute";
  EXPECT_EQ(box.states, (std::vector<Value>{Value::starting, Value::authorized}));
}

TEST(Logout, UnlinksOnceAndKeepsTheQueue) {
  Box box;
  box.post("sendMessage", R"({"chatId":"4915550007777@c.us","message":"x"})");
  EXPECT_EQ(box.get("logout")->text(), R"({"isLogout":true})");
  EXPECT_EQ(box.get("logout")->text(), R"({"isLogout":false})");
  EXPECT_EQ(box.outbox.count(), 1U);
}

/// Width of a PNG, and that libpng can read all of it as grey.
int read_png(const Bytes& png, std::vector<std::uint8_t>& pixels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_memory(&image, png.data(), png.size()) == 0) return 0;
  image.format = PNG_FORMAT_GRAY;
  pixels.resize(PNG_IMAGE_SIZE(image));
  if (png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr) == 0) return 0;
  return static_cast<int>(image.width);
}

TEST(Qr, IsAPngWithQuietZoneAndTheRawTextBeside) {
  Box box;
  box.link.who = {};
  box.set_session(session::State::pairing);
  box.link.qr_text = "2@" + std::string(200, 'x') + ",a,b,c,d";
  const json::Value body = box.get("qr")->json();
  EXPECT_EQ(body["type"].asString(), "qrCode");
  EXPECT_EQ(body["qrText"].asString(), *box.link.qr_text);
  const auto png = base64_decode(body["message"].asString());
  ASSERT_TRUE(png);
  std::vector<std::uint8_t> pixels;
  const int width = read_png(*png, pixels);
  ASSERT_GE(width, 264);
  // The finder pattern begins behind four white modules, and it is seven modules of black.
  const auto at = [&](int x, int y) { return pixels[static_cast<std::size_t>(y * width + x)]; };
  int corner = 0;
  while (corner < width && at(corner, corner) == 255) ++corner;
  int run = 0;
  while (corner + run < width && at(corner + run, corner) == 0) ++run;
  EXPECT_EQ(run % 7, 0);
  EXPECT_EQ(corner, run / 7 * 4);
}

TEST(Qr, WaitsForTheFirstCodeInsteadOfFailing) {
  Box box;
  box.link.who = {};
  box.set_session(session::State::pairing);
  const auto answer = box.get("qr");
  EXPECT_EQ(answer->status(), 0);
  EXPECT_EQ(box.link.qr_asked, 1) << "asking begins a round of codes";
  box.scheduler.advance(seconds(1));
  box.link.qr_text = "2@abc";
  box.scheduler.advance(seconds(1));
  EXPECT_EQ(answer->json()["qrText"].asString(), "2@abc");
}

TEST(Qr, SaysSoWhenThereIsNoCodeOrNoNeed) {
  Box box;
  EXPECT_EQ(box.get("qr")->text(),
            R"({"message":"instance account already authorized","type":"alreadyLogged"})");
  box.link.who = {};
  box.set_session(session::State::pairing);
  const auto late = box.get("qr");
  box.scheduler.advance(seconds(11));
  EXPECT_EQ(late->json()["type"].asString(), "error");
  const auto linked_meanwhile = box.get("qr");
  box.link.who.phone = "4915550001234";
  box.scheduler.advance(seconds(1));
  EXPECT_EQ(linked_meanwhile->json()["type"].asString(), "alreadyLogged");
}

TEST(GetAuthorizationCode, TakesTheNumberAsNumberOrText) {
  for (const char* phone : {"4915550001234", "\"4915550001234\"", "\"+49 155 5000-1234\""}) {
    Box box;
    box.link.who = {};
    const auto answer =
        box.post("getAuthorizationCode", "{\"phoneNumber\":" + std::string(phone) + "}");
    EXPECT_EQ(answer->text(), R"({"code":"7XK2M9QT","status":true})") << phone;
    EXPECT_EQ(box.link.asked, std::vector<std::string>{"4915550001234"});
  }
}

TEST(GetAuthorizationCode, SaysNoInTheDocumentedForms) {
  Box box;
  EXPECT_EQ(box.post("getAuthorizationCode", R"({"phoneNumber":4915550001234})")->message(),
            "instance account already authorized");
  box.link.who = {};
  EXPECT_EQ(box.post("getAuthorizationCode", "{}")->message(),
            "Validation failed. Details: 'phoneNumber' is required");
  box.link.link_code = fail(Errc::busy, "asked too often");
  EXPECT_EQ(box.post("getAuthorizationCode", R"({"phoneNumber":4915550001234})")->text(),
            R"({"code":"","message":"asked too often","status":false})");
}

}  // namespace
}  // namespace posthorn::api::test
