#include "posthorn/cloud/wamid.h"

#include <gtest/gtest.h>

#include "posthorn/base/bytes.h"

namespace posthorn::cloud {
namespace {

TEST(Wamid, GivesBackWhatWentIn) {
  const Wamid own{"4915550007777@c.us", "3EB0C0FFEE0123456789AB", Direction::from_business};
  const std::string text = encode_wamid(own);
  EXPECT_TRUE(text.starts_with("wamid.HBg")) << text;
  EXPECT_LE(text.size(), 128U);
  EXPECT_EQ(decode_wamid(text), own);
  const Wamid lid{"147258369@lid", "3A1234567890", Direction::to_business};
  EXPECT_EQ(decode_wamid(encode_wamid(lid)), lid);
}

// An id of the real service in the form of the contract's example.
TEST(Wamid, ReadsIdsOfTheRealService) {
  const auto read = decode_wamid("wamid.HBgNNDkxNTU1MDAwNzc3NxUCABEYEjA5QzI2RjE2NUM5RTRGMEFBQQA=");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->chat, "4915550007777@c.us");
  EXPECT_EQ(read->id, "09C26F165C9E4F0AAA");
  EXPECT_EQ(read->direction, Direction::from_business);
  EXPECT_EQ(encode_wamid(*read), "wamid.HBgNNDkxNTU1MDAwNzc3NxUCABEYEjA5QzI2RjE2NUM5RTRGMEFBQQA=");
}

TEST(Wamid, RefusesEverythingElse) {
  const std::string good = encode_wamid({"4915550007777@c.us", "3EB0AA", Direction::to_business});
  const auto bytes = base64_decode(std::string_view(good).substr(6));
  ASSERT_TRUE(bytes);
  for (std::size_t size = 0; size < bytes->size(); ++size) {
    EXPECT_FALSE(decode_wamid("wamid." + base64_encode(ByteView(*bytes).first(size)))) << size;
  }
  for (const char* text : {"", "wamid.", "wamid.%%%", "3EB0AA", "wamid.AAAA"}) {
    EXPECT_FALSE(decode_wamid(text)) << text;
  }
  EXPECT_FALSE(decode_wamid(good + "AA"));
}

}  // namespace
}  // namespace posthorn::cloud
