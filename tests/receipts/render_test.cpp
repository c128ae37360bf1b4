#include "receipts/render.h"

#include <gtest/gtest.h>
#include <png.h>
#include <zlib.h>

#include <string>

#include "receipts/codes.h"
#include "receipts/picture.h"
#include "receipts/qr_block.h"
#include "receipts/qr_reader.h"
#include "support/fakes.h"

using namespace posthorn;
using namespace posthorn::receipts;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

Rendered print(std::string_view job, Reading reading = {}) {
  return render(as_bytes(job), reading);
}

std::string line(std::string_view job, std::size_t index = 0, Reading reading = {}) {
  const Rendered out = print(job, std::move(reading));
  return index < out.lines.size() ? out.lines[index] : "(none)";
}

/// Black dots as libpng reads them back.
std::vector<bool> read_png(const Bytes& png, std::size_t& width, std::size_t& height) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  EXPECT_NE(png_image_begin_read_from_memory(&image, png.data(), png.size()), 0);
  image.format = PNG_FORMAT_GRAY;
  std::vector<png_byte> grey(PNG_IMAGE_SIZE(image));
  EXPECT_NE(png_image_finish_read(&image, nullptr, grey.data(), 0, nullptr), 0);
  width = image.width;
  height = image.height;
  std::vector<bool> out;
  for (const png_byte one : grey) out.push_back(one < 128);
  return out;
}

}  // namespace

TEST(Render, PutsLettersIntoLines) {
  const Rendered out = print("Caf\x82 Post\n1 Tee    2,40\r\nTOTAL   2,40\n\n\n\x1dV\0"sv);
  EXPECT_EQ(out.text(), "Café Post\n1 Tee    2,40\nTOTAL   2,40\n");
  EXPECT_TRUE(out.printed());
  EXPECT_EQ(out.missing, 0U);
  EXPECT_EQ(out.unknown, 0U);
}

TEST(Render, PlacesPricesByPositionAndByTab) {
  EXPECT_EQ(line("Tee\x1b$\x80\x01"
                 "2,40\n"sv),
            "Tee" + std::string(29, ' ') + "2,40");
  EXPECT_EQ(line("\x1b"
                 "D\x0a\x14\0A\tB\tC\n"sv),
            "A         B         C");
  EXPECT_EQ(line("A\tB\n"), "A       B");
}

TEST(Render, AlignsAndWraps) {
  EXPECT_EQ(line("\x1b"
                 "a\x01"
                 "Hi\n"sv),
            std::string(23, ' ') + "Hi");
  EXPECT_EQ(line("\x1b"
                 "a\x02"
                 "Hi\n"sv),
            std::string(46, ' ') + "Hi");
  const Rendered out = print(std::string(50, 'x') + "\n");
  ASSERT_EQ(out.lines.size(), 2U);
  EXPECT_EQ(out.lines[0].size(), 48U);
  Reading narrow;
  narrow.width = 384;
  EXPECT_EQ(print(std::string(50, 'x') + "\n", narrow).lines[0].size(), 32U);
}

TEST(Render, FollowsTheTillsCodePages) {
  // As python-escpos switches: CP850's umlaut, then the euro of ISO 8859-7 in table 15.
  EXPECT_EQ(line("\x1bt\0K\x84se \x1bt\x0f\xa4\n"sv), "Käse €");
  EXPECT_EQ(line("\x1bt\x11\x97\xa5\xaa\n"sv), "Чек");
  EXPECT_EQ(line("\x1bt\x13\xd5 5\n"sv), "€ 5");
  EXPECT_EQ(line("\x1b\x1dt\x22\xd7\xe5\xea\n"sv), "Чек");
  EXPECT_EQ(line("\x1bR\x02[rger\n"sv), "Ärger");
}

TEST(Render, GuessesThePageOfATillThatSelectsNone) {
  EXPECT_EQ(line("Gr\x81\xe1"
                 "e aus M\x81nchen\n"),
            "Grüße aus München");
  EXPECT_EQ(line("\xd1\xef\xe0\xf1\xe8\xe1\xee \xe7\xe0 \xef\xee\xea\xf3\xef\xea\xf3\n"),
            "Спасибо за покупку");
  EXPECT_EQ(line("Sp\xc3\xa4tzle 5 \xe2\x82\xac\n"), "Spätzle 5 €");
  EXPECT_TRUE(print("Gr\x81\xe1"
                    "e\n")
                  .guessed_page);
  Reading fixed;
  fixed.code_page = find_code_page("CP1252");
  EXPECT_EQ(line("\x1bt\x11Gr\xfc\xdf"
                 "e\n",
                 0, fixed),
            "Grüße");
}

TEST(Render, ShowsWhatAQrCodeSays) {
  const Rendered out = print(
      "\x1d(k\x0a\0"
      "1P0https:/\x1d(k\x03\0"
      "1Q0"sv);
  ASSERT_EQ(out.payloads.size(), 1U);
  EXPECT_EQ(out.payloads[0], "https:/");
  const auto code = make_qr("https:/", 0);
  ASSERT_TRUE(code);
  // Three dots a module, at the left, below its quiet zone.
  for (std::size_t y = 0; y < code->side; ++y) {
    for (std::size_t x = 0; x < code->side; ++x) {
      ASSERT_EQ(out.paper.at(x * 3 + 1, 6 + y * 3 + 1), code->at(x, y)) << x << " " << y;
    }
  }
  EXPECT_EQ(print("\x1b\x1dyD1\0\x02\0Hi\x1b\x1dyP"sv).payloads.at(0), "Hi");
}

TEST(Render, APngHasTheRastersOwnDots) {
  test::SeededRandom random(7);
  std::string job = "Hi\n\x1dv0"s + '\0' + "\x48" + '\0' + "\x40" + '\0';
  const Bytes dots = random.bytes(72 * 64);
  job += as_text(dots);
  const Rendered out = print(job);
  EXPECT_EQ(out.pictures, 1U);
  const auto png = encode_png(out.paper);
  ASSERT_TRUE(png);
  std::size_t width = 0, height = 0;
  const std::vector<bool> black = read_png(*png, width, height);
  ASSERT_EQ(width, 576U);
  ASSERT_GE(height, 30U + 64U);
  for (std::size_t y = 0; y < 64; ++y) {
    for (std::size_t x = 0; x < 576; ++x) {
      const bool wanted = (std::to_integer<unsigned>(dots[y * 72 + x / 8]) >> (7 - x % 8) & 1) != 0;
      ASSERT_EQ(black[(y + 30) * width + x], wanted) << x << " " << y;
    }
  }
}

TEST(Render, LettersAreTheSameInEverySize) {
  // Small ones are drawn a row at a time, large ones dot by dot.
  for (const std::size_t x : {0, 5, 7, 13}) {
    Bitmap small(64), large(128);
    small.grow(24);
    large.grow(48);
    draw_letter(small, x, 0, U'ß', {});
    LetterStyle twice;
    twice.wide = twice.tall = 2;
    draw_letter(large, 2 * x, 0, U'ß', twice);
    for (std::size_t row = 0; row < 48; ++row) {
      for (std::size_t column = 0; column < 128; ++column) {
        ASSERT_EQ(large.at(column, row), small.at(column / 2, row / 2)) << column << " " << row;
      }
    }
    EXPECT_FALSE(small.empty());
  }
}

TEST(Render, ColumnPicturesStandAsTheyWereSent) {
  // 24 dots high, two columns: the first all black, the second only its uppermost dot.
  const Rendered out = print(
      "\x1b"
      "3\x18\x1b*\x21\x02\0\xff\xff\xff\x80\0\0\n"sv);
  for (std::size_t y = 0; y < 24; ++y) {
    EXPECT_TRUE(out.paper.at(0, y));
    EXPECT_EQ(out.paper.at(1, y), y == 0);
  }
}

TEST(Render, StoredGraphicsPrintWhenTheyAreCalled) {
  const Rendered out = print(
      "\x1d(L\x0c\0"
      "0p0\x01\x01"
      "1\x08\0\x02\0\xff\x81\x1d(L\x02\0"
      "02"sv);
  EXPECT_EQ(out.pictures, 1U);
  EXPECT_TRUE(out.paper.at(3, 0));
  EXPECT_FALSE(out.paper.at(3, 1));
  EXPECT_TRUE(out.paper.at(7, 1));
}

TEST(Render, DrawsBarcodes) {
  // EAN-13 of 4006381333931, as the standard writes it: 95 modules.
  std::string bits;
  bool black = true;
  for (const std::uint8_t width : make_barcode(Barcode::ean13, "400638133393")) {
    bits.append(width, black ? '1' : '0');
    black = !black;
  }
  EXPECT_EQ(bits,
            "10100011010100111010111101111010001001011001101010100001010000101000010111010010000101"
            "100110101");
  // Code 128 B of "A": start 104, A 33, check (104 + 33) % 103 = 34, stop.
  std::string widths;
  for (const std::uint8_t width : make_barcode(Barcode::code128, "{BA")) {
    widths += static_cast<char>('0' + width);
  }
  EXPECT_EQ(widths,
            "211214"
            "111323"
            "131123"
            "2331112");
  const Rendered out = print(
      "\x1dH\x02\x1dk\x45\x03"
      "A-1"sv);
  EXPECT_EQ(out.lines.at(0), "A-1");
  EXPECT_FALSE(out.paper.empty());
}

TEST(QrReader, ReadsTheCodeOfAReceiptThatIsOnePicture) {
  const std::string payload = "https://wa.me/4915550001234";
  QrBlock block;
  block.payload = payload;
  block.raster = true;
  const Bytes job = encode_qr_block(block, Language::escpos, {});
  const Rendered out = render(job, {});
  EXPECT_TRUE(out.payloads.empty()) << "it is dots";
  EXPECT_EQ(out.pictures, 1U);
  if (!can_read_qr()) GTEST_SKIP() << "libzbar0 is not here";
  EXPECT_EQ(read_qr(out.paper), std::vector<std::string>{payload});
  EXPECT_TRUE(read_qr(print("Tea 2,40\n").paper).empty());
  Bitmap long_paper(576);
  long_paper.grow(kTallestRead + 1);
  EXPECT_TRUE(read_qr(long_paper).empty());
}

TEST(Render, ReadsLettersOfTwoBytes) {
  const auto in = [](const char* page, std::string_view job) {
    Reading reading;
    reading.code_page = find_code_page(page);
    EXPECT_TRUE(reading.code_page) << page;
    return print(job, reading);
  };
  // "tea 2.40", encoded elsewhere (Python's codecs). The second byte of BIG5's and SHIFT_JIS's
  // letters may be an ASCII one.
  EXPECT_EQ(in("GB18030", "\xb2\xe8 2.40\n").lines.at(0), "茶 2.40");
  EXPECT_EQ(in("gbk", "\xb2\xe8 2.40\n").lines.at(0), "茶 2.40");
  EXPECT_EQ(in("BIG5", "\xaf\xf9\xa5\x5c 2.40\n").lines.at(0), "茶功 2.40");
  EXPECT_EQ(in("SHIFT_JIS", "\x92\x83\x95\x5c\xb1 2.40\n").lines.at(0), "茶表ｱ 2.40");
  EXPECT_EQ(in("EUC-KR", "\xc2\xf7 2.40\n").lines.at(0), "차 2.40");
  const Rendered cut_off = in("GB18030", "\xb2\n\xffx\n");
  EXPECT_EQ(cut_off.lines.at(0), "");
  // 24 letters of double width fill the line of 48.
  std::string tea;
  for (int i = 0; i < 25; ++i) tea += "\xb2\xe8";
  const Rendered wide = in("GB18030", tea + "\n");
  ASSERT_EQ(wide.lines.size(), 2U);
  EXPECT_EQ(wide.lines[1], "茶");
  EXPECT_FALSE(wide.drawable()) << "it goes as text";
}

TEST(Render, NeverDrawsTheDrawerAndCountsIt) {
  const Rendered out = print("\x1bp\0\x19\xfa\x10\x14\x01\0\x01"sv);
  EXPECT_FALSE(out.printed());
  EXPECT_EQ(out.pulses, 2U);
}

TEST(Render, LeavesOutLinesThatAreForTheBox) {
  Reading reading;
  reading.tags = {"WA:"};
  const Rendered out = print("Tea 2,40\n  wa: +49 155 5000123\nBye\n", reading);
  EXPECT_EQ(out.text(), "Tea 2,40\nBye\n");
  EXPECT_EQ(out.tagged.at(0), "wa: +49 155 5000123");
}

TEST(Render, KnowsWhenItsFontIsNotEnough) {
  EXPECT_FALSE(print("\x1bt\x15\xa1\xa2\xa3\xa4\n").drawable());  // Thai
  EXPECT_TRUE(print("Tea\n").drawable());
}

TEST(Render, PutsTheLogoWhereThePrinterHasOne) {
  Bitmap logo(16);
  logo.grow(2);
  logo.set(5, 1);
  Reading reading;
  reading.logo = &logo;
  const Rendered out = print("\x1cp\x01\0Hi\n"sv, reading);
  EXPECT_EQ(out.logos, 1U);
  EXPECT_TRUE(out.paper.at(5, 1));
}

TEST(Render, BoundsWhatAJobCanMake) {
  std::string job;
  for (int i = 0; i < 300'000; ++i) job += "\x1b\x64\xff";
  const Rendered out = print(job);
  EXPECT_LE(out.paper.height(), Bitmap::kMostRows);
  EXPECT_TRUE(out.cut_short);
}

TEST(Picture, APdfHoldsTheSameDots) {
  const Rendered out = print("Tea 2,40\n");
  const auto pdf = encode_pdf(out.paper);
  ASSERT_TRUE(pdf);
  const std::string text(as_text(*pdf));
  EXPECT_TRUE(text.starts_with("%PDF-1.4"));
  const std::size_t begin = text.rfind("stream\n", text.rfind("endstream"));
  const std::size_t from = text.rfind("\nstream\n") + 8;
  ASSERT_NE(begin, std::string::npos);
  std::string rows(out.paper.height() * out.paper.stride(), '\0');
  uLongf size = rows.size();
  ASSERT_EQ(uncompress(reinterpret_cast<Bytef*>(rows.data()), &size,
                       reinterpret_cast<const Bytef*>(text.data() + from), text.size() - from),
            Z_OK);
  ASSERT_EQ(size, rows.size());
  for (std::size_t y = 0; y < out.paper.height(); ++y) {
    for (std::size_t x = 0; x < out.paper.width(); ++x) {
      const bool white =
          (static_cast<unsigned char>(rows[y * out.paper.stride() + x / 8]) >> (7 - x % 8) & 1) !=
          0;
      ASSERT_NE(white, out.paper.at(x, y));
    }
  }
  // The table leads to the objects.
  const std::size_t table = text.rfind("startxref\n") + 10;
  const std::size_t xref = std::stoul(text.substr(table));
  EXPECT_EQ(text.substr(xref, 4), "xref");
  EXPECT_EQ(text.substr(std::stoul(text.substr(xref + 9 + 20, 10)), 7), "1 0 obj");
}
