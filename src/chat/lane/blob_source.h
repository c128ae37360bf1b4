#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "posthorn/base/bytes.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"

namespace posthorn::chat {

/// A sealed file on WhatsApp's media hosts that was made for this account's devices.
struct BlobRef {
  enum class Kind : std::uint8_t { app_state, history };
  Kind kind = Kind::app_state;
  std::string direct_path;
  Bytes media_key;
  Bytes sha256;      ///< of the content; empty: not said
  Bytes enc_sha256;  ///< of the file as it lies there
  std::uint64_t size = 0;
};

/// Fetches such files without keeping them. Source: chapter 08.
class BlobSource {
 public:
  virtual ~BlobSource() = default;

  /// Gives the decrypted content piece by piece as it comes. What it said counts only when done
  /// says that hashes and MAC were right; an error of `piece` ends it with that error.
  /// most: bytes of content, at which it ends as full. Errors: full, crypto (hash, MAC), not_found
  /// (the host has it no longer), timeout, disconnected, io.
  virtual void fetch(BlobRef blob, std::uint64_t most, std::function<Result<void>(ByteView)> piece,
                     Once<void(Result<void>)> done) = 0;
};

}  // namespace posthorn::chat
