#include <gtest/gtest.h>

#include <array>

#include "throttle/chat_key.h"
#include "throttle/opt_out_words.h"
#include "throttle/texts.h"

namespace posthorn::throttle {
namespace {

TEST(OptOutWords, KnowsEveryWordThePolicyNames) {
  constexpr std::array<std::string_view, 15> kNamed{
      "stop",     "unsubscribe", "стоп",  "отписаться", "отпишите", "baja",  "parar", "sair",
      "cancelar", "arrêt",       "stopp", "iptal",      "berhenti", "إيقاف", "停止"};
  for (const std::string_view word : kNamed)
    EXPECT_EQ(parse_request(word).wish, Wish::stop) << word;
}

TEST(OptOutWords, IgnoresCaseSpaceAndMarks) {
  for (const char* text : {"STOP", " Stop! ", "«СТОП»", "ARRÊT.", "\"stop\"", "Stop\n"})
    EXPECT_EQ(parse_request(text).wish, Wish::stop) << text;
  for (const char* text : {"start", "START!", "Старт", "ALTA", "开始"})
    EXPECT_EQ(parse_request(text).wish, Wish::start) << text;
}

TEST(OptOutWords, LeavesSentencesAlone) {
  for (const char* text :
       {"", "please stop by at five", "non-stop", "stop it now", "!", "...", "stops"})
    EXPECT_EQ(parse_request(text).wish, Wish::none) << text;
}

TEST(OptOutWords, EveryWordIsInTheFormThatIsComparedAndHasAConfirmation) {
  for (const StopWord& stop : stop_words()) {
    EXPECT_EQ(normalize_text(stop.word), stop.word);
    EXPECT_TRUE(is_confirmation(stop.confirmation));
  }
  for (const std::string_view word : start_words()) EXPECT_EQ(normalize_text(word), word);
  EXPECT_FALSE(is_confirmation("Your order is ready"));
}

TEST(Texts, CompareWithoutCaseAndSpaceButWithDigits) {
  EXPECT_EQ(text_hash("  Sale \t TODAY "), text_hash("sale today"));
  EXPECT_EQ(text_hash("ПРИВЕТ Ёлка ÀÉ Ω"), text_hash("привет ёлка àé ω"));
  EXPECT_NE(text_hash("Order 118 is ready"), text_hash("Order 119 is ready"));
  EXPECT_EQ(normalize_text("bad \xff\xfe utf \xc3"), "bad \xff\xfe utf \xc3");
  EXPECT_EQ(normalize_text("emoji 😀  ok"), "emoji 😀 ok");
}

TEST(ChatKey, ComesBackAsItWas) {
  for (const char* chat : {"4915550001234@c.us", "123456789012345678@lid",
                           "120363041234567890@g.us", "4915550001234-1612345678@g.us"})
    EXPECT_EQ(build_chat(parse_chat(chat)), chat);
  EXPECT_EQ(parse_chat("").kind, ChatKey::Kind::none);
  for (const char* chat :
       {"0123@c.us", "nonsense", "12@elsewhere", "99999999999999999999999@c.us", "-@g.us"})
    EXPECT_EQ(parse_chat(chat).kind, ChatKey::Kind::other) << chat;
  EXPECT_NE(parse_chat("1@c.us"), parse_chat("1@lid"));
}

TEST(Rolling, NeverCountsLessThanTheExactWindow) {
  MinuteWindow window;
  window.add(10'000);
  EXPECT_EQ(window.used(69'999), 1U);
  EXPECT_EQ(window.used(71'000), 0U);
  EXPECT_EQ(window.free_at(20'000, 1), 71'000);
  EXPECT_EQ(window.free_at(20'000, 2), 20'000);
  EXPECT_EQ(window.free_at(20'000, 0), kNever);
  window.add(30'000, 3);
  window.refund(31'000, 2);
  EXPECT_EQ(window.used(31'000), 2U);
  window.add(10'000'000);
  EXPECT_EQ(window.used(10'000'000), 1U);
}

}  // namespace
}  // namespace posthorn::throttle
