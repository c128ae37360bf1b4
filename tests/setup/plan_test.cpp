#include "setup/plan.h"

#include <gtest/gtest.h>

#include "posthorn/base/config.h"

namespace posthorn::setup {
namespace {

std::string text_of(const Plan& plan, const std::string& path) {
  for (const PlannedFile& file : plan.files) {
    if (file.path == path) return file.text;
  }
  return "(no such file)";
}

constexpr const char* kWired = "/run/systemd/network/10-posthorn-wired.network";
constexpr const char* kWireless = "/run/systemd/network/10-posthorn-wireless.network";
constexpr const char* kWpa = "/etc/wpa_supplicant/wpa_supplicant-wlan0.conf";
constexpr const char* kToml = "/run/posthorn/posthorn.toml";

TEST(Plan, NothingSetMeansNothingDone) {
  const Plan plan = make_plan({}, "[api]\nport = 80\n", false);
  EXPECT_TRUE(plan.files.empty() && plan.links.empty() && plan.commands.empty() &&
              plan.troubles.empty());
}

TEST(Plan, AFixedAddress) {
  const Plan plan = make_plan(
      {{"address", "192.168.1.20/24"}, {"gateway", "192.168.1.1"}, {"dns", "192.168.1.1 9.9.9.9"}},
      "", false);
  EXPECT_EQ(text_of(plan, kWired),
            "[Match]\nName=en* eth*\n\n[Network]\nDHCP=no\nAddress=192.168.1.20/24\n"
            "Gateway=192.168.1.1\nDNS=192.168.1.1\nDNS=9.9.9.9\n");
  EXPECT_TRUE(plan.troubles.empty());
}

TEST(Plan, AGatewayOutsideOfTheNetworkIsToldAndLeftOut) {
  const Plan plan =
      make_plan({{"address", "192.168.1.20/24"}, {"gateway", "192.168.2.1"}}, "", false);
  EXPECT_EQ(text_of(plan, kWired).find("Gateway"), std::string::npos);
  ASSERT_EQ(plan.troubles.size(), 2U);
  EXPECT_EQ(plan.troubles[0].key, "gateway");
  EXPECT_FALSE(plan.troubles[0].used);
  EXPECT_EQ(plan.troubles[1].key, "address");
  EXPECT_EQ(
      make_plan({{"address", "10.1.255.1/15"}, {"gateway", "10.0.0.1"}}, "", false).troubles.size(),
      0U);
  EXPECT_EQ(
      make_plan({{"address", "fd00::2/64"}, {"gateway", "fe80::1"}}, "", false).troubles.size(),
      0U);
}

TEST(Plan, WhatHasNoEffectAloneIsToldSo) {
  const auto told = [](const Settings& settings) {
    std::string out;
    for (const auto& one : make_plan(settings, "", false).troubles) {
      if (!one.used) out += one.key + " ";
    }
    return out;
  };
  EXPECT_EQ(told({{"gateway", "192.168.1.1"}}), "gateway ");
  EXPECT_EQ(told({{"address", "dhcp"}, {"gateway", "192.168.1.1"}}), "gateway ");
  EXPECT_EQ(told({{"address", "192.168.1.20/24"}, {"gateway", "192.168.1.20"}}), "gateway ");
  EXPECT_EQ(told({{"wifi_password", "eight or more"}, {"wifi_country", "DE"}}),
            "wifi_password wifi_country ");
  EXPECT_EQ(told({{"address", "192.168.1.20/24"}, {"gateway", "192.168.1.1"}}), "");
}

TEST(Plan, WifiWithANameThatTriesToBreakOut) {
  const Plan plan = make_plan({{"wifi_name", "a\"}\nnetwork={"},
                               {"wifi_password", "pass \"word\""},
                               {"wifi_country", "DE"}},
                              "", false);
  EXPECT_EQ(text_of(plan, kWpa),
            "update_config=0\ncountry=DE\nnetwork={\n  ssid=61227d0a6e6574776f726b3d7b\n"
            "  scan_ssid=1\n  key_mgmt=WPA-PSK WPA-PSK-SHA256 SAE\n  ieee80211w=1\n"
            "  psk=\"pass \"word\"\"\n}\n");
  EXPECT_EQ(plan.files.back().mode, 0600U);
  EXPECT_NE(text_of(plan, kWireless).find("DHCP=yes"), std::string::npos);
  EXPECT_EQ(plan.commands.back(), (std::vector<std::string>{"systemctl", "--no-block", "start",
                                                            "wpa_supplicant@wlan0.service"}));
}

TEST(Plan, AFixedAddressBelongsToTheWifiThatWasNamed) {
  const Plan plan = make_plan({{"wifi_name", "Shop"},
                               {"address", "10.0.0.9/24"},
                               {"gateway", "10.0.0.1"},
                               {"wifi_country", "DE"}},
                              "", false);
  EXPECT_NE(text_of(plan, kWireless).find("Address=10.0.0.9/24\nGateway=10.0.0.1\nDNS=10.0.0.1"),
            std::string::npos);
  EXPECT_EQ(text_of(plan, kWired), "(no such file)");
  EXPECT_NE(text_of(plan, kWpa).find("key_mgmt=NONE"), std::string::npos);
}

TEST(Plan, NameTimeServerAndZone) {
  const Plan plan = make_plan(
      {{"host_name", "till"}, {"time_server", "10.0.0.1"}, {"time_zone", "Europe/Berlin"}}, "",
      true);
  EXPECT_EQ(text_of(plan, "/etc/hostname"), "till\n");
  EXPECT_EQ(text_of(plan, "/run/systemd/timesyncd.conf.d/posthorn.conf"), "[Time]\nNTP=10.0.0.1\n");
  ASSERT_EQ(plan.links.size(), 1U);
  EXPECT_EQ(plan.links[0].second, "/usr/share/zoneinfo/Europe/Berlin");
}

TEST(Plan, AnUnknownZoneReachesNeitherSystemNorDaemon) {
  const Plan plan = make_plan({{"time_zone", "Europe/Atlantis"}}, "", false);
  EXPECT_TRUE(plan.links.empty());
  EXPECT_EQ(text_of(plan, kToml), "(no such file)");
  ASSERT_EQ(plan.troubles.size(), 1U);
}

TEST(Plan, TheDaemonsFileIsTheInstallationsWithTheKeysLaidOnTop) {
  const std::string token(50, 'e');
  const Plan plan = make_plan({{"api_token", token},
                               {"id_instance", "7100000001"},
                               {"care_token", std::string(50, 'c')},
                               {"number_in_use_months", "12"},
                               {"page_password", "quote \" and \\ slash"},
                               {"proxy", "http://u:p@10.0.0.5:3128"},
                               {"time_zone", "Europe/Berlin"}},
                              "data_dir = \"/data\"\n[api]\nport = 80\nhttps_port = 443\n"
                              "[throttle]\nquiet_from = \"22:00\"\n",
                              true);
  const auto config = parse_config(text_of(plan, kToml), "posthorn.toml");
  ASSERT_TRUE(config.has_value()) << config.error().detail;
  EXPECT_EQ(config->data_dir, "/data");
  EXPECT_EQ(config->api.port, 80);
  EXPECT_EQ(config->api.https_port, 443);
  EXPECT_EQ(config->api.token, token);
  EXPECT_EQ(config->api.care_token, std::string(50, 'c'));
  EXPECT_EQ(config->api.id_instance, 7'100'000'001U);
  EXPECT_EQ(config->throttle.number_in_use_months, 12U);
  EXPECT_EQ(config->api.page_password, "quote \" and \\ slash");
  EXPECT_EQ(config->network.proxy, "http://u:p@10.0.0.5:3128");
  EXPECT_EQ(config->throttle.time_zone, "Europe/Berlin");
  EXPECT_EQ(config->throttle.quiet_from, "22:00");
  EXPECT_EQ(plan.files.back().mode, 0640U);
  EXPECT_TRUE(plan.files.back().for_posthorn);
}

TEST(Plan, ABrokenInstallationsFileIsTold) {
  const Plan plan = make_plan({{"api_token", std::string(50, 'e')}}, "[api\n", false);
  ASSERT_EQ(plan.troubles.size(), 1U);
  EXPECT_EQ(plan.troubles[0].key, "posthorn.toml");
}

}  // namespace
}  // namespace posthorn::setup
