#include <gtest/gtest.h>

#include "posthorn/base/phone_number.h"

namespace posthorn {
namespace {

TEST(PhoneNumber, IsReadAsPeopleWriteIt) {
  for (const char* written :
       {"4915550001234", "+4915550001234", "004915550001234", "+49 155 500-01234",
        "+49 (0)155 5000 1234", "0049 (0) 155/50001234", "49(0)15550001234", "(+49) 155.500.01234",
        " 49155\t50001234\r\n", "+49\u2011155\u201350001234", "+0049 15550001234"}) {
    EXPECT_EQ(parse_phone_number(written).value_or("refused"), "4915550001234") << written;
  }
}

TEST(PhoneNumber, LosesWhatContactListsPutAroundIt) {
  EXPECT_EQ(*parse_phone_number("\u202A+49\u00A0155\u00A05000\u202F1234\u202C"), "4915550001234");
  EXPECT_EQ(*parse_phone_number("\uFEFF\u2066+4915550001234\u2069\u200F\u200B"), "4915550001234");
  EXPECT_EQ(*parse_phone_number("+\u0664\u0669\u0661\u0665\u0665\u0665\u0660\u0660\u0660\u0661"
                                "\u0662\u0663\u0664"),
            "4915550001234");
  EXPECT_EQ(without_invisible("\u202A4915550001234@c.us\u202C\u00A0"), "4915550001234@c.us");
  EXPECT_EQ(without_invisible("a\xE2\x80"), "a\xE2\x80");
}

TEST(PhoneNumber, OfRussiaMayBeginWithTheEightThatIsDialledThere) {
  EXPECT_EQ(*parse_phone_number("8 (900) 123-45-67"), "79001234567");
  EXPECT_EQ(*parse_phone_number("+7 900 123-45-67"), "79001234567");
  // Inmarsat and Japan begin with 8 as well.
  EXPECT_EQ(*parse_phone_number("87012345678"), "87012345678");
  EXPECT_EQ(*parse_phone_number("819012345678"), "819012345678");
}

TEST(PhoneNumber, OfNoCountryIsRefusedWithWhatToWrite) {
  for (const char* national :
       {"015550001234", "(0)155 50001234", "+0155 50001234", "000491555", "01149 155 50001234"}) {
    const auto parsed = parse_phone_number(national);
    ASSERT_FALSE(parsed) << national;
    EXPECT_NE(parsed.error().detail.find("write the country code"), std::string::npos) << national;
  }
}

TEST(PhoneNumber, ThatASpreadsheetSpoiltOrThatIsNoneIsRefused) {
  for (const char* spoilt : {"4915550001234.0", "4.91556E+12", "49155+50001234", "++4915550001234",
                             "", "+", "   ", "123456", "4915550001234567", "4915550001234@c.us",
                             "Anna", "49155500012\xFF", "49155500012,34", "."}) {
    const auto parsed = parse_phone_number(spoilt);
    ASSERT_FALSE(parsed) << spoilt << " became " << *parsed;
    EXPECT_EQ(parsed.error().code, Errc::malformed);
    EXPECT_NE(parsed.error().detail.find("country code"), std::string::npos) << spoilt;
  }
}

}  // namespace
}  // namespace posthorn
