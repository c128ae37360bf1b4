#include "chat/history/history_kit.h"
#include "posthorn/chat/phone_history.h"

namespace posthorn::chat::chat_test {
namespace {

/// What the phone tells by itself: 0 initial, 3 recent.
wa::Message piece(int type, std::uint32_t percent) {
  FieldWriter history;
  history.message(2, conversation("4915550003333@s.whatsapp.net", {kNow - 30}, {}));
  wa::Message message = inline_history(deflate(history.out()));
  auto& news = *message.mutable_protocolmessage()->mutable_historysyncnotification();
  news.set_synctype(type);
  news.set_progress(percent);
  return message;
}

TEST(HistoryProgress, FollowsTheRecentPiecesToTheEnd) {
  Rig rig;
  PhoneHistory& history = rig.box->phone_history();
  EXPECT_EQ(history.progress(), 100) << "a box that was linked long ago";
  tell(rig, piece(0, 100), "H0");
  EXPECT_EQ(history.progress(), 0) << "only recent pieces have percents that count";
  tell(rig, piece(3, 40), "H1");
  EXPECT_EQ(history.progress(), 40);
  tell(rig, piece(3, 30), "H2");
  EXPECT_EQ(history.progress(), 40) << "never back";
  tell(rig, piece(3, 100), "H3");
  EXPECT_EQ(history.progress(), 100);
  tell(rig, piece(4, 5), "H4");
  EXPECT_EQ(history.progress(), 100) << "names come at any time";
}

TEST(HistoryProgress, EndsWhenNothingMoreComesForTwoMinutes) {
  Rig rig;
  tell(rig, piece(3, 40), "H1");
  rig.scheduler.advance(seconds(100));
  EXPECT_EQ(rig.box->phone_history().progress(), 40);
  tell(rig, piece(3, 60), "H2");
  rig.scheduler.advance(seconds(100));
  EXPECT_EQ(rig.box->phone_history().progress(), 60) << "counted from the last one";
  rig.scheduler.advance(seconds(20));
  EXPECT_EQ(rig.box->phone_history().progress(), 100);
}

TEST(HistoryProgress, AfterARestartCountsOnlyWhatWaits) {
  Rig rig;
  tell(rig, piece(3, 40), "H1");
  rig.restart();
  EXPECT_EQ(rig.box->phone_history().progress(), 100) << "nothing waits";
  rig.line.sink = FakeLine::Sink::fails;  // nowhere to keep what it says
  tell(rig, piece(3, 60), "H2");
  rig.restart();
  EXPECT_EQ(rig.box->phone_history().progress(), 0) << "a piece is there and not read";
  rig.line.sink = FakeLine::Sink::stores;
  rig.scheduler.advance(seconds(6));
  for (int i = 0; i < 60; ++i) {
    rig.scheduler.advance(milliseconds(1));
    rig.turn();
  }
  EXPECT_EQ(rig.box->phone_history().progress(), 60);
}

TEST(HistoryProgress, BeginsAtNothingWhenAnAccountIsLinked) {
  Rig rig;
  rig.listener().on_logged_out();
  rig.listener().on_online();
  EXPECT_EQ(rig.box->phone_history().progress(), 0);
  tell(rig, piece(3, 100), "H1");
  EXPECT_EQ(rig.box->phone_history().progress(), 100);
}

}  // namespace
}  // namespace posthorn::chat::chat_test
