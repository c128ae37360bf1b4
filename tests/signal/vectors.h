#pragma once

#include <deque>
#include <string>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/base/json.h"
#include "posthorn/base/random.h"
#include "posthorn/signal/curve.h"
#include "support/vectors.h"

namespace posthorn::signal {

using test::load_vectors;
/// A member holding hexadecimal.
Bytes hex_at(const json::Value& object, const char* key);
/// A member holding 32 or 64 bytes.
template <class Array>
Array array_at(const json::Value& object, const char* key) {
  const Bytes bytes = hex_at(object, key);
  Array out{};
  if (bytes.size() == out.size()) std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

/// Gives the draws that a vector lists, in order; asked for more or other sizes it counts a mistake
/// and gives zeros.
class ScriptedRandom final : public Random {
 public:
  void fill(std::span<std::byte> out) override;
  void expect(const json::Value& draws);

  std::deque<Bytes> draws;
  int mistakes = 0;
};

}  // namespace posthorn::signal
