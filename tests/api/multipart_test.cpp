#include "api/multipart.h"

#include <gtest/gtest.h>

#include "api/byte_range.h"
#include "api/told_parts.h"

namespace posthorn::api::test {
namespace {

constexpr const char* kType = "multipart/form-data; boundary=----x7";

/// In pieces of `step` bytes; what was told, or the error.
std::string parse(std::string_view body, std::size_t step, const char* type = kType) {
  ToldParts told;
  auto parser = MultipartParser::from(type, told);
  if (!parser) return parser.error().detail;
  for (std::size_t at = 0; at < body.size(); at += step) {
    if (auto fed = parser->feed(body.substr(at, step)); !fed) return fed.error().detail;
  }
  const auto whole = parser->finish();
  return whole ? told.text : whole.error().detail;
}

void expect(const std::string& body, const std::string& told) {
  for (std::size_t step = 1; step <= body.size(); ++step) {
    ASSERT_EQ(parse(body, step), told) << "in pieces of " << step;
  }
}

TEST(Multipart, IsReadInAnyPieces) {
  expect(
      "------x7\r\nContent-Disposition: form-data; name=\"chatId\"\r\n\r\n4915550001111@c.us\r\n"
      "------x7\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\".png\"\r\n"
      "Content-Type: image/png\r\n\r\n\x89PNG\r\n--\r\n------x\r\n\r\n------x7--\r\nbehind",
      "[chatId||]4915550001111@c.us;[file|a \"b\".png|image/png]\x89PNG\r\n--\r\n------x\r\n;");
}

TEST(Multipart, DataThatBeginsLikeADelimiterIsData) {
  expect(
      "------x7\r\nContent-Disposition: form-data; name=a\r\n\r\nabc------x7 not a "
      "line\r\n------x7--",
      "[a||]abc------x7 not a line;");
}

TEST(Multipart, EmptyPartsPreambleAndBlanksAreAllowed) {
  expect(
      "hello\r\n------x7  \r\ncontent-disposition: form-data; "
      "NAME=a\r\n\r\n\r\n------x7\r\n\r\n\r\n"
      "------x7--",
      "[a||];[||];");
}

TEST(Multipart, WhatIsNoneIsRefused) {
  const std::string head = "------x7\r\nContent-Disposition: form-data; name=a\r\n\r\n";
  EXPECT_EQ(parse(head + "abc", 7), "multipart/form-data: the body is cut off");
  EXPECT_EQ(parse("", 1), "multipart/form-data: the body is cut off");
  EXPECT_EQ(parse("------x7abc", 3), "multipart/form-data: a boundary is followed by other bytes");
  EXPECT_EQ(parse("------x7\r\n" + std::string(10'000, 'h'), 1000),
            "multipart/form-data: a part's head is too long");
  std::string many;
  for (int i = 0; i < 70; ++i) many += head + "\r\n";
  EXPECT_EQ(parse(many, 1000), "multipart/form-data: too many parts");
  EXPECT_EQ(parse("", 1, "multipart/form-data"),
            "multipart/form-data: the Content-Type has no usable boundary");
  EXPECT_EQ(parse("", 1, "multipart/form-data; boundary="),
            "multipart/form-data: the Content-Type has no usable boundary");
}

TEST(ByteRanges, AreReadAsTheStandardSays) {
  const auto part = [](std::uint64_t first, std::uint64_t last) { return ByteRange{first, last}; };
  const auto of = [](const char* header, std::uint64_t size = 1000) {
    return parse_range(header, size);
  };
  EXPECT_EQ(of("bytes=0-99").range, part(0, 99));
  EXPECT_EQ(of("bytes=900-").range, part(900, 999));
  EXPECT_EQ(of("bytes=-50").range, part(950, 999));
  EXPECT_EQ(of("bytes=-5000").range, part(0, 999));
  EXPECT_EQ(of("bytes=0-5000").range, part(0, 999));
  EXPECT_EQ(of("bytes=999-999").kind, RangeKind::part);
  EXPECT_EQ(of("bytes=1000-").kind, RangeKind::unsatisfiable);
  EXPECT_EQ(of("bytes=-0").kind, RangeKind::unsatisfiable);
  EXPECT_EQ(of("bytes=0-", 0).kind, RangeKind::unsatisfiable);
  for (const char* whole : {"", "bytes=", "bytes=-", "bytes=5-2", "bytes=a-b", "bytes=0-1,5-9",
                            "items=0-5", "bytes=0-99999999999999999999"}) {
    EXPECT_EQ(of(whole).kind, RangeKind::whole) << whole;
  }
}

}  // namespace
}  // namespace posthorn::api::test
