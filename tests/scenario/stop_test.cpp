// The program ends at every moment of every kind of request. What was asked is answered or dropped
// with its connection; nothing that comes back afterwards touches what has gone. Memory errors show
// in the build with the address sanitizer.

#include <gtest/gtest.h>

#include "scenario/shop.h"

namespace posthorn::scenario {
namespace {

struct Kind {
  const char* method;
  api::Verb verb;
  const char* body;
  const char* key = "";
};

constexpr const char* kMessage =
    R"({"chatId":"4915550001111@c.us","message":"Your order is ready","consent":"order"})";

constexpr Kind kKinds[] = {
    {"getSettings", api::Verb::get, ""},
    {"setSettings", api::Verb::post, R"({"webhookUrl":"http://192.168.1.9/hook"})"},
    {"getStateInstance", api::Verb::get, ""},
    {"reboot", api::Verb::get, ""},
    {"logout", api::Verb::get, ""},
    {"qr", api::Verb::get, ""},
    {"getAuthorizationCode", api::Verb::post, R"({"phoneNumber":4915550001234})"},
    {"sendMessage", api::Verb::post, kMessage},
    {"sendMessage", api::Verb::post, kMessage, "a key"},
    {"checkWhatsapp", api::Verb::post, R"({"phoneNumber":4915550001111})"},
    {"readChat", api::Verb::post, R"({"chatId":"4915550001111@c.us"})"},
    {"receiveNotification", api::Verb::get, ""},
    {"showMessagesQueue", api::Verb::get, ""},
    {"clearMessagesQueue", api::Verb::get, ""},
    {"clearWebhooksQueue", api::Verb::del, ""},
    {"watchEvents", api::Verb::get, ""},
    {"setThrottleSettings", api::Verb::post, R"({"who":"owner","hour_limit":30})"},
    {"addThrottleOverride", api::Verb::post,
     R"({"who":"owner","limit":"hour_limit","reason":"a feast day","hours":1})"},
    {"addOptOut", api::Verb::post,
     R"({"chatId":"4915550001111@c.us","who":"owner","reason":"asked for it"})"},
};

/// Runs until the box has come to rest, so that each request meets the same box.
void settle(Shop& shop) {
  for (int i = 0; i < 20; ++i) shop.pass(milliseconds(100));
}

class Stop : public testing::TestWithParam<bool> {};

TEST_P(Stop, AtEveryMomentOfEveryKindOfRequest) {
  for (const Kind& kind : kKinds) {
    bool through = false;
    for (int moment = 0; !through && moment < 40; ++moment) {
      Shop shop{Config{}};
      if (GetParam()) shop.link();
      settle(shop);
      api::Request request = Shop::with_care(kind.verb, kind.method, kind.body);
      request.idempotency_key = kind.key;
      bool answered = false;
      shop.box->api().handle(std::move(request),
                             api::Reply([&answered](const api::Response&) { answered = true; }));
      through = true;
      for (int step = 0; step < moment; ++step) through = shop.scheduler.run_one_posted();
      through = moment > 0 && !through;
      shop.end_at_once();
      EXPECT_TRUE(answered) << kind.method << ", moment " << moment;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Linked, Stop, testing::Bool());

}  // namespace
}  // namespace posthorn::scenario
