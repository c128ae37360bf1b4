#include "receipts/desk_box.h"
#include "receipts/intake.h"
#include "receipts/qr_block.h"
#include "receipts/qr_reader.h"

using namespace posthorn;
using namespace posthorn::receipts;
using namespace posthorn::receipts::desk_test;
using namespace std::string_literals;
using namespace std::string_view_literals;

TEST(Receipts, WhoSendsTheTokenGetsTheReceipt) {
  Settings settings;
  settings.shop = "Café Post";
  Box box(folder(), settings);
  box.print(kSale);
  ASSERT_EQ(box.printed.size(), 1U);
  EXPECT_TRUE(box.sent.empty());
  EXPECT_TRUE(box.receipts->on_message(kAnna, box.token()));
  box.turn();
  ASSERT_EQ(box.sent.size(), 1U);
  EXPECT_EQ(box.sent[0].chat, kAnna);
  EXPECT_EQ(box.sent[0].form, Form::png);
  EXPECT_EQ(box.sent[0].text, "Café Post\nReceipt 1 · 2,40");
  EXPECT_TRUE(as_text(box.sent[0].file).starts_with("\x89PNG"));
  EXPECT_EQ(box.sent[0].width, 576U);
  EXPECT_EQ(box.receipts->list().at(0).way, "scan");
  // One use: nobody else gets it, and Anna not twice.
  EXPECT_TRUE(box.receipts->on_message(kAnna, box.token()));
  EXPECT_TRUE(box.receipts->on_message(kBert, box.token()));
  box.turn();
  ASSERT_EQ(box.sent.size(), 2U);
  EXPECT_EQ(box.sent[1].chat, kBert);
  EXPECT_EQ(box.sent[1].form, Form::text);
  EXPECT_NE(box.sent[1].text.find("not known"), std::string::npos);
}

TEST(Receipts, WhoGuessesIsAnsweredOnce) {
  Box box(folder());
  box.print(kSale);
  for (int i = 0; i < 20; ++i)
    EXPECT_TRUE(box.receipts->on_message(kBert, "R-ABCD" + std::to_string(i % 9 + 1)));
  EXPECT_EQ(box.sent.size(), 1U);
  EXPECT_TRUE(box.receipts->on_message(kBert, box.token()));
  box.turn();
  EXPECT_EQ(box.sent.size(), 1U) << "even a right one, after so many wrong";
  EXPECT_FALSE(box.receipts->on_message(kAnna, "When do you open?"));
}

TEST(Receipts, GoWhenNobodyWantsThem) {
  Box box(folder());
  box.phone = "";  // not linked: no code is printed
  box.print(kSale);
  ASSERT_EQ(box.receipts->list().size(), 1U);
  EXPECT_FALSE(box.receipts->list()[0].token);
  box.scheduler.advance(minutes(9));
  EXPECT_NE(box.newest_job(), "");
  box.scheduler.advance(minutes(2));
  EXPECT_EQ(box.newest_job(), "") << "gone from the disk";
  EXPECT_EQ(box.count<Gone>(), 1U);
  box.phone = "4915550000000";
  box.print(kSale);
  box.scheduler.advance(hours(47));
  EXPECT_NE(box.newest_job(), "");
  box.scheduler.advance(hours(2));
  EXPECT_TRUE(box.disk->list()->empty());
}

TEST(Receipts, GoWithTheirPictureADayAfterTheyWereSent) {
  Box box(folder());
  box.print(kSale);
  EXPECT_TRUE(box.receipts->on_message(kAnna, box.token()));
  box.scheduler.advance(hours(24));
  EXPECT_EQ(box.receipts->list().size(), 1U);
  EXPECT_TRUE(box.removed.empty());
  box.scheduler.advance(hours(2));
  EXPECT_TRUE(box.receipts->list().empty());
  EXPECT_TRUE(box.disk->list()->empty());
  EXPECT_EQ(box.removed, std::vector<std::string>{"file1"});
}

TEST(Receipts, APictureStaysWhileAnotherReceiptNeedsIt) {
  Box box(folder());
  box.same_file = true;
  box.print(kSale);
  EXPECT_TRUE(box.receipts->on_message(kAnna, box.token()));
  box.scheduler.advance(hours(20));
  box.print(kSale);
  EXPECT_TRUE(box.receipts->on_message(kBert, box.token()));
  box.scheduler.advance(hours(6));
  EXPECT_EQ(box.receipts->list().size(), 1U) << "the first has gone";
  EXPECT_TRUE(box.removed.empty());
  box.scheduler.advance(hours(20));
  EXPECT_EQ(box.removed, std::vector<std::string>{"file"});
}

TEST(Receipts, AreReadAgainAfterAStart) {
  const auto disk = folder();
  std::string token;
  {
    Box box(disk);
    box.print(kSale);
    token = box.token();
  }
  Box box(disk);
  ASSERT_EQ(box.receipts->list().size(), 1U);
  EXPECT_TRUE(box.printed.empty()) << "told before";
  EXPECT_EQ(box.receipts->list()[0].total, "2,40");
  EXPECT_TRUE(box.receipts->on_message(kAnna, token));
  box.turn();
  EXPECT_EQ(box.sent.size(), 1U);
  box.print(kSale);
  EXPECT_EQ(box.receipts->list()[0].number, 2U) << "numbers go on";
}

TEST(Receipts, NumbersAreNotGivenAgainThoughAllHaveGone) {
  const auto disk = folder();
  Box::Blobs kept;
  {
    Box box(disk);
    box.print(kSale);
    ASSERT_TRUE(box.receipts->forget(1));
    box.receipts->stop();
    kept = box.blobs.values;
  }
  ASSERT_TRUE(disk->list()->empty());
  Box box(disk, {}, PrinterSettings::Qr::native, kept);
  box.print(kSale);
  EXPECT_EQ(box.printed, std::vector<std::uint64_t>{2});
}

/// The receipt is on disk and the power goes before its notification is: it is told at the start,
/// and those of before are not told again.
TEST(Receipts, WhatWasKeptJustBeforeACutIsTold) {
  const auto disk = folder();
  Box::Blobs blobs;
  {
    Box box(disk);
    box.print(kSale);
    EXPECT_EQ(box.printed, std::vector<std::uint64_t>{1});
    box.deaf = true;
    box.print(kSale);
    box.print(kSale);
    blobs = box.blobs.values;
  }
  Box again(disk, {}, PrinterSettings::Qr::native, blobs);
  std::sort(again.printed.begin(), again.printed.end());
  EXPECT_EQ(again.printed, (std::vector<std::uint64_t>{2, 3}));
  EXPECT_EQ(again.receipts->list().size(), 3U);
  const Box once_more(disk, {}, PrinterSettings::Qr::native, again.blobs.values);
  EXPECT_TRUE(once_more.printed.empty());
}

TEST(Receipts, SayHowOldTheyAreWhateverTheClockSays) {
  const auto disk = folder();
  const auto age_of = [](const Box& box, std::uint64_t number) {
    return box.receipts->find(number)->age;
  };
  {
    Box box(disk);
    box.print(kSale);
    EXPECT_LT(age_of(box, 1).value(), seconds(1));
    box.scheduler.advance(minutes(5));
    // The true time comes, and makes no receipt older.
    for (int i = 0; i < 2; ++i) box.clock.on_server_time(1'790'000'000);
    ASSERT_TRUE(box.clock.now().trusted);
    EXPECT_EQ(std::chrono::duration_cast<minutes>(age_of(box, 1).value()), minutes(5));
    box.print(kSale);
  }
  const Box box(disk);  // its clock is not set yet
  EXPECT_TRUE(age_of(box, 1).has_value());
  EXPECT_FALSE(age_of(box, 2).has_value()) << "printed under another clock";
}

/// What makes room: first what nobody can ask for, then what was sent, then what nobody scanned; a
/// message that waits for its picture keeps it to the last.
TEST(Receipts, TheLeastLossMakesRoom) {
  Box box(folder(), {}, PrinterSettings::Qr::native, {}, 5);
  box.print(kSale);  // 1: waits in the outbox
  EXPECT_TRUE(box.receipts->on_message(kAnna, box.token()));
  box.turn();
  box.waiting.insert("file1");
  box.print(kSale);  // 2: was sent
  EXPECT_TRUE(box.receipts->on_message(kAnna, box.token()));
  box.turn();
  box.print(kSale);  // 3: may be scanned
  box.phone = "";
  box.print(kSale);  // 4: nobody can ask for it
  box.phone = "4915550000000";
  box.print(kSale);  // 5: may be scanned
  const auto left = [&box] {
    std::string out;
    for (const Receipt& one : box.receipts->list()) out += std::to_string(one.number) + " ";
    return out;
  };
  EXPECT_EQ(left(), "5 4 3 2 1 ");
  box.print(kSale);
  EXPECT_EQ(left(), "6 5 3 2 1 ");
  box.print(kSale);
  EXPECT_EQ(left(), "7 6 5 3 1 ");
  box.print(kSale);
  EXPECT_EQ(left(), "8 7 6 5 1 ");
  EXPECT_EQ(box.removed, std::vector<std::string>{"file2"});
}

TEST(Receipts, TheTillSaysWhoseItIs) {
  Box box(folder(), {}, PrinterSettings::Qr::off);
  box.print(kSale);
  bool done = false;
  box.receipts->send(1, kAnna, [&done](Result<void> sent) { done = sent.has_value(); });
  box.turn();
  EXPECT_TRUE(done);
  ASSERT_EQ(box.sent.size(), 1U);
  EXPECT_EQ(box.sent[0].consent, "spoken");
  std::string said;
  box.receipts->send(1, kBert, [&said](Result<void> sent) { said = sent.error().detail; });
  EXPECT_NE(said.find("somebody else"), std::string::npos);
  box.receipts->send(9, kBert, [&said](Result<void> sent) { said = sent.error().detail; });
  EXPECT_NE(said.find("no such receipt"), std::string::npos);
}

TEST(Receipts, ATagLineSendsItWithoutBeingAsked) {
  Settings settings;
  settings.form = Form::text;
  Box box(folder(), settings);
  box.print("Tea 2,40\nWA: +49 155 50001234\n\x1dV\0"s);
  box.turn();
  ASSERT_EQ(box.sent.size(), 1U);
  EXPECT_EQ(box.sent[0].chat, kAnna);
  EXPECT_EQ(box.sent[0].text.find("WA:"), std::string::npos);
  EXPECT_NE(box.sent[0].text.find("Tea 2,40"), std::string::npos);
}

TEST(Receipts, ARegularIsAskedAtTheSecondScanAndThenNeedsNone) {
  Box box(folder());
  const std::string sale = "Kunde 1042\n" + kSale;
  for (int i = 0; i < 2; ++i) {
    box.print(sale);
    EXPECT_TRUE(box.receipts->on_message(kAnna, box.token()));
    box.turn();
  }
  ASSERT_EQ(box.sent.size(), 2U);
  EXPECT_EQ(box.sent[0].text.find("YES"), std::string::npos);
  EXPECT_NE(box.sent[1].text.find("YES"), std::string::npos);
  EXPECT_FALSE(box.receipts->on_message(kBert, "yes")) << "was not asked";
  EXPECT_TRUE(box.receipts->on_message(kAnna, "Yes!"));
  EXPECT_EQ(box.sent.size(), 3U);
  box.print(sale);
  box.turn();
  ASSERT_EQ(box.sent.size(), 4U);
  EXPECT_EQ(box.sent[3].chat, kAnna);
}

TEST(Receipts, AFullDiskLosesTheCopyAndNotThePaper) {
  Box box(folder());
  box.disk->fault = [] { return std::optional(Error{Errc::full, "no room"}); };
  box.print(kSale);
  EXPECT_TRUE(box.receipts->list().empty());
  box.disk->fault = {};
  box.print(kSale);
  EXPECT_EQ(box.receipts->list().size(), 1U);
}

TEST(Receipts, WhoPrintsWithoutEndFillsNeitherMemoryNorCard) {
  Box box(folder());
  std::string flood;
  for (int i = 0; i < 1000; ++i) flood += kSale;
  box.print(flood);
  EXPECT_LE(box.receipts->list().size(), Intake::kJobs + 1);
  EXPECT_GE(box.receipts->list().size(), Intake::kJobs);
  const std::size_t kept = box.receipts->list().size();
  box.scheduler.advance(seconds(5));
  box.print(kSale);
  EXPECT_EQ(box.receipts->list().size(), kept + 1) << "a shop goes on";
}

TEST(Receipts, WhatWaitsForTheDiskAtTheEndIsKeptInOrderAndNotByTheLoop) {
  Box box(folder());
  int steps = 0;
  bool begun = false;
  std::optional<int> steps_of_stop;
  box.disk->on_step = [&] {
    ++steps;
    if (std::exchange(begun, true)) return;
    box.scheduler.post([&] {
      steps = 0;
      box.receipts->stop();
      steps_of_stop = steps;
    });
  };
  box.print(kSale + kSale);
  EXPECT_EQ(steps_of_stop, 0) << "the loop waits for no disk";
  EXPECT_GT(steps, 0);
  box.disk->on_step = {};
  EXPECT_NE(box.disk->content("0000000001.job"), nullptr);
  EXPECT_NE(box.disk->content("0000000002.job"), nullptr);
}

TEST(Receipts, CodesAreLookedForInPicturesWithoutLettersOnly) {
  if (!can_read_qr()) GTEST_SKIP() << "libzbar0 is not here";
  QrBlock block;
  block.payload = "https://example.com/r/1";
  block.raster = true;
  const std::string picture =
      to_string(ByteView(encode_qr_block(block, Language::escpos, {}))) + "\n";
  Box box(folder(), {}, PrinterSettings::Qr::off);
  box.print(picture + "\x1dV\0"s);
  box.print(picture + kSale);
  const auto codes = [&box](std::uint64_t number) {
    std::vector<std::string> out;
    box.receipts->show(number, std::nullopt, [&out](Result<Rendering> shown) {
      ASSERT_TRUE(shown);
      out = shown->qr_payloads;
    });
    box.turn();
    return out;
  };
  EXPECT_EQ(codes(1), std::vector<std::string>{block.payload});
  EXPECT_TRUE(codes(2).empty());
}

TEST(Receipts, WhatIsNoReceiptIsNotKept) {
  Box box(folder());
  box.phone = "";
  box.print("");
  box.print("\x1bp\0\x19\xfa"s);
  EXPECT_TRUE(box.disk->list()->empty());
}

/// Power is cut before every step that changes the disk, and the box starts again: each message
/// that went out before and after has one id, so WhatsApp shows one.
TEST(Receipts, APowerCutSendsAReceiptOnceOrNotAtAll) {
  for (int cut_at = 1;; ++cut_at) {
    const auto before = folder();
    std::shared_ptr<files::test::PowerFolder> after;
    std::vector<std::string> ids;
    std::string token;
    int step = 0;
    {
      Box box(before);
      std::size_t sent_then = 0;
      before->on_step = [&] {
        if (++step != cut_at) return;
        after = before->after_cut(static_cast<std::uint64_t>(cut_at));
        sent_then = box.sent.size();
      };
      box.print(kSale);
      token = box.token();
      EXPECT_TRUE(box.receipts->on_message(kAnna, token));
      box.turn();
      for (std::size_t i = 0; i < sent_then; ++i) ids.push_back(box.sent[i].message_id);
      before->on_step = {};
    }
    if (!after) {
      EXPECT_GT(cut_at, 8) << "the sweep came through all steps";
      break;
    }
    Box again(after);
    again.run = "-again";
    again.scheduler.advance(seconds(15));
    for (const Outgoing& message : again.sent) {
      EXPECT_TRUE(as_text(message.file).ends_with("IEND\xae\x42\x60\x82")) << "never half";
      ids.push_back(message.message_id);
    }
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    EXPECT_LE(ids.size(), 1U) << "cut at " << cut_at;
    const auto left = *after->list();
    for (const auto& entry : left) EXPECT_FALSE(entry.name.starts_with("part-"));
  }
}
