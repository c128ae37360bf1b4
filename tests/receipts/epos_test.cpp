#include "receipts/epos.h"

#include <gtest/gtest.h>

#include "receipts/local_till.h"
#include "receipts/render.h"
#include "receipts/xml.h"
#include "support/fakes.h"

using namespace posthorn;
using namespace posthorn::receipts;
using namespace std::string_view_literals;

namespace {

std::string wrapped(const std::string& body) {
  return "<?xml version=\"1.0\"?><!-- till --><s:Envelope xmlns:s=\"x\"><s:Body><epos-print>" +
         body + "</epos-print></s:Body></s:Envelope>";
}

Rendered printed(const std::string& body) {
  const auto job = decode_epos(wrapped(body));
  EXPECT_TRUE(job) << job.error().detail;
  return job ? render(*job, {}) : Rendered();
}

std::string error_of(const std::string& xml) {
  const auto job = decode_epos(xml);
  return job ? "accepted" : job.error().detail;
}

}  // namespace

TEST(Epos, PrintsTextInWhateverCodePageHasIt) {
  const Rendered out = printed("<text>Käse 5 €&#10;Чек&#x20;Ελλ &lt;b&gt;&#10;ก 한&#10;</text>");
  ASSERT_EQ(out.lines.size(), 3U);
  EXPECT_EQ(out.lines[0], "Käse 5 €");
  EXPECT_EQ(out.lines[1], "Чек Ελλ <b>");
  EXPECT_EQ(out.lines[2], "ก ?");
}

TEST(Epos, PrintsPicturesCodesAndCuts) {
  const Rendered out = printed(
      "<image width=\"16\" height=\"2\" mode=\"mono\">\n/wCA\nAQ==</image>"
      "<symbol type=\"qrcode_model_2\">Hi</symbol><barcode type=\"code39\" "
      "hri=\"below\">A-1</barcode>"
      "<pulse/><cut type=\"feed\"/><sound pattern=\"pattern_a\" repeat=\"1\"/>");
  EXPECT_EQ(out.pictures, 1U);
  EXPECT_TRUE(out.paper.at(0, 0));
  EXPECT_FALSE(out.paper.at(8, 0));
  EXPECT_TRUE(out.paper.at(15, 1));
  EXPECT_EQ(out.payloads.at(0), "Hi");
  EXPECT_EQ(out.pulses, 1U);
  EXPECT_EQ(out.lines.back(), "A-1");
}

TEST(Epos, WhatIsNoEntityStaysAsItIsWritten) {
  EXPECT_EQ(printed("<text>A &amp; B & C &nothing; &#; &amp ;&#10;</text>").lines.at(0),
            "A & B & C &nothing; &#; &amp ;");
}

TEST(Epos, ATextIsNeverACommand) {
  const auto job = decode_epos(wrapped("<text>&#27;p&#1;x</text><command>1b40</command>"));
  ASSERT_TRUE(job);
  EXPECT_EQ(hex_encode(*job), "1b401b7400" + hex_encode(to_bytes("px"sv)) + "1b40");
}

/// One printer, two tills: what the first one has set is not the second one's.
TEST(Epos, AJobBeginsWithNothingSet) {
  const auto job_of = [](const char* body) { return *decode_epos(wrapped(body)); };
  const Bytes first = job_of("<text dw=\"true\" dh=\"true\" align=\"center\">Κρέας&#10;</text>");
  const Bytes second = job_of("<text>Thé 2,40&#10;</text>");
  Bytes paper = first;
  append(paper, second);
  const Rendered both = render(paper, {});
  EXPECT_EQ(both.lines.back(), "Thé 2,40");
  EXPECT_EQ(both.paper.height(),
            render(first, {}).paper.height() + render(second, {}).paper.height());
  EXPECT_TRUE(job_of("").empty()) << "a question how the printer is prints nothing";
}

TEST(Epos, SaysWhatIsWrong) {
  EXPECT_NE(error_of("").find("epos-print"), std::string::npos);
  EXPECT_NE(error_of("<a><b></a>").find("match"), std::string::npos);
  EXPECT_NE(error_of("<!DOCTYPE a [<!ENTITY x \"y\">]><a/>").find("declarations"),
            std::string::npos);
  EXPECT_NE(error_of(wrapped("<image width=\"16\" height=\"2\">AAA=</image>")).find("another size"),
            std::string::npos);
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += "<a>";
  EXPECT_NE(error_of(deep).find("levels"), std::string::npos);
}

TEST(Epos, ALocalTillIsAnsweredOnceWhateverHappens) {
  test::FakeScheduler scheduler;
  struct Printer final : Stream::Handler {
    void on_data(ByteView data) override { got += as_text(data); }
    bool on_end() override { return ended = true; }
    void on_closed(Error) override {}
    std::string got;
    bool ended = false;
  };
  int good = 0, bad = 0;
  const auto count = [&](const Result<void>& done) { ++(done ? good : bad); };
  Printer printer;
  {
    LocalTill till(scheduler, Bytes(40'000, std::byte{'x'}), count);
    till.start(printer);
    till.pause_reading(true);
    scheduler.run_posted();
    EXPECT_LE(printer.got.size(), 16384U);
    till.pause_reading(false);
    scheduler.run_posted();
    EXPECT_EQ(printer.got.size(), 40'000U);
    EXPECT_TRUE(printer.ended);
    till.close();
  }
  EXPECT_EQ(good, 1);
  { const LocalTill dropped(scheduler, Bytes(3), count); }
  EXPECT_EQ(bad, 1);
}
