#include "signal/vectors.h"

#include <gtest/gtest.h>

namespace posthorn::signal {

Bytes hex_at(const json::Value& object, const char* key) {
  const auto text = json::string_at(object, key);
  EXPECT_TRUE(text.has_value()) << key;
  const auto bytes = hex_decode(text.value_or(""));
  EXPECT_TRUE(bytes.has_value()) << key;
  return bytes.value_or(Bytes());
}

void ScriptedRandom::fill(std::span<std::byte> out) {
  std::fill(out.begin(), out.end(), std::byte{});
  if (draws.empty() || draws.front().size() != out.size()) {
    ++mistakes;
    return;
  }
  std::copy(draws.front().begin(), draws.front().end(), out.begin());
  draws.pop_front();
}

void ScriptedRandom::expect(const json::Value& listed) {
  for (const auto& draw : listed) {
    const auto text = json::text_of(draw);
    ASSERT_TRUE(text.has_value());
    draws.push_back(hex_decode(*text).value_or(Bytes()));
  }
}

}  // namespace posthorn::signal
