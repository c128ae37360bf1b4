#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "posthorn/base/time.h"

namespace posthorn::api {

/// Numbers that were found on WhatsApp: asking again is what gets accounts noticed. How often may
/// be asked is the throttle's business (People::check_numbers answers busy).
class NumberCache {
 public:
  static constexpr hours kKeep{24};
  static constexpr std::size_t kNumbers = 2048;

  /// The chatId of a number that was found less than a day ago.
  [[nodiscard]] std::optional<std::string> find(const std::string& phone, Mono now) const;
  void found(const std::string& phone, const std::string& chat, Mono now);

 private:
  struct Known {
    std::string chat;
    Mono at;
  };
  std::unordered_map<std::string, Known> known_;
};

}  // namespace posthorn::api
