#include "session/trouble.h"

#include <gtest/gtest.h>

#include "box.h"

// Why there is no connection reaches whoever asks, and the box's own faults say nothing about the
// account.
namespace posthorn::session {
namespace {

using core_test::Box;
using core_test::FakeServer;

TEST(Trouble, NamesWhatMustBeMended) {
  struct Row {
    Errc code;
    Reached reached;
    std::string_view cause;
    bool ours;
  };
  constexpr Row kRows[] = {
      {Errc::not_found, Reached::nothing, "dns", false},
      {Errc::refused, Reached::nothing, "network_refused", false},
      {Errc::timeout, Reached::nothing, "unreachable", false},
      {Errc::disconnected, Reached::nothing, "unreachable", false},
      {Errc::malformed, Reached::nothing, "proxy", false},
      {Errc::crypto, Reached::nothing, "certificate", false},
      {Errc::crypto, Reached::other_end, "certificate", false},
      {Errc::refused, Reached::other_end, "not_whatsapp", false},
      {Errc::malformed, Reached::other_end, "not_whatsapp", false},
      {Errc::disconnected, Reached::other_end, "hung_up", false},
      {Errc::timeout, Reached::other_end, "connection_lost", false},
      {Errc::disconnected, Reached::whatsapp, "connection_lost", false},
      {Errc::malformed, Reached::whatsapp, "connection_lost", false},
      {Errc::full, Reached::whatsapp, "storage_full", true},
      {Errc::io, Reached::whatsapp, "storage", true},
  };
  for (const Row& row : kRows) {
    const Trouble trouble = trouble_of({row.code, "why"}, row.reached);
    EXPECT_EQ(trouble.cause, row.cause);
    EXPECT_EQ(trouble.ours, row.ours);
    EXPECT_EQ(trouble.what_to_do.empty(), row.cause == "connection_lost");
  }
}

TEST(Trouble, IsToldWhileNoPhoneCanBeLinked) {
  Box box;
  box.boot();
  box.dialer.refuse = true;
  box.dialer.refusal = {Errc::not_found, "name lookup"};
  box.run(minutes(2));
  EXPECT_FALSE(box.session->qr().has_value());
  EXPECT_EQ(box.session->state().cause, "dns");
  EXPECT_NE(box.session->state().what_to_do.find("DNS"), std::string::npos);
  box.dialer.refuse = false;
  box.run(minutes(2));
  EXPECT_EQ(box.state(), State::pairing);
  EXPECT_TRUE(box.session->qr().has_value());
}

TEST(Trouble, OfTheDiskIsNotChargedToTheAccountAndEndsByItself) {
  Box box;
  box.link();
  const std::size_t told = box.restrictions().size();
  for (int i = 0; i < 5; ++i) {
    const std::size_t lines = box.server.lines.size();
    box.session->drop({Errc::full, "no room"});
    box.run(milliseconds(100));
    EXPECT_EQ(box.state(), State::backing_off);
    EXPECT_EQ(box.session->state().cause, "storage_full");
    EXPECT_FALSE(box.session->state().what_to_do.empty());
    EXPECT_EQ(box.server.lines.size(), lines) << "it asks its disk before it knocks";
    box.run(seconds(10));
    EXPECT_EQ(box.state(), State::online);
  }
  EXPECT_EQ(box.restrictions().size(), told);
}

TEST(Trouble, LookingAtTheQrCodeOverAFullDiskRegistersOnceAMinute) {
  Box box;
  box.boot();
  ASSERT_TRUE(store::Statement(box.store->database(), "PRAGMA query_only = ON").run());
  (void)box.session->qr();
  box.run(seconds(2));
  ASSERT_EQ(box.session->state().cause, "storage");
  const std::size_t before = box.server.lines.size();
  for (int look = 0; look < 28; ++look) {
    (void)box.session->qr();
    box.run(seconds(2));
  }
  EXPECT_EQ(box.server.lines.size(), before);
  ASSERT_TRUE(store::Statement(box.store->database(), "PRAGMA query_only = OFF").run());
  box.run(seconds(10));
  (void)box.session->qr();
  box.run(seconds(5));
  EXPECT_TRUE(box.session->qr()) << "the disk is well again";
}

}  // namespace
}  // namespace posthorn::session
