#include "daemon/support_bundle.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "daemon/recent_log.h"
#include "posthorn/base/log.h"
#include "support/folder.h"

namespace posthorn::daemon {
namespace {

std::string gunzip(const std::string& packed) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string out(std::size_t{1} << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

TEST(TarGz, IsWhatTarReads) {
  const auto packed = make_tar_gz({{"a/one.txt", "first"}, {"a/two.txt", std::string(600, '2')}},
                                  Wall::from_unix(1'800'000'000));
  ASSERT_TRUE(packed.has_value());
  const std::string tar = gunzip(*packed);
  EXPECT_EQ(tar.size(), 512U + 512 + 512 + 1024 + 1024);
  EXPECT_EQ(tar.substr(257, 5), "ustar");
  EXPECT_EQ(tar.substr(512, 5), "first");
  EXPECT_FALSE(make_tar_gz({{std::string(100, 'n'), ""}}, Wall{}).has_value());
  const test::Folder folder;
  folder.put("bundle.tar.gz", *packed);
  const std::string command =
      "tar -xzf " + folder.at("bundle.tar.gz") + " -C " + folder.path.string();
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(folder.get("a/two.txt"), std::string(600, '2'));
}

TEST(Scrub, HidesNumbersTokensAndKeysAndKeepsTheRest) {
  EXPECT_EQ(scrub("sent to 4915550001234@c.us in 120 ms"), "sent to ***@c.us in 120 ms");
  EXPECT_EQ(scrub("id 3EB0F4442883A0E61BA8D2 port 8080"), "id 3EB0F***A0E61BA8D2 port 8080");
  EXPECT_EQ(scrub("token 5f0c5f0c5f0c5f0c5f0c5f0c5f0c!"), "token ***!");
  EXPECT_EQ(scrub("key dGhpcyBpcyBhIGtleSBvZiAzMiBieXRlcyE0MTIzNDU="), "key ***");
  EXPECT_EQ(scrub("2026-03-02T09:15:04.120Z <6>session: logged in ms=12"),
            "2026-03-02T09:15:04.120Z <6>session: logged in ms=12");
  EXPECT_EQ(scrub("aLongWordWithoutAnyDigitsInItStays"), "aLongWordWithoutAnyDigitsInItStays");
}

TEST(RecentLog, KeepsTheNewestLinesAndNoHalfOne) {
  keep_recent_log();
  testing::internal::CaptureStderr();
  for (int i = 0; i < 2000; ++i) log::info("test", "line", {{"number", i}});
  testing::internal::GetCapturedStderr();
  log::set_sink(nullptr);
  const std::string kept = recent_log();
  EXPECT_LE(kept.size(), 65536U);
  EXPECT_NE(kept.find("number=1999\n"), std::string::npos);
  EXPECT_EQ(kept.find("number=1\n"), std::string::npos);
  EXPECT_TRUE(kept.starts_with("20")) << kept.substr(0, 40);
}

TEST(SupportBundle, TheConfigurationIsToldWithoutItsSecrets) {
  Config config;
  config.api.token = "5f0c5f0c5f0c";
  config.api.page_password = "hunter2hunter2";
  config.network.proxy = "http://till:hunter2@10.0.0.5:3128";
  config.whatsapp.noise_root_key = "abcdef";
  config.throttle.settings.push_back({"gap_any_ms", 500, ""});
  const std::string told = describe_config(config);
  for (const char* secret : {"5f0c", "hunter2", "till", "abcdef"}) {
    EXPECT_EQ(told.find(secret), std::string::npos) << secret;
  }
  EXPECT_NE(told.find("token = \"(set)\""), std::string::npos);
  EXPECT_NE(told.find("10.0.0.5:3128"), std::string::npos);
  EXPECT_NE(told.find("gap_any_ms = 500"), std::string::npos);
}

TEST(SupportBundle, WhatTheBoardDoesNotTellIsNull) {
  const std::string unknown = board_json({}, false, false, {}, {}, "/nowhere");
  for (const char* key :
       {"temperatureCelsius", "storageWornPercent", "storageNearEnd", "underVoltage",
        "watchdogArmed", "freeBytes", "board", "serial", "slot"}) {
    EXPECT_NE(unknown.find("\"" + std::string(key) + "\":null"), std::string::npos) << key;
  }
  board::Health health;
  health.temperature_celsius = 48;
  health.under_voltage = false;
  const std::string told = board_json({}, true, false, health, {"Board 3", "0000a1", "B"}, "/");
  EXPECT_NE(told.find("\"temperatureCelsius\":48"), std::string::npos);
  EXPECT_NE(told.find("\"underVoltage\":false"), std::string::npos);
  EXPECT_NE(told.find("\"serial\":\"0000a1\""), std::string::npos);
  EXPECT_NE(told.find("\"slot\":\"B\""), std::string::npos);
  for (const char* key : {"memoryBytes", "uptimeSeconds", "residentBytes"}) {
    EXPECT_NE(told.find("\"" + std::string(key) + "\":"), std::string::npos) << key;
    EXPECT_EQ(told.find("\"" + std::string(key) + "\":null"), std::string::npos) << key;
  }
}

TEST(Hardware, IsReadWithoutTheZeroThatTheKernelEndsItWith) {
  const test::Folder folder;
  folder.put("model", std::string("Board 3\0", 8));
  folder.put("serial-number", std::string("00000000a1b2\0", 13));
  folder.put("cmdline", "root=/dev/mmcblk0p2 rauc.slot=B quiet\n");
  const Hardware told = read_hardware(folder.path, folder.at("cmdline"));
  EXPECT_EQ(told.model, "Board 3");
  EXPECT_EQ(told.serial, "00000000a1b2");
  EXPECT_EQ(told.slot, "B");
  const Hardware silent = read_hardware(folder.at("nowhere"), folder.at("nothing"));
  EXPECT_EQ(silent.serial, "");
  EXPECT_EQ(silent.slot, "");
}

}  // namespace
}  // namespace posthorn::daemon
