#pragma once

#include <string>
#include <vector>

#include "posthorn/base/once.h"
#include "posthorn/base/result.h"

namespace posthorn::chat {

/// Answers of one number check.
struct NumberStatus {
  std::string phone;  ///< as asked, digits
  bool exists = false;
  std::string
      chat;  ///< Green-API chatId that WhatsApp knows it under; empty when it does not exist
};

/// Who is on WhatsApp.
class People {
 public:
  virtual ~People() = default;

  /// phones: digits, at most 50. done: in the same order. Answers are remembered, yes for a day and
  /// no for an hour, since asking for the same numbers again and again is what bulk senders do.
  /// Errors: malformed (not digits, too many), disconnected, timeout, busy (asked too often).
  virtual void check_numbers(std::vector<std::string> phones,
                             Once<void(Result<std::vector<NumberStatus>>)> done) = 0;
};

}  // namespace posthorn::chat
