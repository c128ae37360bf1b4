#include "seeded_random.h"

#include <algorithm>

#include "posthorn/base/crypto.h"

namespace posthorn {

SeededRandom::SeededRandom(std::uint64_t seed)
    : key_(to_bytes(crypto::sha256(as_bytes("posthorn-sim " + std::to_string(seed))))) {}

void SeededRandom::fill(std::span<std::byte> out) {
  // AES-CTR over zeros, one counter range per call.
  std::array<std::byte, 16> iv{};
  ++block_;
  for (std::size_t i = 0; i < 8; ++i) iv[i] = static_cast<std::byte>(block_ >> (8 * i));
  const Bytes zeros(out.size());
  const Bytes stream = crypto::aes_ctr(key_, iv, zeros);
  std::copy(stream.begin(), stream.end(), out.begin());
}

}  // namespace posthorn
