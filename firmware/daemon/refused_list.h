#pragma once

#include <memory>
#include <vector>

#include "daemon/inbox.h"
#include "posthorn/base/alive.h"
#include "posthorn/base/blob_store.h"
#include "posthorn/base/clock.h"
#include "posthorn/base/json.h"
#include "posthorn/webhooks/courier.h"

namespace posthorn::daemon {

/// Notifications that the webhook's receiver does not take for what is in them: out of the queue's
/// way, and kept until somebody has looked. At most kKept of them and kKeptBytes of text, the
/// oldest go first. Kept as the blob "webhook/refused", read when it is asked for.
class RefusedList {
 public:
  static constexpr std::size_t kKept = 50;
  static constexpr std::size_t kKeptBytes = std::size_t{512} << 10;

  RefusedList(BlobStore& blobs, const Clock& clock) : blobs_(blobs), clock_(clock) {}

  /// done: it is on disk. Errors: io.
  void add(const webhooks::Mailbox::Head& head, const webhooks::Mailbox::Refusal& refusal,
           Once<void(Result<void>)> done);

  /// {"total": how many there ever were, "notifications": [{"receiptId", "refusedAt" (unix
  /// seconds), "status", "answer", "times", "body"}, …]}, oldest first; "body" is the notification
  /// itself.
  [[nodiscard]] Result<json::Value> list() const;
  /// Puts them behind what waits in the inbox, and takes off the list those that are on disk there:
  /// not what is added meanwhile. done: how many, when all of it is on disk. Errors: busy (the one
  /// before is under way); as Inbox::append (those that it refused stay listed); io.
  void retry(Inbox& inbox, Once<void(Result<std::size_t>)> done);
  /// done: it is on disk.
  void clear(Once<void(Result<void>)> done);

 private:
  using Head = webhooks::Mailbox::Head;
  struct Retry;

  /// As it is stored: the same as list(), the bodies as text.
  [[nodiscard]] Result<json::Value> load() const;
  void save(const json::Value& all, Once<void(Result<void>)> done);
  [[nodiscard]] Result<std::vector<Head>> heads() const;
  void remove(const std::vector<Head>& heads, Once<void(Result<void>)> done);
  void finish(const std::shared_ptr<Retry>& retry);

  BlobStore& blobs_;
  const Clock& clock_;
  bool retrying_ = false;
  Alive<RefusedList> alive_{this};
};

}  // namespace posthorn::daemon
