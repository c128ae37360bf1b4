#pragma once

#include <span>
#include <string_view>

namespace posthorn::throttle {

enum class Wish : unsigned char { none, stop, start };

/// What a customer asks for with a message that consists only of a stop or start word, and what we
/// answer once to a stop. `confirmation` is empty unless wish is stop.
struct Request {
  Wish wish = Wish::none;
  std::string_view confirmation;
};
[[nodiscard]] Request parse_request(std::string_view text);

/// One row per word; the confirmation is in the word's language.
struct StopWord {
  std::string_view word;  ///< as normalize_text() leaves it
  std::string_view confirmation;
};
[[nodiscard]] std::span<const StopWord> stop_words();
[[nodiscard]] std::span<const std::string_view> start_words();

/// Whether a job's text is one of our confirmations.
[[nodiscard]] bool is_confirmation(std::string_view text);

}  // namespace posthorn::throttle
