#include "posthorn/signal/padding.h"

#include <gtest/gtest.h>

#include "signal/vectors.h"
#include "support/fakes.h"

namespace posthorn::signal {
namespace {

TEST(Padding, MatchesTheVectors) {
  const auto file = load_vectors("padding.json");
  int cases = 0;
  for (const auto& vector : json::at(file, "cases")) {
    const Bytes message = hex_at(vector, "message");
    const Bytes padded = hex_at(vector, "padded");
    const auto count = static_cast<std::uint8_t>(*json::int_at(vector, "padLength"));
    EXPECT_EQ(pad_with(message, count), padded);
    const auto unpadded = unpad(padded);
    ASSERT_TRUE(unpadded.has_value());
    EXPECT_EQ(to_bytes(*unpadded), message);
    ++cases;
  }
  EXPECT_EQ(cases, 5);
  for (const auto& vector : json::at(file, "mustReject")) {
    EXPECT_EQ(unpad(hex_at(vector, "padded")).error().code, Errc::malformed);
  }
}

TEST(Padding, RefusesPaddingBytesThatDiffer) {
  EXPECT_EQ(unpad(*hex_decode("0a0161020303")).error().code, Errc::malformed);
}

TEST(Padding, DrawsEveryLengthFromOneToSixteen) {
  test::SeededRandom random;
  std::array<int, 18> seen{};
  for (int i = 0; i < 1000; ++i) {
    const Bytes padded = pad(to_bytes("x"), random);
    ++seen.at(padded.size() - 1);
  }
  EXPECT_EQ(seen[0], 0);
  for (std::size_t n = 1; n <= 16; ++n) EXPECT_GT(seen[n], 0) << n;
  EXPECT_EQ(seen[17], 0);
}

}  // namespace
}  // namespace posthorn::signal
