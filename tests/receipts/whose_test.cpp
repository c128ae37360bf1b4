#include "receipts/whose.h"

#include <gtest/gtest.h>

#include "receipts/tokens.h"
#include "support/fakes.h"

using namespace posthorn;
using namespace posthorn::receipts;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

std::optional<Customer> whose(std::string_view job, Settings settings = {},
                              const CustomerTable& table = {}) {
  Reading reading;
  reading.tags = settings.tags;
  return find_customer(render(as_bytes(job), reading), settings, table, "4915550000000");
}

}  // namespace

TEST(Whose, TakesTheNumberOfATagLine) {
  const auto found = whose("Tea\nWhatsApp: +49 155 5000-1234\nBye\n");
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, (Customer{"4915550001234", Way::tag}));
  Settings german;
  german.country = "49";
  EXPECT_EQ(whose("WA: 0155 50001234\n", german)->number, "4915550001234");
  EXPECT_FALSE(whose("WA: 0155 50001234\n"));
  EXPECT_FALSE(whose("WA: \n"));
}

TEST(Whose, NeverTakesTheShopsOwnNumber) { EXPECT_FALSE(whose("WA: +4915550000000\n")); }

TEST(Whose, KnowsANumberInTheFormsThatItsCountryPrints) {
  EXPECT_TRUE(same_number("5511987654321", "551187654321")) << "Brazil's ninth digit";
  EXPECT_TRUE(same_number("5215512345678", "525512345678")) << "Mexico's 1";
  EXPECT_TRUE(same_number("5491112345678", "541112345678")) << "Argentina's 9";
  EXPECT_FALSE(same_number("5511987654321", "551187654322"));
  EXPECT_FALSE(same_number("4915550001234", "49155500012"));
}

TEST(Whose, NeverTakesWhatOnlyLooksLikeANumberUnlessAsked) {
  const auto job =
      "Shop\n(111)111-1111\nTea\n\n+4915550001234\nSum\nVAT\nBye\nTel +4915550009999\n";
  EXPECT_FALSE(whose(job));
  Settings settings;
  settings.phone_pattern = true;
  const auto found = whose(job, settings);
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, (Customer{"4915550001234", Way::pattern}));
}

TEST(Whose, ReadsQrPayloadsAndTheShopsList) {
  const auto qr = [](std::string_view payload) {
    std::string job = "\x1d(k";
    job += static_cast<char>(payload.size() + 3);
    return job + "\0"s[0] + "1P0" + std::string(payload) +
           std::string(
               "\x1d(k\x03\0"
               "1Q0",
               8);
  };
  EXPECT_EQ(whose(qr("wa:4915550001234"))->way, Way::payload);
  EXPECT_EQ(whose(qr("https://wa.me/4915550001234?text=x"))->number, "4915550001234");
  EXPECT_FALSE(whose(qr("https://wa.me/4915550000000?text=x"))) << "the shop's";
  EXPECT_FALSE(whose(qr("https://example.com/4915550001234")));
  const auto table = parse_customers("customer;number\n1042;+49 155 50001234\n", "");
  ASSERT_TRUE(table);
  const auto found = whose("Kundennr.: 1042\nTea\n", {}, *table);
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, (Customer{"4915550001234", Way::table}));
  EXPECT_FALSE(whose("Kunde 1043\n", {}, *table));
}

TEST(Whose, SaysWhichLineOfTheListIsWrong) {
  const auto table = parse_customers("7,4915550001234\n8,12\n", "");
  ASSERT_FALSE(table);
  EXPECT_NE(table.error().detail.find("line 2"), std::string::npos);
}

TEST(Whose, FindsTheSum) {
  EXPECT_EQ(find_total({"Subtotal 20,00", "TOTAL EUR   23,40", "Cash 50,00"}), "23,40");
  EXPECT_EQ(find_total({"ИТОГО: 1.250,00 руб"}), "1.250,00");
  EXPECT_EQ(find_total({"Zwischensumme 9,00", "Summe 10,00 EUR"}), "10,00");
  EXPECT_EQ(find_total({"Hello"}), "");
}

TEST(Tokens, AreForgivinglyRead) {
  test::SeededRandom random;
  const std::string token = make_token(random);
  EXPECT_EQ(token.size(), 7U);
  EXPECT_EQ(parse_token(token), token);
  EXPECT_EQ(parse_token("r-7f3kq"), "R-7F3KQ");
  EXPECT_EQ(parse_token(" R 7F3KQ\n"), "R-7F3KQ");
  EXPECT_EQ(parse_token("Hello"), std::nullopt);
  EXPECT_EQ(parse_token("Rather"), std::nullopt);
  EXPECT_EQ(parse_token("R-7F3KQ and more words than that"), std::nullopt);
}

TEST(Guesses, StopAChatThatGuesses) {
  Guesses guesses;
  const Mono start{milliseconds(1000)};
  EXPECT_TRUE(guesses.on_wrong("a", start)) << "the first is answered";
  for (int i = 1; i < 5; ++i) EXPECT_FALSE(guesses.on_wrong("a", start));
  EXPECT_FALSE(guesses.allows("a", start));
  EXPECT_TRUE(guesses.allows("b", start));
  EXPECT_TRUE(guesses.allows("a", start + hours(1)));
  for (int i = 0; i < 200; ++i) (void)guesses.on_wrong("x" + std::to_string(i), start);
  EXPECT_FALSE(guesses.allows("new", start));
}
