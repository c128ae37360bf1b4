#include "posthorn/wire/token_tables.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "posthorn/base/bytes.h"
#include "posthorn/base/crypto.h"

namespace posthorn::wire {
namespace {

std::string joined_sha256(const std::vector<std::string_view>& tokens) {
  std::string text;
  for (const auto token : tokens) {
    if (!text.empty()) text += '\n';
    text += token;
  }
  return hex_encode(crypto::sha256(as_bytes(text)));
}

std::vector<std::string_view> doubles() {
  std::vector<std::string_view> out;
  for (const auto& dictionary : kDoubleTokens) {
    out.insert(out.end(), dictionary.begin(), dictionary.end());
  }
  return out;
}

TEST(TokenTables, AreVersionThreeEntryByEntry) {
  const std::vector<std::string_view> singles(kSingleTokens.begin() + 1, kSingleTokens.end());
  EXPECT_EQ(singles.size(), 235U);
  EXPECT_EQ(joined_sha256(singles),
            "2ec850d399a28112e4b4165ae4d68962f58b0aa6766de1622d4caef1a2e6b8b5");
  EXPECT_EQ(doubles().size(), 1024U);
  EXPECT_EQ(joined_sha256(doubles()),
            "400b612b8c86d055404cee1b205c908a4db35bd57683b4903f72d003ff52144d");
}

TEST(TokenTables, HoldTheEntriesThatChaptersName) {
  EXPECT_EQ(kSingleTokens[0], "");
  EXPECT_EQ(kSingleTokens[2], "xmlstreamend");
  EXPECT_EQ(kSingleTokens[3], "s.whatsapp.net");
  EXPECT_EQ(kSingleTokens[0x1c], "g.us");
  EXPECT_EQ(kSingleTokens[0x76], "lid");
  EXPECT_EQ(kDoubleTokens[0][0], "read-self");
  EXPECT_EQ(kDoubleTokens[0][0x79], "5");
}

TEST(TokenTables, FindEveryTokenWhereItStands) {
  std::set<std::string_view> seen;
  for (std::size_t i = 1; i < kSingleTokenCount; ++i) {
    EXPECT_EQ(find_token(kSingleTokens[i]), (TokenPlace{-1, static_cast<std::uint8_t>(i)}));
    EXPECT_TRUE(seen.insert(kSingleTokens[i]).second) << kSingleTokens[i];
  }
  for (std::size_t d = 0; d < kDictionaryCount; ++d) {
    for (std::size_t i = 0; i < kDictionarySize; ++i) {
      EXPECT_EQ(find_token(kDoubleTokens[d][i]),
                (TokenPlace{static_cast<std::int8_t>(d), static_cast<std::uint8_t>(i)}));
      EXPECT_TRUE(seen.insert(kDoubleTokens[d][i]).second) << kDoubleTokens[d][i];
    }
  }
}

TEST(TokenTables, FindNothingElse) {
  for (const std::string_view text : {"", "IQ", "iq ", "ib", "abcdef", "3EB0A7C4D19F20E6B8"}) {
    EXPECT_FALSE(find_token(text)) << text;
  }
  EXPECT_FALSE(find_token(std::string(100000, 'x')));
}

}  // namespace
}  // namespace posthorn::wire
