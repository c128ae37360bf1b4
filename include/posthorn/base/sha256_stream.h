#pragma once

#include <memory>

#include "posthorn/base/crypto.h"

namespace posthorn::crypto {

/// SHA-256 of what comes in pieces.
class Sha256Stream {
 public:
  Sha256Stream();
  Sha256Stream(const Sha256Stream&) = delete;
  Sha256Stream& operator=(const Sha256Stream&) = delete;
  ~Sha256Stream();

  void add(ByteView piece);
  /// Once, after the last piece.
  [[nodiscard]] Sha256 finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace posthorn::crypto
