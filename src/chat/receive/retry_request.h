#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chat/lane/context.h"
#include "chat/receive/message.h"
#include "posthorn/base/recent_map.h"
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

/// Asks senders for messages again that we could not read: up to four times each, five a second,
/// and 200 in an hour of one sender, since each request gives a key away.
class RetryRequests {
 public:
  /// Both outlive this.
  RetryRequests(const MessageContext& context, signal::Protocol& protocol);
  ~RetryRequests();

  /// False: this account has had its requests for this hour. A device of ours always may.
  [[nodiscard]] bool may_ask(const std::string& sender);
  /// The number of the next request for that message (1 ..), nullopt: it is given up.
  /// key: the first of seen_keys_of. resend_count: of the <enc> that failed now.
  [[nodiscard]] std::optional<std::uint32_t> next_count(std::uint64_t key,
                                                        std::optional<std::uint32_t> resend_count);
  /// Writes request and ack, now or when the pace allows. False: too many wait, and the server will
  /// deliver it again.
  [[nodiscard]] bool ask(FailedMessage failed, std::uint64_t key, std::uint32_t count);
  /// Whether one more may wait.
  [[nodiscard]] bool has_room() const;
  /// The message has arrived.
  void forget(std::uint64_t key);
  /// The connection is gone: the server will deliver what was not acked. Gives the keys of those.
  std::vector<std::uint64_t> forget_waiting();

 private:
  struct Entry {
    FailedMessage failed;
    std::uint64_t key = 0;
    std::uint32_t count = 1;
  };
  /// What one message was asked for with.
  struct Asked {
    std::uint32_t count = 0;
    std::optional<std::uint32_t> one_time;  ///< id of the key that went along
  };
  struct Hour {
    std::optional<Mono> since;
    std::uint32_t requests = 0;
  };
  void pump();
  void write(const Entry& entry);
  [[nodiscard]] Result<RetryKeys> fresh_keys(std::uint64_t key);

  const MessageContext& context_;
  signal::Protocol& protocol_;
  std::map<std::uint64_t, Asked> asked_;
  std::deque<std::uint64_t> oldest_first_;
  RecentMap<std::string, Hour> hours_{1000};  ///< by account
  std::deque<Entry> waiting_;
  Timer timer_;
  std::shared_ptr<RetryRequests*> self_;  ///< shared with a callback that may come after us
};

}  // namespace posthorn::chat
