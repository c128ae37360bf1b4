#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/api/notifier.h"
#include "posthorn/api/ports.h"
#include "posthorn/base/clock.h"
#include "posthorn/queue/ring_file.h"

namespace posthorn::daemon {

/// The inbox ring between the notifier, which puts notifications in, and the two that take them
/// out: the long poll of the API and the webhook courier (never both at once, Green-API's rule).
/// Keeps the next few bodies in memory, so that the head is there when a poll asks for it.
class Inbox final : public api::InboxPort {
 public:
  /// keep: a notification nobody fetched is dropped after that; one that came while the box did not
  /// know the time stays until it is fetched or its room is needed.
  Inbox(queue::RingFile& ring, Scheduler& scheduler, const Clock& clock, hours keep);
  /// Answers what still waits with Errc::cancelled.
  ~Inbox();
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  /// Runs whenever there is a (new) head to be fetched.
  void on_head(std::function<void()> listener) { listener_ = std::move(listener); }
  /// Runs whenever a notification is on disk.
  void on_stored(std::function<void()> listener) { stored_listener_ = std::move(listener); }

  /// stored: it is on disk. A message's status waits up to kStatusDelay for others to share a sync
  /// with: "sent", "delivered" and "read" of several messages come close together. The order is
  /// kept: nothing overtakes what waits. A burst is handed to the ring a sixteenth of it at a time,
  /// so that what makes room is what the sender of the burst has there already.
  void append(api::InboxItem item, Once<void(Result<void>)> stored);
  static constexpr milliseconds kStatusDelay{50};

  [[nodiscard]] std::optional<Head> head() override { return head(0); }
  /// The one so many behind the head, of the few that are in memory.
  [[nodiscard]] std::optional<Head> head(std::size_t ahead);
  [[nodiscard]] std::size_t count() const override;
  void remove(std::uint32_t receipt_id, Once<void(Result<bool>)> done) override;
  void clear(Once<void(Result<void>)> done) override;

 private:
  struct Loaded {
    queue::Sequence sequence = 0;
    std::string body;
  };
  struct Waiting {
    api::InboxItem item;
    Once<void(Result<void>)> stored;
  };
  void write_statuses();
  void write_waiting();
  void on_written(std::size_t bytes);
  void load();
  void expire();

  queue::RingFile& ring_;
  const Clock& clock_;
  hours keep_;
  std::function<void()> listener_;
  std::function<void()> stored_listener_;
  std::deque<Loaded> loaded_;
  bool loading_ = false;
  Timer expiry_;
  std::vector<Waiting> statuses_;  ///< oldest first
  std::deque<Waiting> to_write_;   ///< oldest first
  std::size_t unwritten_ = 0;      ///< bytes that the ring has and has not answered for
  Timer status_timer_;
  /// Shared with answers of the ring that may come when the inbox is gone.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace posthorn::daemon
