#include "daemon/time_zone.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace posthorn::daemon {
namespace {

/// A folder like /usr/share/zoneinfo: Europe/Berlin is a zone, zone.tab is a text.
std::string make_zones() {
  const std::string folder = testing::TempDir() + "zones-" + std::to_string(getpid());
  mkdir(folder.c_str(), 0700);
  mkdir((folder + "/Europe").c_str(), 0700);
  std::ofstream(folder + "/Europe/Berlin") << "TZif2 and so on";
  std::ofstream(folder + "/zone.tab") << "# a text";
  std::ofstream(folder + "-outside") << "TZif2 and so on";
  return folder;
}

/// The error of a configuration with this zone; "" when it is accepted.
std::string error_of(const std::string& zone) {
  const std::string text = "[throttle]\nquiet_from = \"22:00\"\ntime_zone = \"" + zone + "\"\n";
  const auto config = parse_config(text, "posthorn.toml");
  if (!config) return config.error().detail;
  const auto checked = check_time_zone(config->throttle, make_zones());
  return checked ? "" : checked.error().detail;
}

TEST(TimeZone, AKnownNameAndTheSystemsOwnAreAccepted) {
  EXPECT_EQ(error_of("Europe/Berlin"), "");
  EXPECT_EQ(error_of(""), "");
}

TEST(TimeZone, AnUnknownNameIsRefusedWithFileLineAndKey) {
  EXPECT_EQ(error_of("Europe/Berlni"),
            "posthorn.toml:3: throttle.time_zone: no such zone: Europe/Berlni (must be a name like "
            "\"Europe/Berlin\")");
}

TEST(TimeZone, WhatTheLibraryWouldTakeForUtcIsRefused) {
  const std::string outside = "../zones-" + std::to_string(getpid()) + "-outside";
  for (const std::string& name :
       {std::string("Europe"), std::string("zone.tab"), outside, std::string("/etc/localtime")}) {
    EXPECT_NE(error_of(name), "") << name;
  }
}

}  // namespace
}  // namespace posthorn::daemon
