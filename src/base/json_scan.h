#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace posthorn::json {

/// What jsoncpp does not do as JSON.parse does it, looked for before it runs.
struct Scan {
  /// First byte of a number that is none in JSON: "007" would be taken for 7, another person's
  /// number.
  std::optional<std::size_t> bad_number;
  std::size_t values = 0;  ///< at least as many as the text holds: each costs memory
  /// The text with U+FFFD for each half of a surrogate pair that stands alone in a \u escape;
  /// nullopt: there was none. No byte moves.
  std::optional<std::string> mended;
};
[[nodiscard]] Scan scan(std::string_view text);

}  // namespace posthorn::json
