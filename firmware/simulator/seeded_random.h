#pragma once

#include "posthorn/base/random.h"

namespace posthorn {

/// The same bytes for the same seed: keys, ids and chance of a simulation repeat. Not for secrets.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed);
  void fill(std::span<std::byte> out) override;

 private:
  Bytes key_;
  std::uint64_t block_ = 0;
};

}  // namespace posthorn
