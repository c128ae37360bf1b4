#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "chat/lane/context.h"
#include "chat/receive/message.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/signal/protocol.h"

namespace posthorn::chat {

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
  /// What a message that nobody sends again is shown as.
  using GivenUp = Function<void(const wire::Node& stanza)>;

  /// All outlive this. given_up: the message was asked for and did not come for ten minutes; it may
  /// still come later.
  RetryRequests(const MessageContext& context, signal::Protocol& protocol, GivenUp given_up);
  ~RetryRequests();

  /// The number of the next request for that message (1 ..), nullopt: it is given up.
  /// key: seen_key_of. resend_count: of the <enc> that failed now.
  [[nodiscard]] std::optional<std::uint32_t> next_count(std::uint64_t key,
                                                        std::optional<std::uint32_t> resend_count);
  /// Writes request and ack, now or when the pace allows.
  void ask(FailedMessage failed, std::uint64_t key, std::uint32_t count);
  /// The message has arrived.
  void forget(std::uint64_t key);
  /// It has been shown as given up; it may still not be asked for more often.
  void stop_awaiting(std::uint64_t key) { awaited_.erase(key); }
  /// The connection is gone: the server will deliver what was not acked.
  void forget_waiting();

 private:
  struct Entry {
    FailedMessage failed;
    std::uint64_t key = 0;
    std::uint32_t count = 1;
  };
  /// A message that was asked for.
  struct Awaited {
    wire::Node stanza;  ///< without its content
    Mono until;
  };
  void pump();
  void write(const Entry& entry);
  void await(const Entry& entry);
  void look_at_awaited();
  [[nodiscard]] Result<RetryKeys> fresh_keys();

  const MessageContext& context_;
  signal::Protocol& protocol_;
  GivenUp given_up_;
  std::map<std::uint64_t, Awaited> awaited_;
  std::map<std::uint64_t, std::uint32_t> counts_;
  std::deque<std::uint64_t> oldest_first_;
  std::deque<Entry> waiting_;
  Timer timer_;
  Timer patience_;
  std::shared_ptr<RetryRequests*> self_;  ///< shared with a callback that may come after us
};

}  // namespace posthorn::chat
