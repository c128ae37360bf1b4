#pragma once

#include <cstdint>
#include <string>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"

/// A backup on disk: one file, sealed with a passphrase.
///
///   "POSTHORN"  u16 major  u16 minor  u16 header bytes in all  u16 0  u32 rounds  salt[16]
///   then pieces: u32 bytes of plain text  u8 last  sealed bytes (plain text and a tag of 16)
///
/// Numbers are little-endian. Key: PBKDF2-HMAC-SHA-256(passphrase, salt, rounds), 32 bytes. A piece
/// is AES-256-GCM with its number as nonce (the key is of this file alone) and header and "last" as
/// additional data: pieces cannot be left out, exchanged, or cut off. A reader skips header bytes
/// that it does not know (a later minor) and refuses a later major.
/// May run on a Worker's thread; holds one piece (64 KiB) in memory.
namespace posthorn::daemon {

inline constexpr std::uint16_t kBackupMajor = 1;
inline constexpr std::uint16_t kBackupMinor = 0;
inline constexpr std::size_t kPassphraseAtLeast = 8;
inline constexpr std::size_t kBackupSalt = 16;
inline constexpr std::uint32_t kBackupRounds = 200'000;

/// salt16: chance, never used before. Errors: malformed (passphrase too short), io, full.
Result<void> seal_file(const std::string& from, const std::string& to,
                       const std::string& passphrase, ByteView salt16,
                       std::uint32_t rounds = kBackupRounds);
/// Errors: crypto (wrong passphrase, or changed bytes), malformed (no backup, cut off), unsupported
/// (of a newer release), io, full.
Result<void> open_sealed_file(const std::string& from, const std::string& to,
                              const std::string& passphrase);

}  // namespace posthorn::daemon
