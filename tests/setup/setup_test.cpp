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
    return set_up({folder.at("boot"), folder.at("state"), folder.path.string()},
                  [this](const std::vector<std::string>& command, std::string& said) {
                    commands.push_back(command.front());
                    said = "no";
                    return command.front() == failing ? 1 : 0;
                  });
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
            "  line 5, gateway: NOT USED: must be an address, like 192.168.1.1\n"
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

TEST_F(Setup, ASecretLeavesTheCardOnlyWhenItIsKept) {
  folder.put("boot/posthorn.txt", "page_password = hunter2hunter2\n");
  folder.put("state", "a file where the folder should be");
  const std::string said = boot();
  EXPECT_NE(said.find("keeping the settings"), std::string::npos);
  EXPECT_EQ(folder.get("boot/posthorn.txt"), "page_password = hunter2hunter2\n");
}

TEST_F(Setup, WhatCannotBeAppliedIsTold) {
  folder.put("boot/posthorn.txt", "host_name = till\ntime_zone = Europe/Atlantis\n");
  failing = "hostname";
  const std::string said = boot();
  EXPECT_NE(said.find("note: hostname: no"), std::string::npos);
  EXPECT_NE(said.find("note: time_zone: Europe/Atlantis is unknown here"), std::string::npos);
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
