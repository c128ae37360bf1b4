#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <utility>
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

  /// Whose receiver refused it: the till's webhook, or the callback of the Cloud API's form.
  static constexpr const char* kTill = "webhook";
  static constexpr const char* kCloud = "cloud";

  /// done: it is on disk. Errors: io.
  void add(const webhooks::Mailbox::Head& head, const webhooks::Mailbox::Refusal& refusal,
           Once<void(Result<void>)> done, const char* receiver = kTill);

  /// {"total": how many there ever were, "notifications": [{"receiptId", "receiver", "refusedAt"
  /// (unix seconds), "status", "answer", "times", "body"}, …]}, oldest first; "body" is the
  /// notification itself.
  [[nodiscard]] Result<json::Value> list() const;
  /// How many of that receiver are listed. Errors: io.
  [[nodiscard]] Result<std::size_t> count(std::string_view receiver) const;
  /// Puts the till's behind what waits in the inbox, and takes off the list those that are on disk
  /// there: not what is added meanwhile. Those of the Cloud API's form go to `to_cloud` and stay
  /// listed until remove(). done: how many of both are on their way, when the till's are on disk.
  /// Errors: busy (the one before is under way); as Inbox::append (those that it refused stay
  /// listed); io.
  void retry(Inbox& inbox, Once<void(Result<std::size_t>)> done);
  /// Returns how many of them it has taken up.
  using ToCloud = std::function<std::size_t(const std::vector<webhooks::Mailbox::Head>& heads)>;
  void on_retry(ToCloud to_cloud) { to_cloud_ = std::move(to_cloud); }
  /// Has been taken after all. done: it is on disk.
  void remove(const std::vector<webhooks::Mailbox::Head>& heads, Once<void(Result<void>)> done);
  /// done: it is on disk.
  void clear(Once<void(Result<void>)> done);

 private:
  using Head = webhooks::Mailbox::Head;
  struct Retry;

  /// As it is stored: the same as list(), the bodies as text.
  [[nodiscard]] Result<json::Value> load() const;
  void save(const json::Value& all, Once<void(Result<void>)> done);
  [[nodiscard]] Result<std::vector<Head>> heads(std::string_view receiver) const;
  void finish(const std::shared_ptr<Retry>& retry);

  BlobStore& blobs_;
  const Clock& clock_;
  ToCloud to_cloud_;
  bool retrying_ = false;
  Alive<RefusedList> alive_{this};
};

}  // namespace posthorn::daemon
