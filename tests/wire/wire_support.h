#pragma once

#include <algorithm>
#include <cassert>
#include <deque>
#include <string>

#include "posthorn/base/bytes.h"
#include "posthorn/base/random.h"
#include "posthorn/wire/certificate.h"

extern "C" {
// libsignal-protocol-c, curve25519/curve25519-donna and additions: 0 is success.
int curve25519_sign(unsigned char* signature64, const unsigned char* private32,
                    const unsigned char* message, unsigned long size,
                    const unsigned char* random64);
int curve25519_verify(const unsigned char* signature64, const unsigned char* public32,
                      const unsigned char* message, unsigned long size);
}

namespace posthorn::wire::test {

/// Bytes of hex text; blanks are for reading only.
inline Bytes unhex(std::string_view text) {
  std::string digits(text);
  std::erase_if(digits, [](char c) { return c == ' ' || c == '\n'; });
  const auto bytes = hex_decode(digits);
  assert(bytes);
  return *bytes;
}

inline Key32 key(std::string_view hex) {
  const Bytes bytes = unhex(hex);
  Key32 out{};
  assert(bytes.size() == out.size());
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

/// Gives out what it was told to, then counts up from there; for vectors with fixed keys.
class ScriptedRandom final : public Random {
 public:
  explicit ScriptedRandom(Bytes script = {}) : script_(script.begin(), script.end()) {}
  void fill(std::span<std::byte> out) override {
    for (std::byte& b : out) {
      if (script_.empty()) {
        b = static_cast<std::byte>(next_++);
      } else {
        b = script_.front();
        script_.pop_front();
      }
    }
  }

 private:
  std::deque<std::byte> script_;
  unsigned next_ = 0;
};

inline const unsigned char* raw(ByteView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

inline bool xeddsa_verify(const Key32& public_key, ByteView message, ByteView signature) {
  return signature.size() == 64 &&
         curve25519_verify(raw(signature), raw(public_key), raw(message), message.size()) == 0;
}

/// With 64 zero bytes for chance, as the vectors were made.
inline Bytes xeddsa_sign(const Key32& private_key, ByteView message) {
  Bytes signature(64);
  const Bytes zeros(64);
  const int status = curve25519_sign(reinterpret_cast<unsigned char*>(signature.data()),
                                     raw(private_key), raw(message), message.size(), raw(zeros));
  assert(status == 0);
  static_cast<void>(status);
  return signature;
}

}  // namespace posthorn::wire::test
