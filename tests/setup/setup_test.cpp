#include "setup/setup.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "setup/settings_file.h"
#include "support/folder.h"

namespace posthorn::setup {
namespace {

class Setup : public testing::Test {
 protected:
  Setup() { folder.put("etc/posthorn/posthorn.toml", "[api]\nport = 80\n"); }

  std::string boot() {
    commands.clear();
    return set_up(places(), program());
  }
  std::string tell() {
    commands.clear();
    return tell_access(places(), program());
  }
  Places places() {
    return {folder.at("boot"), folder.at("state"), folder.at("data"), folder.path.string()};
  }
  RunProgram program() {
    return [this](const std::vector<std::string>& command, std::string& said) {
      commands.push_back(command.front());
      said = "no";
      return command.front() == failing ? 1 : 0;
    };
  }
  static unsigned mode_of(const std::string& path) {
    struct stat found {};
    return stat(path.c_str(), &found) == 0 ? found.st_mode & 0777 : 0;
  }

  test::Folder folder;
  std::vector<std::string> commands;
  std::string failing;
};

TEST_F(Setup, AFirstBoot) {
  folder.put("boot/posthorn.txt",
             "host_name = till\r\nwifi_name = Shop\r\nwifi_password = hunter2hunter2\r\n"
             "wifi_country = DE\r\ngateway = nonsense\r\n");
  const std::string said = boot();
  EXPECT_EQ(folder.get("boot/posthorn-result.txt"), said);
  EXPECT_EQ(said,
            "What Posthorn made of posthorn.txt:\n"
            "  line 1, host_name: is applied\n"
            "  line 2, wifi_name: is applied\n"
            "  line 3, wifi_password: is applied\n"
            "  line 4, wifi_country: is applied\n"
            "  line 5, gateway: NOT USED: must be the router's address, like 192.168.1.1\n"
            "\nWhat holds now (also without posthorn.txt; \"none\" takes a setting back):\n"
            "  host_name = till\n  wifi_country = DE\n  wifi_name = Shop\n"
            "  wifi_password = (set)\n");
  EXPECT_EQ(folder.get("boot/posthorn.txt"),
            "host_name = till\r\nwifi_name = Shop\r\nwifi_password = (applied)\r\n"
            "wifi_country = DE\r\ngateway = nonsense\r\n");
  EXPECT_EQ(folder.get("etc/hostname"), "till\n");
  EXPECT_NE(folder.get("etc/wpa_supplicant/wpa_supplicant-wlan0.conf").find("hunter2hunter2"),
            std::string::npos);
  EXPECT_EQ(mode_of(folder.at("etc/wpa_supplicant/wpa_supplicant-wlan0.conf")), 0600U);
  EXPECT_EQ(mode_of(folder.at("state/settings.txt")), 0600U);
  EXPECT_EQ(commands, (std::vector<std::string>{"hostname", "systemctl"}));
}

TEST_F(Setup, TheNextBootAppliesWhatWasKeptAndWritesNothing) {
  folder.put("boot/posthorn.txt",
             "host_name = till\nwifi_name = Shop\nwifi_country = DE\n"
             "wifi_password = hunter2hunter2\n");
  boot();
  boot();  // the file says "(applied)" now: its verdict changes once
  const auto written = std::filesystem::last_write_time(folder.path / "boot/posthorn-result.txt");
  const auto kept = std::filesystem::last_write_time(folder.path / "state/settings.txt");
  std::filesystem::remove_all(folder.path / "etc/wpa_supplicant");
  boot();
  EXPECT_NE(folder.get("etc/wpa_supplicant/wpa_supplicant-wlan0.conf").find("hunter2hunter2"),
            std::string::npos);
  EXPECT_EQ(std::filesystem::last_write_time(folder.path / "boot/posthorn-result.txt"), written);
  EXPECT_EQ(std::filesystem::last_write_time(folder.path / "state/settings.txt"), kept);
}

TEST_F(Setup, WithoutAFileTheKeptSettingsHoldAndNoVerdictIsWritten) {
  folder.put("state/settings.txt", "host_name = kept\n");
  std::filesystem::create_directories(folder.path / "boot");
  boot();
  EXPECT_EQ(folder.get("etc/hostname"), "kept\n");
  EXPECT_FALSE(folder.has("boot/posthorn-result.txt"));
}

TEST_F(Setup, ANetworkThatNobodyConfirmedBeforeAPowerCutIsGoneAfterIt) {
  folder.put("state/settings.txt", "address = 192.168.1.20/24\ngateway = 192.168.1.1\n");
  folder.put("state/settings.before", "time_server = ntp.shop.example\n");
  boot();
  EXPECT_TRUE(folder.get("state/settings.txt").ends_with("\ntime_server = ntp.shop.example\n"));
  EXPECT_EQ(folder.get("state/settings.txt").find("address"), std::string::npos);
  EXPECT_FALSE(folder.has("state/settings.before"));
  EXPECT_FALSE(folder.has("run/systemd/network/10-posthorn-wired.network"));
  EXPECT_NE(folder.get("run/posthorn/network-status.json").find("\"back\""), std::string::npos);
}

TEST_F(Setup, ANetworkOnTrialIsAppliedAndWhatItReplacesIsGone) {
  folder.put("boot/posthorn.txt", "dns = 192.168.1.1\nhost_name = none\n");
  folder.put("state/settings.txt", "time_server = ntp.shop.example\nwifi_name = Shop\n");
  boot();
  EXPECT_TRUE(folder.has("run/systemd/timesyncd.conf.d/posthorn.conf"));
  EXPECT_EQ(folder.get("run/posthorn/network.json"),
            "{\"onCard\":[\"dns\",\"host_name\"],\"settings\":{\"dns\":\"192.168.1.1\","
            "\"time_server\":\"ntp.shop.example\",\"wifi_name\":\"Shop\"}}\n");
  // As posthorn-request does it.
  folder.put("state/settings.before", folder.get("state/settings.txt"));
  folder.put("state/settings.txt", "wifi_name = Shop\n");
  folder.put("run/posthorn/network-trial", "");
  boot();
  EXPECT_FALSE(folder.has("run/systemd/timesyncd.conf.d/posthorn.conf"));
  EXPECT_TRUE(folder.has("state/settings.before"));
}

TEST_F(Setup, ASecretLeavesTheCardOnlyWhenItIsKept) {
  folder.put("boot/posthorn.txt", "page_password = hunter2hunter2\n");
  folder.put("state", "a file where the folder should be");
  const std::string said = boot();
  EXPECT_NE(said.find("keeping the settings"), std::string::npos);
  EXPECT_EQ(folder.get("boot/posthorn.txt"), "page_password = hunter2hunter2\n");
}

TEST_F(Setup, WithoutADataPartitionSettingsHoldAndNothingIsTakenOffTheCard) {
  const std::string text = "host_name = till\nwifi_name = Shop\nwifi_password = hunter2hunter2\n";
  folder.put("boot/posthorn.txt", text);
  folder.put("state/volatile", "it is not on the card\n");
  boot();
  EXPECT_EQ(folder.get("boot/posthorn.txt"), text);
  EXPECT_EQ(folder.get("etc/hostname"), "till\n");
  const std::string said = folder.get("boot/posthorn-result.txt");
  EXPECT_NE(said.find("the data partition cannot be used: it is not on the card."),
            std::string::npos);
  EXPECT_NE(said.find("new-data.txt"), std::string::npos);
  // With a new one the password is kept and goes from the card.
  std::filesystem::remove_all(folder.path / "state");
  boot();
  EXPECT_EQ(folder.get("boot/posthorn.txt").find("hunter2"), std::string::npos);
  EXPECT_EQ(folder.get("boot/posthorn-result.txt").find("new-data.txt"), std::string::npos);
}

TEST_F(Setup, WithoutADataPartitionAndASettingsFileItIsToldAllTheSame) {
  std::filesystem::create_directories(folder.path / "boot");
  folder.put("state/volatile", "it is not on the card\n");
  boot();
  EXPECT_NE(folder.get("boot/posthorn-result.txt").find("it is not on the card"),
            std::string::npos);
}

TEST_F(Setup, WhatImagerWasToldToSetUpIsSaidNotToBeUsed) {
  folder.put("boot/firstrun.sh", "#!/bin/bash\n");
  EXPECT_NE(boot().find("note: firstrun.sh: what Raspberry Pi Imager was told"), std::string::npos);
  std::filesystem::remove(folder.path / "boot/firstrun.sh");
  EXPECT_EQ(boot().find("Imager"), std::string::npos);
}

TEST_F(Setup, WhatCannotBeAppliedIsTold) {
  folder.put("boot/posthorn.txt", "host_name = till\ntime_zone = Europe/Atlantis\n");
  failing = "hostname";
  const std::string said = boot();
  EXPECT_NE(said.find("note: hostname: no"), std::string::npos);
  EXPECT_NE(said.find("line 2, time_zone: NOT USED: this system knows no such zone"),
            std::string::npos);
  EXPECT_EQ(said.find("time_zone = "), std::string::npos);
}

TEST_F(Setup, AZoneIsOneThatTheSystemHasCompiled) {
  folder.put("usr/share/zoneinfo/Europe/Berlin", "TZif2...");
  folder.put("usr/share/zoneinfo/zone.tab", "# text");
  for (const auto& [written, kept] :
       {std::pair{"Europe/Berlin", "Europe/Berlin"}, std::pair{"europe/berlin", "Europe/Berlin"},
        std::pair{"Europe", ""}, std::pair{"zone.tab", ""}, std::pair{"Europe/Atlantis", ""}}) {
    folder.put("state/settings.txt", "");
    folder.put("boot/posthorn.txt", std::string("time_zone = ") + written + "\n");
    const std::string said = boot();
    EXPECT_EQ(said.find("NOT USED") == std::string::npos, *kept != '\0') << said;
    const auto settings = load_kept(folder.at("state"));
    EXPECT_EQ(settings.count("time_zone"), *kept == '\0' ? 0U : 1U) << written;
    if (*kept != '\0') {
      EXPECT_EQ(settings.at("time_zone"), kept);
    }
  }
}

/// What is said to be applied, is: no line may be taken back by a note below it.
TEST_F(Setup, TheVerdictDoesNotContradictItself) {
  folder.put("boot/posthorn.txt",
             "address = 192.168.1.20/24\ngateway = 192.168.2.1\nwifi_country = DE\n");
  const std::string said = boot();
  EXPECT_NE(said.find("line 1, address: is applied, but without a gateway"), std::string::npos);
  EXPECT_NE(said.find("line 2, gateway: NOT USED: 192.168.2.1 is not in the network of"),
            std::string::npos);
  EXPECT_NE(said.find("line 3, wifi_country: NOT USED: counts only with wifi_name"),
            std::string::npos);
  EXPECT_NE(said.find("  gateway = 192.168.2.1 (no effect: 192.168.2.1 is not in the network"),
            std::string::npos);
  EXPECT_EQ(said.find("note:"), std::string::npos);
}

TEST_F(Setup, WhoeverHoldsTheCardLearnsWhatATillIsGiven) {
  folder.put("boot/posthorn.txt", "host_name = till\n");
  const std::string before = boot();
  EXPECT_EQ(before.find("idInstance"), std::string::npos);  // the daemon has not started yet
  EXPECT_EQ(tell(), "");
  folder.put("data/access.json",
             "{\"apiTokenInstance\":\"aaa\",\"careToken\":\"ccc\",\"idInstance\":7100000001,"
             "\"url\":\"http://127.0.0.1:80\"}\n");
  const std::string shown = tell();
  const std::string result = folder.get("boot/posthorn-result.txt");
  EXPECT_EQ(result, before +
                        "\nWhat a till is given:\n"
                        "  apiUrl = http://till.local\n"
                        "  idInstance = 7100000001\n"
                        "  apiTokenInstance = aaa\n"
                        "\nThe technician's own, for backup, restore, update and reset; not for a "
                        "till:\n  careToken = ccc\n");
  EXPECT_NE(shown.find("7100000001"), std::string::npos);
  EXPECT_EQ(shown.find("aaa"), std::string::npos);
  EXPECT_EQ(shown.find("ccc"), std::string::npos);
  // Neither saying it again nor the next boot writes to the card.
  const auto written = std::filesystem::last_write_time(folder.path / "boot/posthorn-result.txt");
  tell();
  boot();
  EXPECT_EQ(std::filesystem::last_write_time(folder.path / "boot/posthorn-result.txt"), written);
}

TEST_F(Setup, ACardWithoutSettingsTellsItToo) {
  std::filesystem::create_directories(folder.path / "boot");
  boot();
  folder.put("data/access.json", "{\"apiTokenInstance\":\"aaa\",\"idInstance\":7100000001}\n");
  tell();
  EXPECT_NE(folder.get("boot/posthorn-result.txt").find("apiTokenInstance = aaa\n"),
            std::string::npos);
  folder.put("data/access.json", "{\"apiTokenInstance\":\"bbb\",\"idInstance\":7100000001}\n");
  tell();
  EXPECT_EQ(folder.get("boot/posthorn-result.txt").find("aaa"), std::string::npos);
  folder.put("data/access.json", "garbage");
  EXPECT_EQ(tell(), "");
}

TEST_F(Setup, WhatWasToldOfAnEmptyFileIsNotWrittenAgainByTheNextBoot) {
  folder.put("boot/posthorn.txt", "# host_name = posthorn\n");
  folder.put("data/access.json", R"({"idInstance":7103000001,"apiTokenInstance":"d75b3a66"})");
  boot();
  tell();
  const auto written = std::filesystem::last_write_time(folder.path / "boot/posthorn-result.txt");
  boot();
  tell();
  EXPECT_EQ(std::filesystem::last_write_time(folder.path / "boot/posthorn-result.txt"), written);
  folder.put("boot/posthorn.txt", "host_name = till\n");
  boot();
  EXPECT_NE(folder.get("boot/posthorn-result.txt").find("host_name: is applied"),
            std::string::npos);
}

TEST_F(Setup, AHugeFileAndOneOfGarbageDoNotStopIt) {
  folder.put("boot/posthorn.txt", std::string(1 << 20, '\xE9'));
  EXPECT_NE(boot().find("larger than 64 KiB"), std::string::npos);
  std::string garbage;
  for (int i = 0; i < 60000; ++i) garbage += static_cast<char>((i * 7919) >> 3);
  folder.put("boot/posthorn.txt", garbage);
  EXPECT_NE(boot().find("NOT USED"), std::string::npos);
  EXPECT_EQ(folder.get("boot/posthorn.txt"), garbage);
}

TEST(SettingsFile, OldBytesAreOverwrittenInPlace) {
  const test::Folder folder;
  folder.put("file", "password = hunter2hunter2\n");
  // The same inode: whoever holds the old bytes open sees them go.
  std::ifstream before(folder.path / "file");
  ASSERT_TRUE(overwrite(folder.at("file"), "password = (applied)\n").has_value());
  EXPECT_EQ(std::string((std::istreambuf_iterator<char>(before)), {}), "password = (applied)\n");
}

TEST(SettingsFile, ForgettingTheNetworkKeepsTheRest) {
  const test::Folder folder;
  ASSERT_TRUE(save_kept(folder.path.string(), {{"host_name", "till"},
                                               {"address", "10.0.0.9/24"},
                                               {"wifi_password", "hunter2hunter2"},
                                               {"api_token", std::string(50, 'a')}})
                  .has_value());
  EXPECT_EQ(*forget_kept(folder.path.string(), Forget::network), true);
  EXPECT_EQ(load_kept(folder.path.string()),
            (Settings{{"host_name", "till"}, {"api_token", std::string(50, 'a')}}));
  EXPECT_EQ(*forget_kept(folder.path.string(), Forget::network), false);
  EXPECT_EQ(*forget_kept(folder.path.string(), Forget::everything), true);
  EXPECT_TRUE(load_kept(folder.path.string()).empty());
}

}  // namespace
}  // namespace posthorn::setup
