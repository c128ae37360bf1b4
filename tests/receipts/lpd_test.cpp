#include <gtest/gtest.h>

#include <string>

#include "receipts/lpd_till.h"
#include "receipts/printer.h"
#include "support/fakes.h"

using namespace posthorn;
using namespace posthorn::receipts;
using namespace std::string_literals;

namespace {

struct End final : Stream::Handler {
  explicit End(std::unique_ptr<Stream> s) : stream(std::move(s)) { stream->start(*this); }
  void on_data(ByteView data) override { got += as_text(data); }
  void on_closed(Error) override { closed = true; }
  std::unique_ptr<Stream> stream;
  std::string got;
  bool closed = false;
};

/// A printer behind the box, and a till that speaks LPD in pieces of `chunk` bytes.
struct Shop {
  explicit Shop(std::size_t chunk = 65536) {
    dialer.accept = [this](std::unique_ptr<Stream> stream) {
      paper = std::make_unique<End>(std::move(stream));
    };
    PrinterSettings settings;
    settings.name = "1";
    settings.host = "printer";
    Printer::Outside outside{scheduler, dialer, {}, {}, {}};
    outside.on_job = [this](TappedJob job) { jobs.push_back(std::move(job)); };
    outside.on_drawer = [] {};
    printer = std::make_unique<Printer>(settings, std::move(outside));
    test::StreamPair pair = test::make_stream_pair(scheduler, chunk);
    printer->accept(std::make_unique<LpdTill>(std::move(pair.a)));
    till = std::make_unique<End>(std::move(pair.b));
    scheduler.run_posted();
  }
  void say(const std::string& bytes) {
    till->stream->write(to_bytes(std::string_view(bytes)));
    scheduler.advance(milliseconds(10));
  }
  test::FakeScheduler scheduler;
  test::MemoryDialer dialer{scheduler};
  std::unique_ptr<End> paper, till;
  std::vector<TappedJob> jobs;
  std::unique_ptr<Printer> printer;
};

const std::string kSale = "Tea 2,40\n\x1dV\0"s;
const std::string kControl = "Htill\nPanna\nldfA001till\n";

std::string file(char kind, const std::string& name, const std::string& bytes) {
  return kind + std::to_string(bytes.size()) + " " + name + "\n" + bytes + '\0';
}

}  // namespace

TEST(LpdTill, PrintsTheJobAndNothingOfTheProtocol) {
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{7}, std::size_t{65536}}) {
    for (const bool control_first : {true, false}) {
      Shop shop(chunk);
      const std::string control = file('\2', "cfA001till", kControl);
      const std::string data = file('\3', "dfA001till", kSale);
      shop.say("\2raw\n" + (control_first ? control + data : data + control));
      EXPECT_EQ(shop.till->got, std::string(5, '\0')) << "each step is acknowledged";
      EXPECT_EQ(shop.paper->got, kSale);
      ASSERT_EQ(shop.jobs.size(), 1U);
      EXPECT_EQ(as_text(shop.jobs[0].raw), kSale);
    }
  }
}

TEST(LpdTill, AJobOfUnknownSizeEndsWithTheLine) {
  Shop shop;
  shop.say("\2raw\n\0030 dfA001till\n" + kSale);
  EXPECT_EQ(shop.paper->got, kSale);
  shop.till->stream->close();
  shop.scheduler.advance(seconds(3));
  EXPECT_FALSE(shop.printer->status().busy);
}

TEST(LpdTill, WhatThePrinterSaysStaysInTheBox) {
  Shop shop;
  shop.say("\2raw\n" + file('\3', "dfA001till", "Tea\n"));
  shop.paper->stream->write(to_bytes("\x16\x12"s));
  shop.scheduler.advance(milliseconds(10));
  EXPECT_EQ(shop.till->got, std::string(3, '\0'));
}

TEST(LpdTill, AnswersAboutAnEmptyQueue) {
  Shop shop;
  shop.say("\3raw anna\n");
  EXPECT_EQ(shop.till->got, "no entries\n");
}

TEST(LpdTill, RefusesWhatIsNoLpd) {
  const std::string cases[] = {"GET / HTTP/1.1\r\n\r\n", "\2raw\n\3x dfA001\n",
                               "\2raw\n\0029999999 cfA001\n", "\2raw\n\7what\n",
                               "\2" + std::string(300, 'q')};
  for (const std::string& said : cases) {
    Shop shop;
    shop.say(said);
    EXPECT_TRUE(shop.till->got.ends_with('\1')) << said;
    EXPECT_EQ(shop.paper->got, "") << "nothing of it is printed";
    shop.till->stream->close();
    shop.scheduler.advance(seconds(3));
    EXPECT_TRUE(shop.jobs.empty());
  }
}
