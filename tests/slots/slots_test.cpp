#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "slots/slot_files.h"

namespace posthorn::slots {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string name = testing::TempDir() + "posthorn_slots_XXXXXX";
    path = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
  void put(const std::string& file, const FileBytes& bytes) const {
    std::ofstream(path / file, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), kFileBytes);
  }
  fs::path path;
};

/// What the boot script does with the counters at a start that is cut before it is confirmed.
SlotState after_start(SlotState state) {
  auto& left = primary(state).value() == 'A' ? state.left_a : state.left_b;
  if (left <= kFresh) left--;
  return state;
}

TEST(SlotState, IsReadBackAsWritten) {
  for (const char* order : {"AB", "BA", "A", "B", ""}) {
    const SlotState state{order, 3, 7};
    EXPECT_EQ(decode(encode(state)).value(), state) << order;
  }
}

TEST(SlotState, TheBytesAreUBootsEnvironment) {
  // Made by U-Boot's own mkenvimage 2023.01: mkenvimage -s 512 of these three lines.
  const FileBytes bytes = encode({"AB", 7, 0});
  const std::string text(reinterpret_cast<const char*>(bytes.data()) + 4, 43);
  EXPECT_EQ(text, std::string("BOOT_A_LEFT=7\0BOOT_B_LEFT=0\0BOOT_ORDER=A B\0", 43));
  EXPECT_EQ((std::array{bytes[0], bytes[1], bytes[2], bytes[3]}),
            (std::array<std::uint8_t, 4>{0xfc, 0xb8, 0xf3, 0xf6}));
}

TEST(SlotState, EveryFlippedBitIsNoticed) {
  const FileBytes whole = encode({"BA", 7, 3});
  for (std::size_t bit = 0; bit < kFileBytes * 8; bit++) {
    FileBytes bytes = whole;
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ (1U << (bit % 8)));
    EXPECT_FALSE(decode(bytes)) << bit;
  }
  EXPECT_FALSE(decode(std::span(whole).first(511)));
  EXPECT_FALSE(decode({}));
}

TEST(SlotState, AConfirmedSlotOutlivesAnyNumberOfCutStarts) {
  SlotState state{"AB", kConfirmed, 0};
  for (int i = 0; i < 50; i++) state = after_start(state);
  EXPECT_EQ(primary(state).value(), 'A');
  EXPECT_EQ(state.left_a, kConfirmed);
}

TEST(SlotState, AnUpdateThatNeverAnswersGivesWayAfterThreeStarts) {
  SlotState state = with_state({"AB", kConfirmed, 0}, 'B', false);
  EXPECT_EQ(primary(state).value(), 'A') << "cut while the update is being written";
  state = with_primary(state, 'B');
  for (int i = 0; i < 3; i++) {
    EXPECT_EQ(primary(state).value(), 'B');
    state = after_start(state);
  }
  EXPECT_EQ(primary(state).value(), 'A');
}

TEST(SlotState, AnUpdateThatIsConfirmedStays) {
  SlotState state = with_primary(with_state({"AB", kConfirmed, 0}, 'B', false), 'B');
  state = with_state(after_start(state), 'B', true);
  for (int i = 0; i < 10; i++) state = after_start(state);
  EXPECT_EQ(primary(state).value(), 'B');
  EXPECT_TRUE(is_good(state, 'A')) << "the old slot stays as the way back";
}

TEST(SlotState, WithoutAnyTryThereIsNoPrimary) {
  EXPECT_FALSE(primary({"AB", 0, 0}));
  EXPECT_FALSE(primary({"B", 7, 0})) << "a slot that is not in the order is not started";
}

TEST(SlotFiles, APowerCutBetweenOrInsideTheTwoWritesLeavesOneWhole) {
  const SlotState old{"AB", 7, 0};
  const SlotState fresh{"BA", 7, 3};
  for (const bool first_done : {false, true}) {
    for (std::size_t torn = 0; torn <= kFileBytes; torn += 64) {
      const Folder folder;
      folder.put("slots.1", encode(first_done ? fresh : old));
      folder.put("slots.2", encode(old));
      FileBytes half = encode(old);
      std::copy_n(encode(fresh).begin(), torn, half.begin());
      folder.put(first_done ? "slots.2" : "slots.1", half);
      const auto found = SlotFiles(folder.path).read();
      ASSERT_TRUE(found) << torn;
      EXPECT_TRUE(*found == old || *found == fresh);
      if (first_done) {
        EXPECT_EQ(*found, fresh);
      }
    }
  }
}

TEST(SlotFiles, WriteMendsADamagedCopyAndIsReadBack) {
  const Folder folder;
  const SlotFiles files(folder.path);
  EXPECT_FALSE(files.read());
  ASSERT_TRUE(files.write({"AB", 7, 0}));
  folder.put("slots.2", FileBytes{});
  ASSERT_TRUE(files.write({"AB", 7, 0}));
  folder.put("slots.1", FileBytes{});
  EXPECT_EQ(files.read().value(), (SlotState{"AB", 7, 0}));
}

TEST(SlotFiles, WhatIsThereAlreadyIsNotWrittenAgain) {
  const Folder folder;
  const SlotFiles files(folder.path);
  ASSERT_TRUE(files.write({"AB", 7, 0}));
  const auto before = fs::last_write_time(folder.path / "slots.1");
  fs::last_write_time(folder.path / "slots.1", before - std::chrono::hours(1));
  ASSERT_TRUE(files.write({"AB", 7, 0}));
  EXPECT_EQ(fs::last_write_time(folder.path / "slots.1"), before - std::chrono::hours(1));
}

}  // namespace
}  // namespace posthorn::slots
