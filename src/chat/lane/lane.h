#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "chat/lane/context.h"
#include "chat/lane/staged_keys.h"
#include "posthorn/base/function.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/chat/events.h"

namespace posthorn::chat {

/// What one received stanza leads to.
struct LaneWork {
  bool after_commit = false;  ///< not now: come again when the open batch is committed
  std::vector<Event> events;
  std::string message_id;          ///< of the message that they are about; empty: none
  Function<Result<void>()> write;  ///< runs inside the batch's transaction
  Task afterwards;                 ///< runs when all of it is on disk: receipts, acks
};

/// The inbound lane: stanzas are worked off in order, in batches. A batch is everything that waits.
/// For each stanza its keys change in memory and its event goes to the sink; when every event is
/// stored, keys and rows are written in one transaction; when that is on disk, receipts and acks
/// leave in order. So a crash anywhere either leaves no trace, or a notification whose message the
/// server delivers again and which is then recognised by its id.
///
/// Everything else that changes keys runs in here as well, between batches: exclusive().
class ReceiveLane {
 public:
  /// batch_open: keys of earlier stanzas are not committed yet. Errors: io and the like.
  using Work = Function<Result<LaneWork>(bool batch_open)>;

  /// rolled_back: a transaction has failed, so what was remembered of its rows is to be forgotten.
  ReceiveLane(const MessageContext& context, StagedKeys& keys, std::function<void()> rolled_back);
  ~ReceiveLane();

  /// handled (may be empty) runs when the stanza's effect is on disk, and also when it is given up.
  void push(Work work, Once<void()> handled = {});
  /// The connection is gone: what has not begun is forgotten, the open batch is finished.
  void forget_waiting();
  /// These messages have their notification already.
  void known_recent(std::span<const std::string> ids);

  /// Stanzas that are not finished yet.
  [[nodiscard]] std::size_t unfinished() const { return waiting_.size() + batch_.size; }

  /// Runs `work` in a transaction while no batch is open, commits, and says how it went. `work` may
  /// change keys and rows. Written with the next commit that goes by itself: call Store::leave()
  /// before a stanza leaves that was encrypted in it, Store::durable() where it must last.
  void exclusive(Function<Result<void>()> work, Once<void(Result<void>)> done);

 private:
  struct Waiting {
    Work work;
    Once<void()> handled;
  };
  struct Exclusive {
    Function<Result<void>()> work;
    Once<void(Result<void>)> done;
  };
  struct Batch {
    std::vector<Function<Result<void>()>> writes;
    std::vector<Task> afterwards;
    std::vector<Once<void()>> handled;
    std::vector<std::string> stored_ids;  ///< notified, not committed
    std::size_t open_events = 0;
    std::size_t size = 0;
    std::optional<Error> error;
  };

  void schedule();
  void run();
  bool take_next();
  void add(LaneWork work, Once<void()> handled);
  void emit(Event event, std::string message_id);
  void on_stored(std::uint64_t batch_number, const std::string& id, Result<void> result);
  void close_if_stored();
  Result<void> commit();
  void give_up(Error why);
  void finish_durably(Batch batch, bool wrote);
  void run_exclusives();
  void run_one(Exclusive exclusive);

  const MessageContext& context_;
  StagedKeys& keys_;
  std::function<void()> rolled_back_;
  std::deque<Waiting> waiting_;
  std::deque<Exclusive> exclusives_;
  Batch batch_;
  bool open_ = false;  ///< batch_ waits for its events
  bool collecting_ = false;
  bool scheduled_ = false;
  std::uint64_t batch_number_ = 0;
  std::size_t durables_ = 0;  ///< batches that wait for the disk
  std::set<std::string> notified_;
  /// Shared with callbacks that may come after the lane is gone.
  std::shared_ptr<ReceiveLane*> self_;
};

}  // namespace posthorn::chat
