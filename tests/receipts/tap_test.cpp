#include "receipts/tap.h"

#include <gtest/gtest.h>

#include <string>

#include "receipts/qr_block.h"

using namespace posthorn;
using namespace posthorn::receipts;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

struct Fed {
  std::string forwarded;
  std::vector<TappedJob> jobs;
};

Fed run(std::string_view bytes, std::size_t piece, Tap::Options options, bool close = true) {
  Tap tap(std::move(options));
  Bytes forward;
  ByteView left = as_bytes(bytes);
  while (!left.empty()) {
    const ByteView now = left.first(std::min(piece, left.size()));
    left = left.subspan(now.size());
    tap.feed(now, forward);
  }
  if (close) tap.finish(forward);
  return {to_string(ByteView(forward)), tap.take_jobs()};
}

Tap::Options with_block() {
  Tap::Options options;
  options.block = [](Language, const LetterState&) {
    return Tap::Block{to_bytes("<QR>"sv), "R-12345"};
  };
  return options;
}

const std::string kSale = "\x1b@Tea 2,40\nTotal 2,40\n\x10\x04\x01\x1dV\x42\0"s;

}  // namespace

TEST(Tap, PassesEveryByteInAnyPieces) {
  const std::string bytes = kSale + "\x1bp\0\x19\xfa"s + kSale + "half\x1d"s;
  for (std::size_t piece = 1; piece < bytes.size(); ++piece) {
    const Fed fed = run(bytes, piece, {});
    EXPECT_EQ(fed.forwarded, bytes);
    ASSERT_EQ(fed.jobs.size(), 3U) << piece;
    EXPECT_EQ(as_text(fed.jobs[0].raw), kSale);
    EXPECT_EQ(as_text(fed.jobs[1].raw), "\x1bp\0\x19\xfa"s + kSale);
    EXPECT_TRUE(fed.jobs[1].drawer);
    EXPECT_FALSE(fed.jobs[0].drawer);
  }
}

TEST(Tap, PutsTheBlockRightBeforeTheCutInAnyPieces) {
  const std::string cut = "\x1dV\x42\0"s;
  const std::string before = kSale.substr(0, kSale.size() - cut.size());
  for (std::size_t piece = 1; piece <= kSale.size(); ++piece) {
    const Fed fed = run(kSale, piece, with_block());
    EXPECT_EQ(fed.forwarded, before + "<QR>" + cut) << piece;
    ASSERT_EQ(fed.jobs.size(), 1U);
    EXPECT_EQ(fed.jobs[0].token, "R-12345");
    EXPECT_EQ(as_text(fed.jobs[0].raw), kSale) << "the block is not part of the receipt";
  }
}

TEST(Tap, ASecondCutPrintsNoSecondBlock) {
  const Fed fed = run(kSale + "\x1dV\0"s, 5, with_block());
  EXPECT_EQ(fed.jobs.size(), 1U);
  EXPECT_EQ(fed.forwarded.find("<QR>"), fed.forwarded.rfind("<QR>"));
}

TEST(Tap, AJobThatEndsByItsConnectionHasItsBlockAtTheEnd) {
  const Fed fed = run("Tea 2,40\n", 3, with_block());
  EXPECT_EQ(fed.forwarded, "Tea 2,40\n<QR>");
  ASSERT_EQ(fed.jobs.size(), 1U);
}

TEST(Tap, HoldsBackOnlyACutThatHasBegun) {
  Tap tap(with_block());
  Bytes out;
  tap.feed(as_bytes("Tea\x1d"sv), out);
  EXPECT_EQ(as_text(out), "Tea");
  EXPECT_TRUE(tap.holds());
  tap.release(out);
  EXPECT_EQ(as_text(out), "Tea\x1d");
  // Too late for a block; the cut passes and is a job's end all the same.
  tap.feed(as_bytes("V\0"sv), out);
  EXPECT_EQ(as_text(out), "Tea\x1dV\0"sv);
  ASSERT_EQ(tap.take_jobs().size(), 1U);
}

TEST(Tap, AnEmptyConnectionIsNoJob) {
  EXPECT_TRUE(run("", 1, with_block()).jobs.empty());
  EXPECT_EQ(run("\x1b@\n\n\x1dV\0"s, 1, with_block()).forwarded, "\x1b@\n\n\x1dV\0"s);
  EXPECT_TRUE(run("\x1b@\n\n\x1dV\0"s, 1, {}).jobs.empty());
}

TEST(Tap, TellsADrawerWithoutASale) {
  Tap tap({});
  Bytes out;
  tap.feed(as_bytes("\x1bp\0\x19\xfa"sv), out);
  tap.finish(out);
  EXPECT_TRUE(tap.take_lone_pulse());
  EXPECT_TRUE(tap.take_jobs().empty());
}

TEST(Tap, LearnsThatATillSpeaksStar) {
  // ESC d is a feed in ESC/POS and a cut in Star.
  const std::string star =
      "\x1b@\x1b\x1d"
      "a\x01Tee 2,40\n\x1b\x64\x02More\n\x1b\x64\x02"s;
  for (std::size_t piece = 1; piece < star.size(); ++piece) {
    const Fed fed = run(star, piece, {});
    EXPECT_EQ(fed.forwarded, star);
    ASSERT_EQ(fed.jobs.size(), 2U) << piece;
    EXPECT_EQ(fed.jobs[0].language, Language::star);
  }
  EXPECT_EQ(run("Tee\n\x1b\x64\x02More\n\x1dV\0"s, 1, {}).jobs.size(), 1U);
}

/// Some byte of a picture looked like Star once: the next till's own words count more.
TEST(Tap, AGuessOfStarGivesWayToAWordThatStarDoesNotHave) {
  Tap::Options options = with_block();
  options.first_guess = Language::star;
  const std::string cut = "\x1dV\x42\0"s;
  for (const std::string& begin :
       {"Tea 2,40\n"s, "\x1d!\x11Tea 2,40\n"s, "\x1b@\x1dr\x01Tea 2,40\n"s}) {
    for (std::size_t piece = 1; piece <= begin.size() + cut.size(); ++piece) {
      const Fed fed = run(begin + cut, piece, options);
      EXPECT_EQ(fed.forwarded, begin + "<QR>" + cut) << piece;
      ASSERT_EQ(fed.jobs.size(), 1U) << piece;
      EXPECT_EQ(fed.jobs[0].language, Language::escpos);
    }
  }
}

TEST(Tap, AGuessOfStarStaysWhereStarIsSpoken) {
  Tap::Options options;
  options.first_guess = Language::star;
  const Fed fed =
      run("Tee\n\x1b\x64\x02\x1b\x1d"
          "a\x01Tee\x1d\n\x1b\x64\x02"s,
          1, options);
  ASSERT_EQ(fed.jobs.size(), 2U);
  EXPECT_EQ(fed.jobs[0].language, Language::star);
  EXPECT_EQ(fed.jobs[1].language, Language::star);
}

TEST(Tap, WhoHasSaidAWordOfEscPosDoesNotTurnToStar) {
  const Fed fed =
      run("\x1d!\0\x1b\x1e"
          "ATea\n\x1b\x64\x02More\n\x1dV\0"s,
          3, {});
  ASSERT_EQ(fed.jobs.size(), 1U);
  EXPECT_EQ(fed.jobs[0].language, Language::escpos);
}

TEST(Tap, KeepsNoMoreThanItsLimit) {
  Tap tap({});
  Bytes out;
  const std::string piece(1 << 20, 'x');
  for (int i = 0; i < 6; ++i) {
    out.clear();
    tap.feed(as_bytes(piece), out);
    EXPECT_EQ(out.size(), piece.size());
  }
  tap.finish(out);
  const auto jobs = tap.take_jobs();
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_TRUE(jobs[0].cut_short);
  EXPECT_LE(jobs[0].raw.size(), Tap::kMostRaw);
}

TEST(QrBlock, LeavesLettersAsTheyStood) {
  LetterState seen;
  Tap::Options options;
  options.block = [&seen](Language, const LetterState& letters) {
    seen = letters;
    return Tap::Block{};
  };
  (void)run(
      "\x1b"
      "a\x02\x1b!\x38\x1d"
      "B\x01\x1b-\x01Tea\n\x1dV\0"s,
      4, options);
  EXPECT_EQ(seen.align, 2);
  EXPECT_EQ(seen.mode, 0x88);
  EXPECT_EQ(seen.size, 0x11);
  EXPECT_TRUE(seen.inverted);
  const std::string block = to_string(ByteView(
      encode_qr_block({"https://wa.me/49?text=R-12345", "A", "B"}, Language::escpos, seen)));
  EXPECT_TRUE(
      block.ends_with("\x1b"
                      "a\x02\x1b!\x88\x1d!\x11\x1d"
                      "B\x01"s));
  EXPECT_NE(block.find("1P0https://wa.me/49?text=R-12345"), std::string::npos);
}
