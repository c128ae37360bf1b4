#include "posthorn/wire/jid.h"

#include <gtest/gtest.h>

namespace posthorn::wire {
namespace {

TEST(Jid, PrintsAndReadsEveryForm) {
  const std::pair<const char*, Jid> forms[] = {
      {"15550001111@s.whatsapp.net", {"15550001111", "s.whatsapp.net", 0}},
      {"15550001111:7@s.whatsapp.net", {"15550001111", "s.whatsapp.net", 7}},
      {"98765432101234:65535@lid", {"98765432101234", "lid", 65535}},
      {"120363042299887766@g.us", {"120363042299887766", "g.us", 0}},
      {"49301234567-1400000000@g.us", {"49301234567-1400000000", "g.us", 0}},
      {"status@broadcast", {"status", "broadcast", 0}},
      {"123456789012345678@newsletter", {"123456789012345678", "newsletter", 0}},
      {"867051314767696@bot", {"867051314767696", "bot", 0}},
      {"15550001111:99@hosted", {"15550001111", "hosted", 99}},
      {"5-123456:2@interop", {"5-123456", "interop", 2}},
      {"15550001111@c.us", {"15550001111", "c.us", 0}},
      {"s.whatsapp.net", {"", "s.whatsapp.net", 0}},
  };
  for (const auto& [text, jid] : forms) {
    const Result<Jid> read = parse_jid(text);
    ASSERT_TRUE(read) << text << ": " << read.error().detail;
    EXPECT_EQ(*read, jid) << text;
    EXPECT_EQ(to_string(jid), text);
  }
}

TEST(Jid, ReadsOldAndRedundantForms) {
  EXPECT_EQ(*parse_jid("@s.whatsapp.net"), (Jid{"", "s.whatsapp.net", 0}));
  EXPECT_EQ(*parse_jid("1234:0@lid"), (Jid{"1234", "lid", 0}));
  EXPECT_EQ(*parse_jid("1234.0:5@s.whatsapp.net"), (Jid{"1234", "s.whatsapp.net", 5}));
  EXPECT_EQ(*parse_jid("1234.1:5@s.whatsapp.net"), (Jid{"1234", "lid", 5}));
  EXPECT_EQ(*parse_jid("g.us"), (Jid{"", "g.us", 0}));
}

TEST(Jid, RefusesEverythingElse) {
  for (const char* text :
       {"", "1234", "1234@", "1234:@lid", "1234:x@lid", "1234:1:2@lid", "1234:65536@lid",
        "1234:-1@lid", "1234: 1@lid", ":5@lid", "1234.x@s.whatsapp.net", "1234.256@s.whatsapp.net",
        "1234.@s.whatsapp.net", "whatsapp.net"}) {
    const Result<Jid> read = parse_jid(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Errc::malformed);
  }
}

TEST(Jid, KnowsItsKind) {
  const Jid device{"1234", std::string(kServerLid), 7};
  EXPECT_TRUE(device.is_lid() && device.is_person());
  EXPECT_FALSE(device.is_pn() || device.is_group() || device.empty());
  EXPECT_EQ(device.bare(), (Jid{"1234", "lid", 0}));
  EXPECT_EQ(device.with_device(3).device, 3);
  EXPECT_TRUE(Jid().empty());
}

}  // namespace
}  // namespace posthorn::wire
