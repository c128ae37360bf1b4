#include "receipts/lexer.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace posthorn;
using namespace posthorn::receipts;
using namespace std::string_view_literals;

namespace {

struct Seen {
  Token::Kind kind;
  std::string bytes;
  bool operator==(const Seen&) const = default;
};

/// Tokens of the job, texts that belong together joined.
std::vector<Seen> tokens(Language language, std::string_view job, std::size_t piece) {
  Lexer lexer(language);
  std::vector<Seen> out;
  ByteView left = as_bytes(job);
  while (!left.empty()) {
    ByteView now = left.first(std::min(piece, left.size()));
    left = left.subspan(now.size());
    while (!now.empty()) {
      const Lexer::Fed fed = lexer.feed(now);
      EXPECT_GE(fed.taken, 1U);
      now = now.subspan(fed.taken);
      if (!fed.ended) continue;
      const Token& token = lexer.token();
      std::string bytes(job.substr(token.begin, token.end - token.begin));
      if (token.kind == Token::Kind::text && !out.empty() && out.back().kind == token.kind) {
        out.back().bytes += bytes;
      } else {
        out.push_back({token.kind, std::move(bytes)});
      }
    }
  }
  return out;
}

/// The command, then text: were its length wrong, the text would be too.
void expect_length(Language language, std::string_view command) {
  const std::string job = std::string(command) + "Total";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, job.size()}) {
    const auto seen = tokens(language, job, piece);
    ASSERT_EQ(seen.size(), 2U) << hex_encode(as_bytes(command));
    EXPECT_EQ(seen[0].bytes, command);
    EXPECT_EQ(seen[1].bytes, "Total") << hex_encode(as_bytes(command));
  }
}

}  // namespace

TEST(Lexer, KnowsTheLengthOfEscPosCommands) {
  for (const std::string_view command :
       {"\x1b@"sv,
        "\x1b!\x30"sv,
        "\x1b$\x10\x01"sv,
        "\x1b\\\x10\xff"sv,
        "\x1b\x44\x08\x10\x20\0"sv,
        "\x1b\x45\x01"sv,
        "\x1b\x61\x01"sv,
        "\x1b\x64\x03"sv,
        "\x1bp\0\x19\xfa"sv,
        "\x1bt\x13"sv,
        "\x1bR\x02"sv,
        "\x1b{\x01"sv,
        "\x1bW\1\2\3\4\5\6\7\x08"sv,
        "\x1b*\0\x03\0abc"sv,
        "\x1b*\x21\x02\0abcdef"sv,
        "\x1b&\x03\x41\x42\x02"
        "abcdef\x01"
        "abc"sv,
        "\x1b"
        "c5\x01"sv,
        "\x1b"
        "i"sv,
        "\x1b"
        "m"sv,
        "\x1b"
        "B\x03\x02"sv,
        "\x1d!\x11"sv,
        "\x1d(k\x04\0"
        "1A2\0"sv,
        "\x1d(L\x02\0"
        "02"sv,
        "\x1d"
        "8L\x05\0\0\0"
        "abcde"sv,
        "\x1d"
        "v0\0\x02\0\x03\0abcdef"sv,
        "\x1d*\x01\x02"
        "0123456789abcdef"sv,
        "\x1d/\x00"sv,
        "\x1dV\0"sv,
        "\x1dVA\x03"sv,
        "\x1dV\x42\0"sv,
        "\x1dk\x04"
        "ABC\0"sv,
        "\x1dkI\x05{B123"sv,
        "\x1dh\x50"sv,
        "\x1dL\x10\0"sv,
        "\x1d"
        "a\xff"sv,
        "\x1dr\x01"sv,
        "\x1dI\x43"sv,
        "\x1c&"sv,
        "\x1c."sv,
        "\x1cp\x01\0"sv,
        "\x1cq\x02\x01\0\x01\0"
        "12345678\x01\0\x01\0"
        "12345678"sv,
        "\x1c"
        "2\x21\x21"
        "012345678901234567890123456789012345678901234567890123456789012345678901"sv,
        "\x1c(C\x02\0"
        "02"sv,
        "\x10\x04\x01"sv,
        "\x10\x04\x08\x03"sv,
        "\x10\x05\x01"sv,
        "\x10\x14\x01\0\x01"sv,
        "\x10\x14\x08\1\3\x14\1\6\2\x08"sv}) {
    expect_length(Language::escpos, command);
  }
}

TEST(Lexer, KnowsTheLengthOfStarCommands) {
  for (const std::string_view command : {"\x1b@"sv,
                                         "\x1b\x1dt\x04"sv,
                                         "\x1b\x1d"
                                         "a\x01"sv,
                                         "\x1b\x1d"
                                         "A\x10\0"sv,
                                         "\x1b\x45"sv,
                                         "\x1b\x46"sv,
                                         "\x1bi\x01\x01"sv,
                                         "\x1bW\x01"sv,
                                         "\x1b\x64\x02"sv,
                                         "\x1b\x61\x03"sv,
                                         "\x1b\x1e"
                                         "F\x01"sv,
                                         "\x1b\x1dyS0\x02"sv,
                                         "\x1b\x1dyD1\0\x03\0abc"sv,
                                         "\x1b\x1dyP"sv,
                                         "\x1b\x1dxS0\1\2\3"sv,
                                         "\x1b\x1dxD\x02\0ab"sv,
                                         "\x1b\x1dS\x01\x02\0\x02\0\0abcd"sv,
                                         "\x1b"
                                         "b4123ABC\x1e"sv,
                                         "\x1b"
                                         "D\x08\x10\0"sv,
                                         "\x1bK\x03\0abc"sv,
                                         "\x1bX\x01\0abc"sv,
                                         "\x1b\x1cp\x01\0"sv,
                                         "\x1b*rA"sv.substr(0, 4)}) {
    if (command.starts_with("\x1b*r")) continue;  // opens a mode in which text is none
    expect_length(Language::star, command);
  }
}

TEST(Lexer, ReadsStarRasterRows) {
  const auto seen = tokens(Language::star,
                           "\x1b*rA"
                           "b\x02\0xyk\x01\0z\x1b*rB"
                           "Hi"sv,
                           1);
  ASSERT_EQ(seen.size(), 5U);
  EXPECT_EQ(seen[1].bytes, "b\x02\0xy"sv);
  EXPECT_EQ(seen[2].bytes, "k\x01\0z"sv);
  EXPECT_EQ(seen[4].bytes, "Hi");
}

TEST(Lexer, TakesNothingInsideAPictureForACommand) {
  // A status request stands in a picture's bytes, as printers allow it.
  const auto seen = tokens(Language::escpos, "\x1dv0\0\x01\0\x06\0\x10\x04\x01\x1dV\0Hi"sv, 2);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[1].bytes, "Hi");
}

TEST(Lexer, SkipsAnUnknownCommandByTwoBytes) {
  const auto seen = tokens(Language::escpos, "\x1b\x7eHello"sv, 1);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[1].bytes, "Hello");
}

TEST(Lexer, EndsATextThatNeverGetsItsNul) {
  const std::string job = "\x1dk\x04" + std::string(1000, 'A');
  const auto seen = tokens(Language::escpos, job, 7);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].bytes.size(), 3U + Shape::kLongestUntil);
}
