#include "daemon/board_link.h"

#include <gtest/gtest.h>

#include "support/folder.h"

namespace posthorn::daemon {
namespace {

class Board : public testing::Test {
 protected:
  Board() {
    folder.put("boards/test.toml",
               "name = \"Test board\"\ncompatible = [\"test,board\"]\nleds = [\"ACT\"]\n"
               "watchdog = \"/dev/watchdog0\"\nupdate = \"rauc-uboot\"\n");
    folder.put("compatible", std::string("test,board\0", 11));
    folder.put("sys/class/leds/ACT/trigger", "none [pattern]\n");
    folder.put("sys/class/leds/ACT/pattern", "");
    config = {folder.at("boards"), folder.at("sys"), folder.at("compatible")};
  }
  std::unique_ptr<BoardLink> link() {
    return std::make_unique<BoardLink>(
        loop, config, [this] { return status; }, [](board::Wish) {});
  }
  [[nodiscard]] std::string pattern() const { return folder.get("sys/class/leds/ACT/pattern"); }

  test::Folder folder;
  loop::Loop loop;
  BoardConfig config;
  Status status;
};

TEST_F(Board, TheLedFollowsTheStatus) {
  const auto board = link();
  EXPECT_TRUE(board->has_led());
  EXPECT_EQ(pattern(), board::kernel_pattern(board::pattern_of(board::Light::starting)));
  status.link = Status::Link::online;
  board->refresh();
  EXPECT_EQ(pattern(), board::kernel_pattern(board::pattern_of(board::Light::online)));
  status.storage_ok = false;
  board->refresh();
  EXPECT_EQ(pattern(), board::kernel_pattern(board::pattern_of(board::Light::fault)));
}

TEST_F(Board, ItsHealthIsTheBoardsOwn) {
  folder.put("sys/class/watchdog/watchdog0/state", "active\n");
  const auto board = link();
  EXPECT_EQ(board->board().update, "rauc-uboot");
  EXPECT_EQ(board->health().watchdog_armed, true);
  EXPECT_FALSE(board->health().temperature_celsius.has_value());
  EXPECT_FALSE(board->has_button());
}

TEST_F(Board, AComputerWithoutAnythingIsNoBoard) {
  config = {folder.at("none"), folder.at("none"), folder.at("none")};
  const auto board = link();
  EXPECT_FALSE(board->has_led());
  EXPECT_EQ(board->board().update, "none");
  EXPECT_FALSE(board->health().watchdog_armed.has_value());
}

TEST_F(Board, AnLedThatCannotBeSetIsLeftAlone) {
  std::filesystem::remove(folder.path / "sys/class/leds/ACT/pattern");
  const auto board = link();
  EXPECT_FALSE(board->has_led());
  board->refresh();
}

TEST(Resets, AskTheDaemonsNextStartAndRoot) {
  const test::Folder folder;
  const std::string data = folder.path.string();
  ASSERT_TRUE(request_reset(data, board::Wish::reset_network).has_value());
  EXPECT_TRUE(folder.has("requests/network-reset"));
  EXPECT_EQ(begin_reset(data), std::nullopt);
  ASSERT_TRUE(request_reset(data, board::Wish::reset_settings).has_value());
  EXPECT_TRUE(folder.has("requests/reset-settings"));
  EXPECT_EQ(begin_reset(data), board::Wish::reset_settings);
  end_reset(data);
  EXPECT_EQ(begin_reset(data), std::nullopt);
}

TEST(Resets, WhatIsRefusedIsNotDoneAtTheNextStart) {
  const test::Folder folder;
  const std::string data = folder.path.string();
  folder.put("requests", "no folder");
  for (const board::Wish wish : {board::Wish::reset_settings, board::Wish::reset_all}) {
    EXPECT_EQ(request_reset(data, wish).error().code, Errc::io);
    EXPECT_FALSE(folder.has("reset-request"));
    EXPECT_EQ(begin_reset(data), std::nullopt);
  }
}

/// What was erased is in the database's log and not yet on the disk.
TEST(Resets, AreDoneAgainUntilWhatTheyErasedIsOnTheDisk) {
  struct Slow final : BlobStore {
    Result<std::optional<Bytes>> load(std::string_view) override { return std::nullopt; }
    Result<void> save(std::string_view, ByteView) override { return {}; }
    void durable(Once<void(Result<void>)> done) override { waits = std::move(done); }
    Once<void(Result<void>)> waits;
  };
  const test::Folder folder;
  const std::string data = folder.path.string();
  Slow store;
  ASSERT_TRUE(request_reset(data, board::Wish::reset_settings).has_value());
  end_reset_when_durable(store, data);
  EXPECT_EQ(begin_reset(data), board::Wish::reset_settings) << "a cut here";
  store.waits(fail(Errc::io, "the disk failed"));
  EXPECT_EQ(begin_reset(data), board::Wish::reset_settings);
  end_reset_when_durable(store, data);
  store.waits({});
  EXPECT_EQ(begin_reset(data), std::nullopt);
}

TEST(Resets, EverythingGoesButWhatRootHasYetToSee) {
  const test::Folder folder;
  const std::string data = folder.path.string();
  folder.put("posthorn.db", "keys");
  folder.put("outbox.ring", "messages");
  folder.put("incoming/update", "half");
  ASSERT_TRUE(request_reset(data, board::Wish::reset_all).has_value());
  EXPECT_EQ(begin_reset(data), board::Wish::reset_all);
  EXPECT_FALSE(folder.has("posthorn.db") || folder.has("outbox.ring") || folder.has("incoming"));
  EXPECT_TRUE(folder.has("requests/reset-everything"));
  // A power cut here: it is done again.
  EXPECT_EQ(begin_reset(data), board::Wish::reset_all);
}

}  // namespace
}  // namespace posthorn::daemon
