#include "receipts/printer.h"

#include <gtest/gtest.h>

#include <string>

#include "receipts/virtual_printer.h"
#include "support/fakes.h"

using namespace posthorn;
using namespace posthorn::receipts;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

/// One end of a connection, with what came.
struct End final : Stream::Handler {
  explicit End(std::unique_ptr<Stream> s) : stream(std::move(s)) { stream->start(*this); }
  void on_data(ByteView data) override { got += as_text(data); }
  void on_closed(Error) override { closed = true; }
  void say(std::string_view bytes) { stream->write(to_bytes(bytes)); }
  std::unique_ptr<Stream> stream;
  std::string got;
  bool closed = false;
};

struct Shop {
  explicit Shop(PrinterSettings settings = {}, std::size_t chunk = 65536) : chunk_(chunk) {
    dialer.accept = [this](std::unique_ptr<Stream> stream) {
      paper.push_back(std::make_unique<End>(std::move(stream)));
    };
    dialer.chunk = chunk;
    if (settings.name.empty()) {
      settings.name = "1";
      settings.host = "printer";
    }
    Printer::Outside outside{scheduler, dialer, {}, {}, {}};
    outside.on_job = [this](TappedJob job) { jobs.push_back(std::move(job)); };
    outside.on_drawer = [this] { ++drawers; };
    outside.block = [](Language, const LetterState&) {
      return Tap::Block{to_bytes("<QR>"sv), "R-12345"};
    };
    printer = std::make_unique<Printer>(settings, std::move(outside));
  }
  End& till() {
    StreamPair pair = make_stream_pair(scheduler, chunk_);
    printer->accept(std::move(pair.a));
    tills.push_back(std::make_unique<End>(std::move(pair.b)));
    scheduler.run_posted();
    return *tills.back();
  }
  void turn() { scheduler.advance(milliseconds(1)); }

  using StreamPair = test::StreamPair;
  static StreamPair make_stream_pair(Scheduler& s, std::size_t c) {
    return test::make_stream_pair(s, c);
  }

  test::FakeScheduler scheduler;
  test::MemoryDialer dialer{scheduler};
  std::vector<std::unique_ptr<End>> paper, tills;
  std::vector<TappedJob> jobs;
  int drawers = 0;
  std::unique_ptr<Printer> printer;

 private:
  std::size_t chunk_;
};

const std::string kSale = "Tea 2,40\n\x1dV\0"s;

/// A printer that takes nothing and then closes in good order.
struct Closing final : Dialer {
  struct Line final : Stream {
    explicit Line(Closing& c) : printer(c) {}
    void start(Handler& handler) override { printer.box = &handler; }
    void write(Bytes data) override { printer.unsent += data.size(); }
    std::size_t unsent() const override { return printer.unsent; }
    void pause_reading(bool) override {}
    void close() override {}
    void end_writing() override {}
    Closing& printer;
  };
  explicit Closing(Scheduler& s) : scheduler(s) {}
  std::unique_ptr<Dial> dial(const Endpoint&,
                             Once<void(Result<std::unique_ptr<Stream>>)> done) override {
    scheduler.post([this, done = std::move(done)]() mutable {
      done(std::unique_ptr<Stream>(std::make_unique<Line>(*this)));
    });
    return nullptr;
  }
  void close() {
    EXPECT_FALSE(box->on_end());
    box->on_closed({Errc::disconnected, "closed by the other side"});
  }

  Scheduler& scheduler;
  Stream::Handler* box = nullptr;
  std::size_t unsent = 0;
};

}  // namespace

TEST(Printer, PassesBytesBothWaysInPiecesOfOne) {
  Shop shop({}, 1);
  End& till = shop.till();
  till.say("\x10\x04\x01" + kSale);
  shop.turn();
  ASSERT_EQ(shop.paper.size(), 1U);
  EXPECT_EQ(shop.paper[0]->got, "\x10\x04\x01" + kSale);
  shop.paper[0]->say("\x16\x12");
  shop.turn();
  EXPECT_EQ(till.got, "\x16\x12");
  ASSERT_EQ(shop.jobs.size(), 1U);
  EXPECT_EQ(as_text(shop.jobs[0].raw), "\x10\x04\x01" + kSale);
}

TEST(Printer, APrinterThatRefusesMakesTheBoxRefuse) {
  Shop shop;
  shop.dialer.refuse = true;
  End& till = shop.till();
  till.say(kSale);
  shop.turn();
  EXPECT_TRUE(till.closed);
  EXPECT_TRUE(shop.jobs.empty());
  EXPECT_NE(shop.printer->status().trouble, "");
  shop.dialer.refuse = false;
  shop.till().say(kSale);
  shop.turn();
  EXPECT_EQ(shop.jobs.size(), 1U);
  EXPECT_EQ(shop.printer->status().trouble, "");
}

/// The next connection begins with what the printer is known for, and a guess is no knowledge.
TEST(Printer, IsTakenForAStarWhenAJobEndedInStarsCut) {
  Shop shop;
  const auto print = [&shop](const std::string& job) {
    End& till = shop.till();
    till.say(job);
    shop.turn();
    till.stream->close();
    shop.scheduler.advance(seconds(3));
  };
  print(
      "\x1b\x1e"
      "ATea\n");
  ASSERT_EQ(shop.jobs.size(), 1U);
  EXPECT_EQ(shop.printer->status().language, Language::escpos);
  print("Tea\n\x1b\x64\x02More\n\x1dV\0"s);
  EXPECT_EQ(shop.jobs.size(), 2U) << "ESC d feeds";
  print(
      "\x1b\x1e"
      "ATea\n\x1b\x64\x02"s);
  EXPECT_EQ(shop.printer->status().language, Language::star);
  print("\x1d!\0Tea\n\x1b\x64\x02More\n\x1dV\0"s);
  EXPECT_EQ(shop.jobs.size(), 4U);
  EXPECT_EQ(shop.printer->status().language, Language::escpos) << "another till";
}

TEST(Printer, ASecondTillWaitsItsTurn) {
  Shop shop;
  End& first = shop.till();
  End& second = shop.till();
  second.say(kSale);
  first.say("First\n");
  shop.turn();
  ASSERT_EQ(shop.paper.size(), 1U);
  EXPECT_EQ(shop.paper[0]->got, "First\n");
  first.stream->close();
  shop.scheduler.advance(seconds(3));
  ASSERT_EQ(shop.paper.size(), 2U);
  EXPECT_EQ(shop.paper[1]->got, kSale);
}

TEST(Printer, ATillThatWaitsTooLongIsRefused) {
  Shop shop;
  End& first = shop.till();
  End& second = shop.till();
  first.say("First\n");
  shop.scheduler.advance(seconds(11));
  EXPECT_TRUE(second.closed);
  EXPECT_FALSE(first.closed);
  EXPECT_EQ(shop.printer->status().refused, 1U);
}

TEST(Printer, AReceiptThatThePrinterDidNotTakeIsNone) {
  Shop shop;
  End& till = shop.till();
  till.say("Tea 2,40\n");
  shop.turn();
  shop.dialer.cut();
  shop.turn();
  EXPECT_TRUE(till.closed);
  EXPECT_TRUE(shop.jobs.empty());
}

TEST(Printer, SilenceEndsAJob) {
  Shop shop;
  End& till = shop.till();
  till.say("Tea 2,40\n");
  shop.scheduler.advance(milliseconds(2900));
  EXPECT_TRUE(shop.jobs.empty());
  shop.scheduler.advance(milliseconds(200));
  ASSERT_EQ(shop.jobs.size(), 1U);
  till.say("Cake 3,00\n");
  till.stream->close();
  // The printer does not close, and has time for its last words.
  shop.scheduler.advance(seconds(2));
  EXPECT_EQ(shop.jobs.size(), 2U);
}

TEST(Printer, PrintsItsBlockWhenItIsAskedTo) {
  PrinterSettings settings;
  settings.name = "1";
  settings.host = "printer";
  settings.qr = PrinterSettings::Qr::native;
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{65536}}) {
    Shop shop(settings, chunk);
    shop.till().say(kSale);
    shop.turn();
    EXPECT_EQ(shop.paper[0]->got, "Tea 2,40\n<QR>\x1dV\0"s);
    ASSERT_EQ(shop.jobs.size(), 1U);
    EXPECT_EQ(shop.jobs[0].token, "R-12345");
  }
}

TEST(Printer, LetsGoOfACutThatDoesNotCome) {
  PrinterSettings settings;
  settings.name = "1";
  settings.host = "printer";
  settings.qr = PrinterSettings::Qr::native;
  Shop shop(settings);
  shop.till().say("Tea\x1d");
  shop.turn();
  EXPECT_EQ(shop.paper[0]->got, "Tea");
  shop.scheduler.advance(milliseconds(5));
  EXPECT_EQ(shop.paper[0]->got, "Tea\x1d");
}

TEST(Printer, AKitchenPrinterKeepsNothing) {
  PrinterSettings settings;
  settings.name = "kitchen";
  settings.host = "printer";
  settings.receipts = false;
  Shop shop(settings);
  shop.till().say(kSale);
  shop.scheduler.advance(seconds(5));
  EXPECT_EQ(shop.paper[0]->got, kSale);
  EXPECT_TRUE(shop.jobs.empty());
}

TEST(Printer, ADrawerWithoutASaleIsTold) {
  const std::string pulse = "\x1bp\0\x19\xfa"s;
  Shop shop;
  End& till = shop.till();
  till.say(pulse);
  till.stream->close();
  shop.scheduler.advance(seconds(13));
  EXPECT_EQ(shop.drawers, 1);
  // Before or after a sale it belongs to it.
  End& second = shop.till();
  second.say(pulse);
  second.stream->close();
  shop.scheduler.advance(seconds(3));
  shop.till().say(kSale + pulse);
  shop.scheduler.advance(seconds(20));
  EXPECT_EQ(shop.drawers, 1);
}

TEST(Printer, ADrawerIsToldWhileItsTillKeepsTheLine) {
  Shop shop;
  shop.till().say("\x1bp\0\x19\xfa"s);
  shop.scheduler.advance(Printer::kSilence + Printer::kDrawerGrace + seconds(1));
  EXPECT_EQ(shop.drawers, 1);
  EXPECT_TRUE(shop.jobs.empty());
}

TEST(Printer, AnswersItselfWithoutAPrinter) {
  PrinterSettings settings;
  settings.name = "1";
  Shop shop(settings, 1);
  End& till = shop.till();
  till.say(
      "\x10\x04\x01\x10\x04\x04\x1dr\x01\x1dIC\x1d(H\x06\0"
      "0012"
      "34"s +
      kSale);
  shop.turn();
  EXPECT_EQ(till.got,
            "\x16\x12\0_TM-T88V\0\x37\x22"
            "1234\0"s);
  EXPECT_EQ(shop.jobs.size(), 1U);
  EXPECT_EQ(shop.dialer.dialled, 0U);
}

TEST(Printer, ATillThatAsksAndNeverReadsWaitsForItself) {
  PrinterSettings settings;
  settings.name = "1";
  Shop shop(settings, 4096);
  End& till = shop.till();
  till.stream->pause_reading(true);
  std::string asked;
  constexpr std::size_t kQuestions = 80'000;
  for (std::size_t i = 0; i < kQuestions; ++i) asked += "\x1dIB";
  till.say(asked);
  shop.scheduler.advance(seconds(1));
  EXPECT_GT(till.stream->unsent(), 10'000U) << "the box reads no more of it";
  till.stream->pause_reading(false);
  shop.scheduler.advance(seconds(5));
  EXPECT_EQ(till.stream->unsent(), 0U);
  EXPECT_EQ(till.got.size(), kQuestions * "_EPSON\0"sv.size()) << "and forgets no answer";
}

TEST(Printer, ATillThatSaysNothingForLongMakesWayForTheNext) {
  Shop shop;
  End& first = shop.till();
  first.say(kSale);
  shop.scheduler.advance(seconds(50));
  shop.till();
  shop.scheduler.advance(seconds(1));
  EXPECT_FALSE(first.closed) << "it may stay a while";
  shop.scheduler.advance(seconds(20));
  EXPECT_FALSE(first.closed) << "nobody waits any more";
  End& third = shop.till();
  third.say("Third\n");
  shop.scheduler.advance(seconds(1));
  EXPECT_TRUE(first.closed);
  ASSERT_EQ(shop.paper.size(), 2U);
  EXPECT_EQ(shop.paper[1]->got, "Third\n");
}

TEST(Printer, APrinterThatTakesNothingIsGivenUpAfterTenMinutes) {
  Shop shop({}, 4096);
  End& till = shop.till();
  till.say("Tea\n");
  shop.turn();
  shop.paper[0]->stream->pause_reading(true);
  till.say(std::string(1 << 20, 'x'));
  shop.scheduler.advance(minutes(9));
  EXPECT_FALSE(till.closed) << "it may be out of paper";
  EXPECT_GT(till.stream->unsent(), 500'000U);
  shop.scheduler.advance(minutes(2));
  EXPECT_TRUE(till.closed);
  EXPECT_NE(shop.printer->status().trouble.find("ten minutes"), std::string::npos);
  EXPECT_FALSE(shop.printer->status().busy);
}

TEST(Printer, APrinterThatDoesNotStopTalkingKeepsNobodyOut) {
  Shop shop;
  End& till = shop.till();
  till.say(kSale);
  till.stream->close();
  for (int i = 0; i < 15; ++i) {
    shop.paper[0]->say("\x14");
    shop.scheduler.advance(seconds(1));
  }
  EXPECT_FALSE(shop.printer->status().busy);
  EXPECT_EQ(shop.jobs.size(), 1U);
}

TEST(Printer, ACommandThatNeverEndsEndsWithSilence) {
  Shop shop;
  End& till = shop.till();
  const std::string begun = "Tea 2,40\n\x1dv0\0\x10\0\xff\0rows"s;
  till.say(begun);
  shop.scheduler.advance(seconds(10));
  EXPECT_TRUE(shop.jobs.empty()) << "more rows may come";
  shop.scheduler.advance(seconds(30));
  ASSERT_EQ(shop.jobs.size(), 1U);
  EXPECT_EQ(as_text(shop.jobs[0].raw), begun);
  till.say(kSale);
  shop.turn();
  ASSERT_EQ(shop.jobs.size(), 2U) << "what comes next is a job again";
  EXPECT_EQ(as_text(shop.jobs[1].raw), kSale);
}

TEST(Printer, APrinterThatClosesBeforeItHasTakenEverythingHasPrintedNothing) {
  for (const bool takes_all : {false, true}) {
    test::FakeScheduler scheduler;
    Closing paper(scheduler);
    std::vector<TappedJob> jobs;
    PrinterSettings settings;
    settings.name = "1";
    settings.host = "printer";
    Printer printer(
        settings,
        {scheduler, paper, [&jobs](TappedJob job) { jobs.push_back(std::move(job)); }, [] {}, {}});
    test::StreamPair pair = test::make_stream_pair(scheduler);
    printer.accept(std::move(pair.a));
    pair.b->write(to_bytes("Tea 2,40\n"sv));
    pair.b->close();
    scheduler.advance(milliseconds(100));
    ASSERT_EQ(paper.unsent, 9U);
    if (takes_all) paper.unsent = 0;
    paper.close();
    scheduler.advance(seconds(5));
    EXPECT_EQ(jobs.size(), takes_all ? 1U : 0U);
    EXPECT_EQ(printer.status().trouble.empty(), takes_all);
  }
}

/// The printer is unplugged after each number of bytes: its job is a receipt once, or not at all.
TEST(Printer, APrinterUnpluggedAtAnyByteHasPrintedOneReceiptOrNone) {
  const std::string job = "\x1b@Tea 2,40\n\x1bp\0\x19\xfa\x1dV\x42\0"s;
  for (std::size_t at = 0; at <= job.size(); ++at) {
    Shop shop({}, 1);
    End& till = shop.till();
    till.say(job.substr(0, at));
    shop.turn();
    shop.dialer.cut();
    shop.scheduler.advance(seconds(5));
    EXPECT_TRUE(till.closed) << "the till is told, at " << at;
    EXPECT_EQ(shop.jobs.size(), at == job.size() ? 1U : 0U) << "at " << at;
    shop.till().say(job);
    shop.turn();
    EXPECT_EQ(shop.jobs.size(), at == job.size() ? 2U : 1U) << "and prints it again";
  }
}

TEST(VirtualPrinter, AnswersNothingInsideAPicture) {
  VirtualPrinter printer(Language::escpos);
  Bytes out;
  printer.feed(as_bytes("\x1dv0\0\x01\0\x03\0\x10\x04\x01"sv), out);
  EXPECT_TRUE(out.empty());
  printer.feed(as_bytes("\x10\x04\x02"sv), out);
  EXPECT_EQ(as_text(out), "\x12");
}
