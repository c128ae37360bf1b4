#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/api/notifier.h"
#include "posthorn/api/ports.h"
#include "posthorn/base/clock.h"
#include "posthorn/queue/ring_file.h"
#include "posthorn/webhooks/courier.h"

namespace posthorn::daemon {

/// The inbox ring between the notifier, which puts notifications in, and the two that take them
/// out: the long poll of the API and the webhook courier (never both at once, Green-API's rule).
/// Keeps the next few bodies in memory, so that the head is there when a poll asks for it.
class Inbox final : public api::InboxPort {
 public:
  /// keep: a notification nobody fetched is dropped after that.
  Inbox(queue::RingFile& ring, Scheduler& scheduler, const Clock& clock, hours keep);
  /// Answers what still waits with Errc::cancelled.
  ~Inbox();
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  /// Runs whenever there is a (new) head to be fetched.
  void on_head(std::function<void()> listener) { listener_ = std::move(listener); }

  /// stored: it is on disk. A message's status waits up to kStatusDelay for others to share a sync
  /// with: "sent", "delivered" and "read" of several messages come close together. The order is
  /// kept: nothing overtakes what waits.
  void append(std::string body, api::NotificationKind kind, Once<void(Result<void>)> stored);
  static constexpr milliseconds kStatusDelay{50};

  [[nodiscard]] std::optional<Head> head() override;
  [[nodiscard]] std::size_t count() const override;
  void remove(std::uint32_t receipt_id, Once<void(Result<bool>)> done) override;
  void clear(Once<void(Result<void>)> done) override;

 private:
  struct Loaded {
    queue::Sequence sequence = 0;
    std::string body;
  };
  struct Waiting {
    std::string body;
    Once<void(Result<void>)> stored;
  };
  void write(std::string body, queue::Worth worth, Once<void(Result<void>)> stored);
  void write_statuses();
  void load();
  void expire();

  queue::RingFile& ring_;
  const Clock& clock_;
  hours keep_;
  std::function<void()> listener_;
  std::deque<Loaded> loaded_;
  bool loading_ = false;
  Timer expiry_;
  std::vector<Waiting> statuses_;  ///< oldest first
  Timer status_timer_;
};

/// The same head for the courier.
class InboxMailbox final : public webhooks::Mailbox {
 public:
  explicit InboxMailbox(Inbox& inbox) : inbox_(inbox) {}
  [[nodiscard]] std::optional<Head> head() override;
  void remove(std::uint32_t receipt_id, Once<void(Result<bool>)> done) override;

 private:
  Inbox& inbox_;
};

}  // namespace posthorn::daemon
