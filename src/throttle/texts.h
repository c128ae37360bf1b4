#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "throttle/rolling.h"
#include "throttle/tick.h"

namespace posthorn::throttle {

/// The text as the same-text guard compares it: trimmed, case folded (Latin, Greek, Cyrillic),
/// white space collapsed. Digits are kept: "Order 118" is not "Order 119".
[[nodiscard]] std::string normalize_text(std::string_view text);
/// The first 64 bits of the SHA-256 of the normalized text; never 0.
[[nodiscard]] std::uint64_t text_hash(std::string_view text);

/// Who got one text lately, counted over distinct chats of the known and first lanes.
struct TextUse {
  std::uint64_t hash = 0;                 ///< 0: free
  Tick last = 0;                          ///< newest distinct chat
  Tick next = 0;                          ///< a fourth chat in the hour not before this
  std::array<std::uint32_t, 3> recent{};  ///< stamps of the last three distinct chats, newest first
  Rolling<24, kHour> first_chats;         ///< distinct chats of the first lane

  /// Chats of the last hour, 0 .. 3.
  [[nodiscard]] std::uint32_t in_last_hour(Tick now) const;

  template <class Archive>
  void fields(Archive& archive) {
    archive(hash);
    archive(last);
    archive(next);
    for (std::uint32_t& stamp : recent) archive(stamp);
    first_chats.fields(archive);
  }
};

/// Fixed size: 256 sets of four. When a set is full, the entry that fewest people got goes first.
class Texts {
 public:
  Texts() : uses_(kSets * kWays) {}

  [[nodiscard]] const TextUse* find(std::uint64_t hash, Tick now) const;
  /// The entry of this text, made when absent.
  [[nodiscard]] TextUse& touch(std::uint64_t hash, Tick now);
  /// The entry of this text as it was; nullopt: there was none.
  void restore(std::uint64_t hash, const std::optional<TextUse>& use);

  /// Only the entries that still matter.
  [[nodiscard]] std::vector<TextUse> live(Tick now) const;
  void load(const TextUse& use, Tick now);
  void clear() { uses_.assign(uses_.size(), TextUse{}); }

 private:
  static constexpr std::size_t kSets = 256;
  static constexpr std::size_t kWays = 4;
  [[nodiscard]] static bool is_live(const TextUse& use, Tick now) {
    return use.hash != 0 && use.last + kDay + kHour > now;
  }
  std::vector<TextUse> uses_;
};

}  // namespace posthorn::throttle
