#pragma once

#include <string>

namespace posthorn::chat {

/// Answers of one number check.
struct NumberStatus {
  std::string phone;  ///< as asked, digits
  bool exists = false;
  std::string
      chat;  ///< Green-API chatId that WhatsApp knows it under; empty when it does not exist
};

}  // namespace posthorn::chat
