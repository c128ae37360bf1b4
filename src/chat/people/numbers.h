#pragma once

#include <map>
#include <string>
#include <vector>

#include "chat/lane/context.h"
#include "chat/lane/lane.h"
#include "chat/people/usync.h"
#include "chat/people/usync_pause.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/chat/people.h"

namespace posthorn::chat {

/// Asks which phone numbers are on WhatsApp. Source: chapter 09 section 3.
class Numbers final : public People {
 public:
  Numbers(const MessageContext& context, ReceiveLane& lane) : context_(context), lane_(lane) {}

  void check_numbers(std::vector<std::string> phones,
                     Once<void(Result<std::vector<NumberStatus>>)> done) override;
  /// One number, whatever was answered before: what it led to is not there any more.
  void check_anew(const std::string& phone, Once<void(Result<std::vector<NumberStatus>>)> done) {
    known_.erase(phone);
    check_numbers({phone}, std::move(done));
  }
  void forget_all() { known_.clear(); }

 private:
  struct Known {
    NumberStatus status;
    Mono until;
  };
  Result<std::vector<UsyncUser>> read_answer(const Result<wire::Node>& reply);
  [[nodiscard]] const NumberStatus* find(const std::string& phone);
  Result<NumberStatus> take(const std::string& phone, const std::vector<UsyncUser>& answer);
  Result<void> take_all(const std::vector<std::string>& phones,
                        const std::vector<UsyncUser>& answer);
  [[nodiscard]] std::vector<NumberStatus> collect(const std::vector<std::string>& phones);

  const MessageContext& context_;
  ReceiveLane& lane_;
  std::map<std::string, Known> known_;
  UsyncPause pause_;
};

}  // namespace posthorn::chat
