#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "throttle/flat_index.h"

namespace posthorn::throttle {

/// A chat id in 13 bytes, reversible for every id that WhatsApp makes.
struct ChatKey {
  /// Stored: do not renumber.
  enum class Kind : std::uint8_t {
    none = 0,
    phone = 1,      ///< digits@c.us
    lid = 2,        ///< digits@lid
    group = 3,      ///< digits@g.us
    old_group = 4,  ///< creator-time@g.us
    other = 5,      ///< anything else, by its hash: not reversible
  };
  std::uint64_t number = 0;
  std::uint32_t extra = 0;
  Kind kind = Kind::none;

  bool operator==(const ChatKey&) const = default;
  [[nodiscard]] bool is_group() const { return kind == Kind::group || kind == Kind::old_group; }
};

/// All statuses together, as a group that everybody is in: no group of WhatsApp's has that number.
inline constexpr ChatKey kStories{0, 0, ChatKey::Kind::group};

[[nodiscard]] inline std::uint64_t hash_of(const ChatKey& key) {
  return mix(key.number ^ (std::uint64_t{key.extra} << 32) ^ static_cast<std::uint64_t>(key.kind));
}

/// Never fails: what is no known shape becomes Kind::other; empty text becomes Kind::none.
[[nodiscard]] ChatKey parse_chat(std::string_view chat);
/// Could be somebody's: a group, a LID, or a phone number of 7 to 15 digits.
[[nodiscard]] bool is_possible(const ChatKey& key);
/// The chat id again; Kind::other gives "?<hash>".
[[nodiscard]] std::string build_chat(const ChatKey& key);

}  // namespace posthorn::throttle
