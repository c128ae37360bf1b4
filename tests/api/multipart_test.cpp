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

/// What a Content-Disposition calls its file.
std::string file_name(const std::string& parameters) {
  const std::string told = parse("------x7\r\nContent-Disposition: form-data; name=file; " +
                                     parameters + "\r\n\r\nx\r\n------x7--",
                                 5);
  return told.substr(0, told.find("|]")).substr(std::min<std::size_t>(told.size(), 6));
}

TEST(Multipart, NamesOfFilesMayBeInAnyOfThreeForms) {
  const std::string name = "R\xC3\xA9sum\xC3\xA9.pdf";
  EXPECT_EQ(file_name("filename=\"" + name + "\""), name);
  // .NET's MultipartFormDataContent.
  EXPECT_EQ(file_name("filename=\"=?utf-8?B?UsOpc3Vtw6kucGRm?=\"; "
                      "filename*=utf-8''R%C3%A9sum%C3%A9.pdf"),
            name);
  EXPECT_EQ(file_name("filename*=UTF-8''R%c3%a9sum%c3%a9.pdf; filename=a.pdf"), name);
  EXPECT_EQ(file_name("filename*=iso-8859-1'en'R%E9sum%E9.pdf; filename=a.pdf"), name);
  EXPECT_EQ(file_name("filename=\"=?utf-8?B?UsOpc3Vtw6kucGRm?=\""), name);
  EXPECT_EQ(file_name("filename=\"=?UTF-8?Q?R=C3=A9sum=C3=A9?= =?utf-8?q?.pdf?=\""), name);
  EXPECT_EQ(file_name("filename=\"=?ISO-8859-1?Q?R=E9sum=E9.pdf?=\""), name);
  EXPECT_EQ(file_name("filename=\"my =?utf-8?Q?caf=C3=A9_menu?= new.pdf\""),
            "my caf\xC3\xA9 menu new.pdf");
  // What cannot be read is left as it is, or the plain name counts.
  EXPECT_EQ(file_name("filename*=koi8-r''%D2; filename=a.pdf"), "a.pdf");
  EXPECT_EQ(file_name("filename*=utf-8''%C; filename=a.pdf"), "a.pdf");
  EXPECT_EQ(file_name("filename=\"=?koi8-r?B?0g==?=.pdf\""), "=?koi8-r?B?0g==?=.pdf");
  EXPECT_EQ(file_name("filename=\"=?utf-8?B?.pdf\""), "=?utf-8?B?.pdf");
  EXPECT_EQ(file_name("filename=\"=?utf-8?Q?=4?=.pdf\""), "=?utf-8?Q?=4?=.pdf");
  // What stands between quotes names nothing.
  EXPECT_EQ(file_name("x=\"; filename=evil.exe\"; filename=a.pdf"), "a.pdf");
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
