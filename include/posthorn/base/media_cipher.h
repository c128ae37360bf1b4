#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "posthorn/base/crypto.h"
#include "posthorn/base/result.h"

/// The encryption of files at WhatsApp's media hosts, in pieces of any size: AES-256-CBC under keys
/// that HKDF makes of a 32-byte media key, then the first 10 bytes of an HMAC-SHA256 over iv and
/// ciphertext. Source: chapter 08 section 3.
namespace posthorn::crypto {

inline constexpr std::size_t kMediaMacBytes = 10;
inline constexpr std::size_t kMediaKeyBytes = 32;

/// Of what lies at the host for a file of that size.
[[nodiscard]] constexpr std::uint64_t sealed_media_size(std::uint64_t plain) {
  return 16 * (plain / 16 + 1) + kMediaMacBytes;
}

/// One file on its way out. Used by one thread at a time.
class MediaSealer {
 public:
  /// info: the kind's word, "WhatsApp Image Keys".
  MediaSealer(ByteView key32, std::string_view info);
  MediaSealer(const MediaSealer&) = delete;
  MediaSealer& operator=(const MediaSealer&) = delete;
  ~MediaSealer();

  /// The ciphertext that this piece completes.
  [[nodiscard]] Bytes add(ByteView plain);
  /// The rest and the MAC; once, after the last piece.
  [[nodiscard]] Bytes finish();
  /// SHA-256 of everything that came out; once, after finish().
  [[nodiscard]] Sha256 sealed_hash();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// One file on its way in. Used by one thread at a time.
class MediaOpener {
 public:
  MediaOpener(ByteView key32, std::string_view info);
  MediaOpener(const MediaOpener&) = delete;
  MediaOpener& operator=(const MediaOpener&) = delete;
  ~MediaOpener();

  /// The plaintext that this piece completes: not to be believed before finish() has said so.
  [[nodiscard]] Bytes add(ByteView sealed);
  /// The rest. Errors: crypto (MAC or padding wrong, too short, or not the bytes whose SHA-256 that
  /// is; an empty hash is not looked at).
  [[nodiscard]] Result<Bytes> finish(ByteView sealed_sha256);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace posthorn::crypto
