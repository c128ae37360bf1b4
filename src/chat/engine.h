#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "chat/lane/context.h"
#include "chat/lane/lane.h"
#include "chat/lane/staged_keys.h"
#include "chat/people/bundles_fetch.h"
#include "chat/people/devices.h"
#include "chat/people/names.h"
#include "chat/people/numbers.h"
#include "chat/people/tokens.h"
#include "chat/receive/message.h"
#include "chat/receive/notices.h"
#include "chat/receive/receipts.h"
#include "chat/receive/retry_request.h"
#include "chat/send/flow.h"
#include "chat/send/read_marks.h"
#include "chat/send/resend.h"

namespace posthorn::chat {

/// The parts of message handling and how they hang together; see Chat for what each call does.
class MessageEngine {
 public:
  MessageEngine(session::Line& line, const EventSink& sink, Scheduler& scheduler,
                const Clock& clock, Random& random, store::Store& store,
                std::unique_ptr<store::MessageStore> messages);
  ~MessageEngine();

  void on_message(wire::Node stanza);
  void on_receipt(wire::Node stanza);
  void on_notification(wire::Node stanza, Once<void()> handled);
  void on_online();
  void on_offline();
  void on_logged_out();
  void known_recent(std::span<const std::string> ids) { lane_.known_recent(ids); }
  [[nodiscard]] std::size_t unfinished() const { return lane_.unfinished() + open_receipts_; }

  void send(const Job& job, Once<void(throttle::SendOutcome)> done);
  void show_typing(const std::string& chat, bool on);
  void check_numbers(std::vector<std::string> phones,
                     Once<void(Result<std::vector<NumberStatus>>)> done) {
    numbers_.check(std::move(phones), std::move(done));
  }
  void mark_read(const std::string& chat, const std::string& message_id,
                 Once<void(Result<std::size_t>)> done) {
    reader_.mark(chat, message_id, std::move(done));
  }

 private:
  Result<LaneWork> take_message(const wire::Node& stanza, bool batch_open);
  void ask_again(LaneWork& work, Reception& reception);
  void show_given_up(const wire::Node& stanza);
  [[nodiscard]] Result<Message> undecryptable(const wire::Node& stanza);
  Result<LaneWork> take_receipt(const wire::Node& stanza);
  struct ToldReceipt;
  Result<void> take_status(const IncomingReceipt& receipt, wire::Node ack);
  void tell(Receipt event, store::MessageStore::Sent::Status status,
            const std::shared_ptr<ToldReceipt>& told);
  void finish(ToldReceipt& told);
  Result<void> take_own_read(const IncomingReceipt& receipt, LaneWork& work);
  void answer_retry(const wire::Node& stanza);
  Result<void> write_reception(const Reception& reception);

  std::unique_ptr<store::MessageStore> messages_;
  Names names_;
  MessageContext context_;
  StagedKeys keys_;
  signal::Protocol protocol_;
  ReceiveLane lane_;
  Receiver receiver_;
  RetryRequests retries_;
  Devices devices_;
  SessionBuilder sessions_;
  Tokens tokens_;
  Resends resends_;
  Numbers numbers_;
  ReadMarker reader_;
  Notices notices_;
  std::weak_ptr<SendFlow> sending_;
  bool send_open_ = false;
  std::size_t open_receipts_ = 0;  ///< told, not stored yet
  /// Shared with callbacks that may come after the engine is gone.
  std::shared_ptr<MessageEngine*> self_ = std::make_shared<MessageEngine*>(this);
};

}  // namespace posthorn::chat
