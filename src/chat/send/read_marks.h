#pragma once

#include <optional>
#include <string>
#include <vector>

#include "chat/lane/context.h"
#include "chat/lane/lane.h"
#include "chat/send/read_receipt.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/chat/read_marks.h"

namespace posthorn::chat {

/// Says that messages were read. Source: chapters 06 section 7.2, 12 section 4.2.
class ReadMarker final : public ReadMarks {
 public:
  ReadMarker(const MessageContext& context, ReceiveLane& lane) : context_(context), lane_(lane) {}

  void mark(const std::string& chat, const std::string& message_id,
            Once<void(Result<std::size_t>)> done) override;
  /// The account's privacy settings have changed.
  void forget_privacy() { asked_ = false; }
  /// Another account is linked.
  void forget_account() {
    asked_ = false;
    read_to_ = ReadTo::own_devices;
  }

 private:
  using Rows = std::vector<store::MessageStore::Received>;
  [[nodiscard]] Result<Rows> rows_of(const wire::Jid& chat, const std::string& message_id);
  void on_rows(const wire::Jid& chat, Rows rows, Once<void(Result<std::size_t>)> done);
  Result<std::size_t> write(const wire::Jid& chat, const Rows& rows, ReadTo to);
  /// done: nullopt when message handling has ended meanwhile.
  void ask_privacy(Once<void(std::optional<ReadTo>)> done);

  const MessageContext& context_;
  ReceiveLane& lane_;
  bool asked_ = false;  ///< read_to_ is what the server says now
  ReadTo read_to_ = ReadTo::own_devices;
};

/// <iq> for the account's privacy settings, and what they say about read receipts; nullopt:
/// nothing, or the server could not read it.
[[nodiscard]] wire::Node build_privacy_query();
[[nodiscard]] std::optional<ReadTo> parse_read_privacy(const wire::Node& iq);

}  // namespace posthorn::chat
