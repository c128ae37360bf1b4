#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "posthorn/base/random.h"
#include "posthorn/base/time.h"

namespace posthorn::receipts {

/// What a customer sends for a receipt: "R-" and 5 characters of an alphabet without look-alikes.
/// 32^5: with 2000 open, one guess in 16,000 hits.
[[nodiscard]] std::string make_token(Random& random);

/// The token in a customer's message, as it was made: small letters, blanks and a missing "-" are
/// forgiven. nullopt: the message is something else.
[[nodiscard]] std::optional<std::string> parse_token(std::string_view message);

/// Slows down whoever guesses: after a few wrong ones nothing of that chat is looked at for a
/// while; after many wrong ones of all, nobody new is answered with more than silence.
class Guesses {
 public:
  static constexpr std::size_t kWrong = 5;       ///< of a chat, an hour
  static constexpr std::size_t kAllWrong = 200;  ///< of all chats, an hour

  /// May a token of that chat be looked at?
  [[nodiscard]] bool allows(const std::string& chat, Mono now);
  /// True: the first wrong one of that hour, which may be answered.
  bool on_wrong(const std::string& chat, Mono now);

 private:
  struct Count {
    Mono since;
    std::size_t wrong = 0;
  };
  void forget(Mono now);

  static constexpr std::size_t kMostChats = 1000;
  std::map<std::string, Count> chats_;
  Count all_;
};

}  // namespace posthorn::receipts
