#pragma once

#include "daemon/inbox.h"
#include "daemon/refused_list.h"
#include "posthorn/webhooks/courier.h"

namespace posthorn::daemon {

/// The inbox for the courier. Both outlive it.
class InboxMailbox final : public webhooks::Mailbox {
 public:
  InboxMailbox(Inbox& inbox, RefusedList& refused) : inbox_(inbox), refused_(refused) {}

  [[nodiscard]] std::optional<Head> head(std::size_t ahead) override;
  void remove(std::uint32_t receipt_id, Once<void(Result<bool>)> done) override;
  void set_aside(const Head& head, const Refusal& refusal, Once<void(Result<bool>)> done) override;

 private:
  Inbox& inbox_;
  RefusedList& refused_;
};

}  // namespace posthorn::daemon
