#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "posthorn/base/scheduler.h"
#include "posthorn/signal/protocol.h"
#include "session/messages_context.h"
#include "session/receive_message.h"

namespace posthorn::session {

/// Our keys as a retry receipt carries them, so that the sender can build a new session.
struct RetryKeys {
  signal::PublicKey identity{};
  signal::PreKey one_time;
  signal::SignedPreKey signed_prekey;
  Bytes device_identity;
};

/// <receipt type="retry">. Source: chapter 06 section 8.1.
[[nodiscard]] wire::Node build_retry_request(const wire::Node& failed, std::uint32_t count,
                                             int reason, std::uint32_t registration_id,
                                             const std::optional<RetryKeys>& keys);

/// Asks senders for messages again that we could not read: up to four times each, five a second.
class RetryRequests {
 public:
  /// Both outlive this.
  RetryRequests(const MessageContext& context, signal::Protocol& protocol);
  ~RetryRequests();

  /// The number of the next request for that message (1 ..), nullopt: it is given up.
  /// key: seen_key_of. resend_count: of the <enc> that failed now.
  [[nodiscard]] std::optional<std::uint32_t> next_count(std::uint64_t key,
                                                        std::optional<std::uint32_t> resend_count);
  /// Writes request and ack, now or when the pace allows.
  void ask(FailedMessage failed, std::uint64_t key, std::uint32_t count);
  /// The message has arrived.
  void forget(std::uint64_t key);
  /// The connection is gone: the server will deliver what was not acked.
  void forget_waiting();

 private:
  struct Entry {
    FailedMessage failed;
    std::uint64_t key = 0;
    std::uint32_t count = 1;
  };
  void pump();
  void write(const Entry& entry);
  [[nodiscard]] Result<RetryKeys> fresh_keys();

  const MessageContext& context_;
  signal::Protocol& protocol_;
  std::map<std::uint64_t, std::uint32_t> counts_;
  std::deque<std::uint64_t> oldest_first_;
  std::deque<Entry> waiting_;
  Timer timer_;
  std::shared_ptr<RetryRequests*> self_;  ///< shared with a callback that may come after us
};

}  // namespace posthorn::session
