#include <gtest/gtest.h>

#include <set>

#include "posthorn/board/board_data.h"
#include "posthorn/board/button.h"
#include "posthorn/board/led.h"
#include "posthorn/board/sensors.h"
#include "support/fakes.h"
#include "support/folder.h"
#include "support/vectors.h"

namespace posthorn::board {
namespace {

using test::Folder;

const std::string kBoards = test::source_path("board");

TEST(BoardData, EveryBoardOfTheFolderIsReadAndFoundByItsDeviceTree) {
  using namespace std::string_literals;
  EXPECT_EQ(find_board(kBoards, "raspberrypi,3-model-b-plus\0brcm,bcm2837\0"s)->dtb,
            "broadcom/bcm2837-rpi-3-b.dtb");
  EXPECT_EQ(find_board(kBoards, "raspberrypi,4-model-b\0brcm,bcm2711\0"s)->update, "rauc-uboot");
  EXPECT_EQ(find_board(kBoards, "linux,dummy-virt\0"s)->name, "QEMU virt");
  EXPECT_EQ(find_board(kBoards, "acme,unheard-of\0"s)->name, "Generic computer");
  EXPECT_EQ(find_board(kBoards, "")->name, "Generic computer");
  EXPECT_EQ(find_board("/nowhere", "").error().code, Errc::not_found);
}

TEST(BoardData, SaysWhichLineIsWrong) {
  EXPECT_EQ(parse_board("name = \"x\"\nlamps = []\n", "x.toml").error().detail.substr(0, 29),
            "x.toml:2: unknown key lamps; ");
  EXPECT_EQ(parse_board("name = \"x\"\nbutton = { chip = 5 }\n", "x.toml").error().detail,
            "x.toml:2: needs chip and line (0 to 1023)");
  EXPECT_EQ(parse_board("leds = []\n", "x.toml").error().detail, "x.toml: name is missing");
}

TEST(Led, TheWorstThingWins) {
  Status status;
  status.link = Status::Link::online;
  EXPECT_EQ(light_of(status), Light::online);
  status.throttle = Status::Throttle::amber;
  EXPECT_EQ(light_of(status), Light::careful);
  status.throttle = Status::Throttle::yellow;
  EXPECT_EQ(light_of(status), Light::restricted);
  status.link = Status::Link::reconnecting;
  EXPECT_EQ(light_of(status), Light::clock_unset);
  status.clock_trusted = true;
  EXPECT_EQ(light_of(status), Light::reconnecting);
  status.throttle = Status::Throttle::red;
  EXPECT_EQ(light_of(status), Light::stopped);
  status.storage_ok = false;
  EXPECT_EQ(light_of(status), Light::fault);
  EXPECT_EQ(light_of(Status{}), Light::starting);
}

TEST(Led, NoTwoStatesLookAlike) {
  std::set<std::string> seen;
  for (int i = 0; i <= static_cast<int>(Light::off); ++i) {
    EXPECT_TRUE(seen.insert(kernel_pattern(pattern_of(static_cast<Light>(i)))).second) << i;
  }
}

TEST(Led, WritesTheKernelsTriggerAndOnlyOnChange) {
  const Folder folder;
  for (const char* file : {"trigger", "pattern"}) folder.put(file, "");
  Led led(folder.path);
  ASSERT_TRUE(led.show(Light::restricted).has_value());
  EXPECT_EQ(folder.get("trigger"), "pattern");
  EXPECT_EQ(folder.get("pattern"), "1 250 1 0 0 250 0 0");
  folder.put("pattern", "touched");
  ASSERT_TRUE(led.show(Light::restricted).has_value());
  EXPECT_EQ(folder.get("pattern"), "touched");
  ASSERT_TRUE(led.show(Light::online).has_value());
  EXPECT_EQ(folder.get("pattern"), "1 1000 1 0");
  EXPECT_EQ(Led("/nowhere").show(Light::online).error().code, Errc::io);
}

TEST(Led, ATriggerThatIsChosenIsLeftAlone) {
  const Folder folder;
  folder.put("trigger", "none timer [pattern] default-on\n");
  folder.put("pattern", "");
  ASSERT_TRUE(Led(folder.path).show(Light::off).has_value());
  EXPECT_EQ(folder.get("trigger"), "none timer [pattern] default-on\n");
  EXPECT_EQ(folder.get("pattern"), "0 1000 0 0");
}

TEST(Led, TheFirstLedThatTheKernelHasIsUsed) {
  const Folder folder;
  BoardData board;
  board.leds = {"ACT", "led0"};
  EXPECT_EQ(led_folder(board, folder.path), std::nullopt);
  folder.put("class/leds/led0/trigger", "");
  EXPECT_EQ(led_folder(board, folder.path), folder.path.string() + "/class/leds/led0");
}

class Button : public testing::Test {
 protected:
  void hold(milliseconds time) {
    gesture.on_pressed();
    scheduler.advance(time);
    gesture.on_released();
  }
  test::FakeScheduler scheduler;
  std::vector<Wish> wishes;
  std::vector<std::optional<Light>> lights;
  ButtonGesture gesture{scheduler, [this](Wish wish) { wishes.push_back(wish); },
                        [this](std::optional<Light> light) { lights.push_back(light); }};
};

TEST_F(Button, HowLongItIsHeldDecides) {
  hold(milliseconds(300));
  hold(seconds(7));
  hold(seconds(15));
  hold(seconds(25));
  EXPECT_EQ(wishes, (std::vector<Wish>{Wish::show_yourself, Wish::reset_network,
                                       Wish::reset_settings, Wish::reset_all}));
}

TEST_F(Button, EarlyReleaseHoldingTooLongAndBouncesDoNothing) {
  hold(milliseconds(10));
  hold(seconds(3));
  hold(seconds(40));
  gesture.on_released();
  EXPECT_TRUE(wishes.empty());
}

TEST_F(Button, TheLightSaysWhatAReleaseWouldDo) {
  gesture.on_pressed();
  scheduler.advance(seconds(4));
  EXPECT_TRUE(lights.empty());
  scheduler.advance(seconds(30));
  EXPECT_EQ(lights, (std::vector<std::optional<Light>>{Light::hold_network, Light::hold_settings,
                                                       Light::hold_all, std::nullopt}));
}

TEST(Sensors, AbsentHardwareIsUnknown) {
  const Folder folder;
  const Health health = read_health(folder.path);
  EXPECT_FALSE(health.temperature_celsius.has_value());
  EXPECT_FALSE(health.storage_worn_percent.has_value());
  EXPECT_FALSE(health.under_voltage.has_value());
  EXPECT_FALSE(health.storage_near_end.has_value());
  EXPECT_FALSE(health.watchdog_armed.has_value());
  EXPECT_FALSE(read_health(folder.path, "/dev/watchdog0").watchdog_armed.has_value());
}

TEST(Sensors, ReadsWhatTheKernelShows) {
  const Folder folder;
  folder.put("class/thermal/thermal_zone0/temp", "48312\n");
  folder.put("bus/mmc/devices/mmc0:0001/life_time", "0x02 0x03\n");
  folder.put("class/hwmon/hwmon0/in0_lcrit_alarm", "1\n");
  folder.put("bus/mmc/devices/mmc0:0001/pre_eol_info", "0x02\n");
  folder.put("class/watchdog/watchdog0/state", "active\n");
  const Health health = read_health(folder.path, "/dev/watchdog0");
  EXPECT_EQ(health.storage_near_end, true);
  EXPECT_EQ(health.watchdog_armed, true);
  EXPECT_EQ(health.temperature_celsius, 48);
  EXPECT_EQ(health.storage_worn_percent, 30);
  EXPECT_EQ(health.under_voltage, true);
  folder.put("bus/mmc/devices/mmc0:0001/life_time", "0x00 0x00\n");
  folder.put("bus/mmc/devices/mmc0:0001/pre_eol_info", "0x00\n");
  folder.put("class/watchdog/watchdog0/state", "inactive\n");
  const Health later = read_health(folder.path, "/dev/watchdog0");
  EXPECT_FALSE(later.storage_worn_percent.has_value());
  EXPECT_FALSE(later.storage_near_end.has_value());
  EXPECT_EQ(later.watchdog_armed, false);
}

TEST(Sensors, GarbageIsUnknownToo) {
  const Folder folder;
  folder.put("class/thermal/thermal_zone0/temp", "hot\n");
  folder.put("bus/mmc/devices/mmc0:0001/life_time", "0xff 0xff\n");
  folder.put("bus/mmc/devices/mmc0:0001/pre_eol_info", "0x77\n");
  const Health health = read_health(folder.path);
  EXPECT_FALSE(health.temperature_celsius.has_value());
  EXPECT_FALSE(health.storage_worn_percent.has_value());
  EXPECT_FALSE(health.storage_near_end.has_value());
}

}  // namespace
}  // namespace posthorn::board
