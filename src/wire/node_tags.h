#pragma once

#include <cstdint>

/// Structure bytes of binary nodes. On the wire: do not renumber.
/// Source: protocol chapter 02 section 3.
namespace posthorn::wire {

inline constexpr std::uint8_t kFlagCompressed = 2;

inline constexpr std::uint8_t kListEmpty = 0;
inline constexpr std::uint8_t kDictionary0 = 236;  ///< .. 239; 1 .. 235 are single tokens
inline constexpr std::uint8_t kDictionary3 = 239;
inline constexpr std::uint8_t kInteropJid = 245;
inline constexpr std::uint8_t kFbJid = 246;
inline constexpr std::uint8_t kAdJid = 247;
inline constexpr std::uint8_t kList8 = 248;
inline constexpr std::uint8_t kList16 = 249;
inline constexpr std::uint8_t kJidPair = 250;
inline constexpr std::uint8_t kHex8 = 251;
inline constexpr std::uint8_t kBinary8 = 252;
inline constexpr std::uint8_t kBinary20 = 253;
inline constexpr std::uint8_t kBinary32 = 254;
inline constexpr std::uint8_t kNibble8 = 255;

/// Domain byte of kAdJid.
inline constexpr std::uint8_t kDomainUser = 0;
inline constexpr std::uint8_t kDomainLid = 1;
inline constexpr std::uint8_t kDomainHosted = 128;
inline constexpr std::uint8_t kDomainHostedLid = 129;

/// Servers that only the codec and the routing of acks meet.
inline constexpr char kServerMessenger[] = "msgr";
inline constexpr char kServerInterop[] = "interop";

inline constexpr std::size_t kMaxPackedSymbols = 127;
/// No stanza has a tenth of this; it keeps the search for duplicate keys short on hostile input.
inline constexpr std::size_t kMaxAttrs = 256;
/// Nodes and attributes of one stanza together, so that 16 MiB of input cannot become gigabytes.
inline constexpr std::size_t kMaxElements = std::size_t{1} << 19;

}  // namespace posthorn::wire
