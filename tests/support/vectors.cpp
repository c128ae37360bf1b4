#include "support/vectors.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace posthorn::test {

std::string source_path(const std::string& name) {
  return std::string(POSTHORN_SOURCE_DIR "/") + name;
}

json::Value load_vectors(const std::string& name) {
  std::ifstream file(source_path("tests/vectors/" + name));
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  auto parsed = json::parse(text);
  EXPECT_TRUE(parsed.has_value()) << name;
  return parsed ? *parsed : json::Value();
}

}  // namespace posthorn::test
