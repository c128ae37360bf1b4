// Whose receipt it is, and how its message gets into the queue.

#include "receipts/desk_box.h"

using namespace posthorn;
using namespace posthorn::receipts;
using namespace posthorn::receipts::desk_test;
using namespace std::string_literals;
using namespace std::string_view_literals;

TEST(Receipts, AFullQueueIsTriedAgainWithTheSameId) {
  Box box(folder());
  box.print(kSale);
  box.refuse_send = true;
  EXPECT_TRUE(box.receipts->on_message(kAnna, box.token()));
  box.turn();
  EXPECT_EQ(box.receipts->list()[0].state, Receipt::State::sending);
  box.refuse_send = false;
  box.scheduler.advance(seconds(11));
  ASSERT_EQ(box.sent.size(), 1U);
  EXPECT_EQ(box.sent[0].message_id, "ID1");
}

TEST(Receipts, AFullQueueIsTriedEverMoreRarely) {
  Box box(folder());
  box.refuse_send = true;
  box.print("WA: +4915550001234\n" + kSale);
  box.scheduler.advance(hours(1));
  EXPECT_GE(box.asked, 8);
  EXPECT_LE(box.asked, 13) << "10 s, doubling to 10 minutes";
  box.refuse_send = false;
  box.scheduler.advance(minutes(10));
  EXPECT_EQ(box.sent.size(), 1U);
}

// It was tried each ten seconds for 25 hours.
TEST(Receipts, WhatCannotBeSentEndsWithAnEventThatSaysWhy) {
  Box box(folder());
  box.refuse_send = true;
  box.refuse_with = Errc::malformed;
  box.print(kSale);
  Errc told = Errc::io;
  box.receipts->send(1, kAnna, [&told](const Result<void>& sent) {
    if (!sent) told = sent.error().code;
  });
  box.scheduler.advance(minutes(30));
  EXPECT_EQ(box.asked, 1);
  EXPECT_EQ(told, Errc::malformed);
  ASSERT_EQ(box.count<NotQueued>(), 1U);
  // Somebody may say once more whose it is.
  box.refuse_send = false;
  box.receipts->send(1, kAnna, [](const Result<void>&) {});
  box.turn();
  EXPECT_EQ(box.sent.size(), 1U);
}

TEST(Receipts, ACustomerIsOnePersonUnderAllTheirNumbers) {
  Box box(folder());
  box.print(kSale);
  box.receipts->send(1, "5511987654321@c.us", [](const Result<void>&) {});
  box.turn();
  std::string said;
  box.receipts->send(1, "551187654321@c.us", [&said](const Result<void>& sent) {
    if (!sent) said = sent.error().detail;
  });
  EXPECT_EQ(said, "this receipt is on its way to them, or was sent");
  box.receipts->send(1, kBert, [&said](const Result<void>& sent) {
    if (!sent) said = sent.error().detail;
  });
  EXPECT_EQ(said, "this receipt went to somebody else already");
}

TEST(Receipts, AFailedClaimKeepsNothingLonger) {
  Box box(folder());
  box.phone = "";
  box.print(kSale);
  box.disk->fault = [] { return std::optional(Error{Errc::full, "no room"}); };
  std::string said;
  box.receipts->send(1, kAnna, [&said](Result<void> sent) { said = sent.error().detail; });
  box.turn();
  EXPECT_EQ(said, "no room");
  box.disk->fault = {};
  box.scheduler.advance(minutes(11));
  EXPECT_TRUE(box.disk->list()->empty());
}

/// The disk fills between the receipt and whose it is: the receipt is there, and nobody's.
TEST(Receipts, AClaimThatFailsRightBehindItsReceiptSendsNothing) {
  Box box(folder());
  std::string said;
  int step = 0;
  box.disk->on_step = [&] {
    if (++step != 6) return;  // the last one of the receipt's own
    box.disk->fault = [] { return std::optional(Error{Errc::full, "no room"}); };
    box.receipts->send(1, kAnna, [&said](Result<void> sent) { said = sent.error().detail; });
  };
  box.print(kSale);
  EXPECT_EQ(said, "no room");
  EXPECT_TRUE(box.sent.empty());
  ASSERT_EQ(box.receipts->list().size(), 1U);
  EXPECT_EQ(box.receipts->list()[0].state, Receipt::State::waiting);
  box.disk->fault = {};
  box.receipts->send(1, kAnna, [](const Result<void>& sent) { EXPECT_TRUE(sent); });
  box.turn();
  EXPECT_EQ(box.sent.size(), 1U);
}

/// Others that are tried again do not take along one whose claim is just being kept.
TEST(Receipts, ARetryWaitsForTheClaim) {
  Box box(folder());
  box.print(kSale);
  box.refuse_send = true;
  EXPECT_TRUE(box.receipts->on_message(kAnna, box.token()));
  box.turn();
  box.refuse_send = false;
  box.print(kSale);
  std::string said;
  bool begun = false;
  box.disk->on_step = [&] {
    if (std::exchange(begun, true)) return;
    box.disk->fault = [] { return std::optional(Error{Errc::full, "no room"}); };
    box.scheduler.advance(seconds(11));
  };
  box.receipts->send(2, kBert, [&said](Result<void> sent) { said = sent.error().detail; });
  box.turn();
  EXPECT_EQ(said, "no room");
  ASSERT_EQ(box.sent.size(), 1U);
  EXPECT_EQ(box.sent[0].chat, kAnna);
}

TEST(Receipts, WhoeverSendsIsToldOfAFullQueue) {
  Box box(folder(), {}, PrinterSettings::Qr::off);
  box.print(kSale);
  box.refuse_send = true;
  std::optional<Error> said;
  box.receipts->send(1, kAnna, [&said](Result<void> sent) { said = sent.error(); });
  box.turn();
  ASSERT_TRUE(said) << "and does not wait for it";
  EXPECT_EQ(said->code, Errc::full);
  box.refuse_send = false;
  box.scheduler.advance(seconds(11));
  EXPECT_EQ(box.sent.size(), 1U);
}
