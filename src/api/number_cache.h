#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "posthorn/base/time.h"

namespace posthorn::api {

/// Numbers that were found on WhatsApp, and how often we asked: asking is what gets accounts
/// noticed.
class NumberCache {
 public:
  static constexpr hours kKeep{24};
  static constexpr std::size_t kNumbers = 2048;
  static constexpr std::size_t kPerHour = 60;  ///< throttle policy section 9

  /// The chatId of a number that was found less than a day ago.
  [[nodiscard]] std::optional<std::string> find(const std::string& phone, Mono now) const;
  void found(const std::string& phone, const std::string& chat, Mono now);
  /// Counts one question to WhatsApp; false: the hour's share is used up.
  [[nodiscard]] bool may_ask(Mono now);

 private:
  struct Known {
    std::string chat;
    Mono at;
  };
  std::unordered_map<std::string, Known> known_;
  Mono hour_began_{};
  std::size_t asked_ = 0;
};

}  // namespace posthorn::api
