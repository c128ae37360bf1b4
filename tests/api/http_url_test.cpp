#include "api/http_url.h"

#include <gtest/gtest.h>

#include "box.h"

namespace posthorn::api::test {
namespace {

TEST(HttpUrl, TakesWhatClientsTake) {
  for (const char* good :
       {"http://till.lan/hook", "HTTP://till.lan", "hTtPs://till.lan:8443/a?b=c&d[]=e#f",
        "http://192.168.1.20:80", "http://[fe80::1]:8080/x", "http://[::1]",
        "https://user:pass@till.lan/", "http://till.lan/a%20b", "http://xn--e1afmkfd.xn--p1ai/"}) {
    EXPECT_TRUE(is_http_url(good)) << good;
  }
}

TEST(HttpUrl, RefusesWhatNobodyUnderstandsTheSame) {
  for (const char* bad : {"",
                          "http://",
                          "https:///x",
                          "ftp://till.lan/",
                          "till.lan/hook",
                          "http:/till.lan",
                          "http://till lan/hook",
                          "http://till.lan/a b",
                          " http://till.lan",
                          "http://till.lan ",
                          "http://till.lan\t",
                          "http://till.lan/\xC3\xA9",
                          "http://till.lan:0/",
                          "http://till.lan:/",
                          "http://till.lan:65536",
                          "http://till.lan:80a/",
                          "http://a:b:c/",
                          "http://[::1",
                          "http://[x]/",
                          "http://[::1]x/",
                          "http://@/",
                          "http://till.lan/\"x\"",
                          "http://\x7F/"}) {
    EXPECT_FALSE(is_http_url(bad)) << bad;
  }
}

TEST(Settings, AWebhookMayPinAKeyOrBringItsAuthority) {
  Box box;
  const std::string pin = "sha256//" + std::string(43, 'A') + "=";
  const std::string ca = "-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n";
  const auto set = [&](const std::string& key, const std::string& value) {
    box.scheduler.advance(seconds(2));
    return box.post("setSettings", "{\"" + key + "\":\"" + value + "\"}");
  };
  EXPECT_EQ(set("webhookUrlPinnedKey", pin)->status(), 200);
  EXPECT_EQ(set("webhookUrlCa", ca)->status(), 200);
  EXPECT_EQ(box.settings.current().webhook_url_pinned_key, pin);
  EXPECT_EQ(SettingsStore(box.blobs).current().webhook_url_ca,
            box.settings.current().webhook_url_ca);
  EXPECT_EQ(set("webhookUrlPinnedKey", "sha256//short")->status(), 400);
  EXPECT_EQ(set("webhookUrlCa", "no certificate")->status(), 400);
  EXPECT_EQ(set("webhookUrlPinnedKey", "")->status(), 200);
}

}  // namespace
}  // namespace posthorn::api::test
