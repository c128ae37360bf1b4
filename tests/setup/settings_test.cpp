#include "setup/settings.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "support/vectors.h"

namespace posthorn::setup {
namespace {

/// One line of every key, good and bad: what is kept, or how the verdict begins.
struct Case {
  const char* line;
  const char* kept;      ///< nullptr: not used
  const char* sentence;  ///< beginning of what the verdict says when it is not used
};
const std::string kToken(50, 'a');
const std::string kHexKey(64, 'b');
const std::string kSixtyFour(64, 'h');
const std::string kTooLong(129, 'x');

const std::vector<Case>& cases() {
  static const std::string token = "api_token = " + kToken;
  static const std::string care = "care_token = " + kToken;
  static const std::string short_token = "api_token = " + kToken.substr(1);
  static const std::string capital = "api_token = " + std::string(50, 'A');
  static const std::string hex_key = "wifi_password = " + kHexKey;
  static const std::string no_hex = "wifi_password = " + kSixtyFour;
  static const std::string long_host = "host_name = " + kSixtyFour;
  static const std::string long_page = "page_password = " + kTooLong;
  static const std::string long_wifi = "wifi_name = " + std::string(33, 'n');
  static const std::vector<Case> all{
      {"host_name = shop-box", "shop-box", ""},
      {"Host Name=shop-box", "shop-box", ""},
      {"host_name = -box", nullptr, "must be 1 to 63"},
      {"host_name = box.local", nullptr, "must be 1 to 63"},
      {"host_name = b\xC3\xB6x", nullptr, "must be 1 to 63"},
      {long_host.c_str(), nullptr, "must be 1 to 63"},
      {"address = 192.168.1.20/24", "192.168.1.20/24", ""},
      {"address = dhcp", "dhcp", ""},
      {"address = fd00::20/64", "fd00::20/64", ""},
      {"address = 192.168.1.20", nullptr, "must be dhcp or"},
      {"address = 192.168.1.20/33", nullptr, "must be dhcp or"},
      {"address = 192.168.1.20/24x", nullptr, "must be dhcp or"},
      {"address = 192.168.1.256/24", nullptr, "must be dhcp or"},
      {"gateway = 192.168.1.1", "192.168.1.1", ""},
      {"gateway = router", nullptr, "must be the router's address"},
      {"dns = 192.168.1.1, 9.9.9.9", "192.168.1.1 9.9.9.9", ""},
      {"dns = 192.168.1.1 one.one", nullptr, "must be addresses"},
      {"dns = ,", nullptr, "must be addresses"},
      {"wifi_name = Caf\xC3\xA9 \"Mitte\"", "Caf\xC3\xA9 \"Mitte\"", ""},
      {long_wifi.c_str(), nullptr, "must be the network's name"},
      {"wifi_password = secret words", "secret words", ""},
      {hex_key.c_str(), kHexKey.c_str(), ""},
      {"wifi_password = short", nullptr, "must be 8 to 63"},
      {"wifi_password = gr\xC3\xBC\xC3\x9F"
       "dich!!",
       nullptr, "must be 8 to 63"},
      {no_hex.c_str(), nullptr, "must be 8 to 63"},
      {"wifi_country = de", "DE", ""},
      {"wifi_country = Germany", nullptr, "must be a country"},
      {"wifi_country = 1x", nullptr, "must be a country"},
      {"address = 169.254.1.5/16", nullptr, "must be dhcp or"},
      {"address = fe80::1/64", nullptr, "must be dhcp or"},
      {"address = 127.0.0.1/8", nullptr, "must be dhcp or"},
      {"address = 192.168.1.0/24", nullptr, "must be dhcp or"},
      {"address = 192.168.1.255/24", nullptr, "must be dhcp or"},
      {"address = 192.168.1.255/16", "192.168.1.255/16", ""},
      {"address = 224.0.0.5/24", nullptr, "must be dhcp or"},
      {"gateway = fe80::1", "fe80::1", ""},
      {"gateway = 0.0.0.0", nullptr, "must be the router's address"},
      {"gateway = 169.254.0.1", nullptr, "must be the router's address"},
      {"dns = 127.0.0.1", nullptr, "must be addresses"},
      {"wifi_name = \"Shop\"", "Shop", ""},
      {"wifi_name = \u201EShop \u201C", "Shop ", ""},
      {"wifi_name = \"\"Shop\"\"", "\"Shop\"", ""},
      {"host_name = 'till'", "till", ""},
      {"address = \"192.168.1.20/24\"", "192.168.1.20/24", ""},
      {"wifi_password = \"secret words\"", "secret words", ""},
      {"number_in_use_months = 12", "12", ""},
      {"number_in_use_months = \"7\"", "7", ""},
      {"number_in_use_months = 601", nullptr, "must be a number of months"},
      {"number_in_use_months = a year", nullptr, "must be a number of months"},
      {"id_instance = 7100000001", "7100000001", ""},
      {"id_instance = 71", nullptr, "must be 10 digits"},
      {"time_server = 0.pool.ntp.org", "0.pool.ntp.org", ""},
      {"time_server = two names", nullptr, "must be a host name"},
      {"time_zone = Europe/Berlin", "Europe/Berlin", ""},
      {"time_zone = ../../etc/passwd", nullptr, "must be a zone"},
      {"time_zone = /etc/passwd", nullptr, "must be a zone"},
      {"proxy = http://till:s%40cret@10.0.0.5:3128", "http://till:s%40cret@10.0.0.5:3128", ""},
      {"proxy = socks5://10.0.0.5", nullptr, "must be http://"},
      {"proxy = http://10.0.0.5:99999", nullptr, "must be http://"},
      {token.c_str(), kToken.c_str(), ""},
      {care.c_str(), kToken.c_str(), ""},
      {short_token.c_str(), nullptr, "must be 50"},
      {capital.c_str(), nullptr, "must be 50"},
      {"page_password = longer than eight", "longer than eight", ""},
      {"page_password = short", nullptr, "must have 8 to 128"},
      {long_page.c_str(), nullptr, "must have 8 to 128"},
  };
  return all;
}

TEST(Settings, EveryKeyGoodAndBad) {
  std::set<std::string, std::less<>> seen;
  for (const Case& one : cases()) {
    const Parsed parsed = parse_settings(one.line);
    ASSERT_EQ(parsed.verdicts.size(), 1U) << one.line;
    EXPECT_EQ(parsed.verdicts[0].line, 1U);
    EXPECT_EQ(parsed.verdicts[0].good, one.kept != nullptr) << one.line;
    const std::string& key = parsed.verdicts[0].key;
    if (one.kept != nullptr) {
      ASSERT_EQ(parsed.set.count(key), 1U) << one.line;
      EXPECT_EQ(parsed.set.at(key), one.kept);
      seen.insert(key);
    } else {
      EXPECT_TRUE(parsed.set.empty()) << one.line;
      EXPECT_TRUE(parsed.verdicts[0].sentence.starts_with(one.sentence))
          << one.line << ": " << parsed.verdicts[0].sentence;
    }
  }
  EXPECT_EQ(seen.size(), known_keys().size());
}

TEST(Settings, AVerdictNeverRepeatsASecret) {
  const Parsed parsed = parse_settings(
      "wifi_password = hunter2\npage_password = hunter2\napi_token = hunter2\n"
      "proxy = ftp://a:hunter2@b\n");
  ASSERT_EQ(parsed.verdicts.size(), 4U);
  for (const LineVerdict& line : parsed.verdicts) {
    EXPECT_FALSE(line.good);
    EXPECT_EQ(line.sentence.find("hunter2"), std::string::npos);
  }
}

TEST(Settings, QuotesAreToldAndWhatNeedsThemKeepsThem) {
  const Parsed parsed = parse_settings(
      "wifi_name = \"none\"\nhost_name = box\nwifi_password = \"  eight or more  \"\n");
  EXPECT_EQ(parsed.verdicts[0].sentence, "is applied, without the quotes around it");
  EXPECT_EQ(parsed.verdicts[1].sentence, "is applied");
  EXPECT_EQ(parsed.set.at("wifi_name"), "none");
  EXPECT_EQ(parsed.set.at("wifi_password"), "  eight or more  ");
  for (const char* value : {"none", "(applied)", " blank", "\"quoted\"", "'x'", "a\"b", "plain"}) {
    const Settings one{{"wifi_name", value}};
    EXPECT_EQ(parse_settings(write_settings(one)).set, one) << value;
  }
}

TEST(Settings, AZoneThatTheSystemDoesNotKnowIsNotUsed) {
  const FindZone find = [](const std::string& name) {
    return name == "europe/berlin" ? std::optional<std::string>("Europe/Berlin") : std::nullopt;
  };
  EXPECT_EQ(parse_settings("time_zone = europe/berlin\n", find).set.at("time_zone"),
            "Europe/Berlin");
  const Parsed wrong = parse_settings("time_zone = Europe/Atlantis\n", find);
  EXPECT_TRUE(wrong.set.empty());
  EXPECT_FALSE(wrong.verdicts[0].good);
  EXPECT_TRUE(wrong.verdicts[0].sentence.starts_with("this system knows no such zone"));
}

TEST(Settings, EditorsOfAllSystems) {
  const Parsed parsed = parse_settings(
      "\xEF\xBB\xBFhost_name = box\r\n\r\n# note\r\n\t address=dhcp \t\r\ntime_zone = UTC");
  EXPECT_EQ(parsed.set,
            (Settings{{"host_name", "box"}, {"address", "dhcp"}, {"time_zone", "UTC"}}));
  EXPECT_EQ(parsed.verdicts[1].line, 4U);
}

TEST(Settings, BytesThatAreNoUtf8CostTheirLineAlone) {
  const Parsed parsed = parse_settings(
      "wifi_name = Caf\xE9\nhost_name = box\nwifi_name = \xFF\xFE\nb\xE4 = 1\nnoise\n");
  EXPECT_EQ(parsed.set, (Settings{{"host_name", "box"}}));
  ASSERT_EQ(parsed.verdicts.size(), 5U);
  EXPECT_NE(parsed.verdicts[0].sentence.find("UTF-8"), std::string::npos);
  EXPECT_EQ(parsed.verdicts[3].key, "b?");
  EXPECT_NE(parsed.verdicts[3].sentence.find("known are host_name, address"), std::string::npos);
  EXPECT_NE(parsed.verdicts[4].sentence.find("key = value"), std::string::npos);
}

TEST(Settings, AControlCharacterCannotSmuggleInASecondLine) {
  const Parsed parsed = parse_settings(std::string("wifi_name = a\rb\nhost_name = x\0y\n", 32));
  EXPECT_TRUE(parsed.set.empty());
}

TEST(Settings, AHugeFileIsToldAndNotRead) {
  const Parsed parsed = parse_settings(std::string(kFileAtMost + 1, 'a'));
  ASSERT_EQ(parsed.verdicts.size(), 1U);
  EXPECT_FALSE(parsed.verdicts[0].good);
  EXPECT_TRUE(parse_settings(std::string(kFileAtMost, '\n')).verdicts.empty());
}

TEST(Settings, AFileOfUtf16IsToldOnce) {
  const Parsed parsed = parse_settings(std::string("\xFF\xFEh\0o\0=\0x\0\n\0a\0", 14));
  ASSERT_EQ(parsed.verdicts.size(), 1U);
  EXPECT_NE(parsed.verdicts[0].sentence.find("UTF-16"), std::string::npos);
}

TEST(Settings, TheLastLineOfAKeyCounts) {
  const Parsed parsed = parse_settings("host_name = one\nhost_name = two\n");
  EXPECT_EQ(parsed.set.at("host_name"), "two");
  EXPECT_FALSE(parsed.verdicts[0].good);
  EXPECT_EQ(parsed.verdicts[0].sentence, "stands again in line 2, which counts");
}

TEST(Settings, SecretsThatWereUnderstoodAreReplacedAndNothingElse) {
  const std::string text =
      "# keep\r\nwifi_name = Shop\r\nwifi_password = hunter2hunter2\r\npage_password=bad\r\n"
      "api_token =" +
      kToken + "\r\n";
  EXPECT_EQ(without_secrets(text, parse_settings(text)),
            "# keep\r\nwifi_name = Shop\r\nwifi_password = (applied)\r\npage_password=bad\r\n"
            "api_token =(applied)\r\n");
}

TEST(Settings, WhatTheFileDoesNotNameStays) {
  const Settings kept{{"host_name", "old"}, {"wifi_password", "kept kept"}, {"proxy", "http://p"}};
  const Settings merged =
      merge(kept, parse_settings("host_name = new\nwifi_password = (applied)\nproxy = none\n"));
  EXPECT_EQ(merged, (Settings{{"host_name", "new"}, {"wifi_password", "kept kept"}}));
}

TEST(Settings, KeptSettingsAreReadAsTheyWereWritten) {
  const Settings settings{{"host_name", "box"},
                          {"wifi_name", "a = b # c"},
                          {"wifi_password", "# quotes \" and = signs"}};
  EXPECT_EQ(parse_settings(write_settings(settings)).set, settings);
}

TEST(Settings, TheFileOnTheCardSetsNothingByItself) {
  std::ifstream file(test::source_path("firmware/setup/posthorn.txt"));
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  ASSERT_GT(text.size(), 500U);
  EXPECT_TRUE(parse_settings(text).verdicts.empty());
  for (const Key& key : known_keys()) {
    EXPECT_NE(text.find("#" + std::string(key.name) + " ="), std::string::npos) << key.name;
  }
}

}  // namespace
}  // namespace posthorn::setup
