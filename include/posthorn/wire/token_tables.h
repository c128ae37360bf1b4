#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

/// The token dictionaries of binary nodes: strings that travel as one or two bytes.
/// Source: WhatsApp's dictionary version 3, as in tulir/whatsmeow binary/token/token.go,
/// WhiskeySockets/Baileys src/WABinary/constants.ts and vinikjkkj/zapo (identical, Aug 2026).
namespace posthorn::wire {

inline constexpr std::uint8_t kTokenVersion = 3;       ///< fourth byte of the connection header
inline constexpr std::size_t kSingleTokenCount = 236;  ///< index 0 is the empty list, not a token
inline constexpr std::size_t kDictionaryCount = 4;
inline constexpr std::size_t kDictionarySize = 256;

extern const std::array<std::string_view, kSingleTokenCount> kSingleTokens;
extern const std::array<std::array<std::string_view, kDictionarySize>, kDictionaryCount>
    kDoubleTokens;

/// Where a string stands. dictionary -1: in the single table.
struct TokenPlace {
  std::int8_t dictionary = -1;
  std::uint8_t index = 0;

  bool operator==(const TokenPlace&) const = default;
};

/// Finds a string in the dictionaries (one hash, usually one comparison); nullopt: not a token.
[[nodiscard]] std::optional<TokenPlace> find_token(std::string_view text);

}  // namespace posthorn::wire
