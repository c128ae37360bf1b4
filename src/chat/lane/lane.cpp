#include "chat/lane/lane.h"

#include <utility>

#include "posthorn/base/log.h"

namespace posthorn::chat {
namespace {

/// Bounds the work of one turn of the loop and the memory of one batch.
constexpr std::size_t kBatchMax = 128;

}  // namespace

ReceiveLane::ReceiveLane(const MessageContext& context, StagedKeys& keys,
                         std::function<void()> rolled_back)
    : context_(context),
      keys_(keys),
      rolled_back_(std::move(rolled_back)),
      self_(std::make_shared<ReceiveLane*>(this)) {}

ReceiveLane::~ReceiveLane() {
  *self_ = nullptr;
  forget_waiting();
  for (auto& handled : batch_.handled) handled();
  for (auto& exclusive : exclusives_) {
    exclusive.done(fail(Errc::cancelled, "message handling has ended"));
  }
}

void ReceiveLane::push(Work work, Once<void()> handled) {
  waiting_.push_back({std::move(work), std::move(handled)});
  schedule();
}

void ReceiveLane::forget_waiting() {
  std::deque<Waiting> waiting = std::exchange(waiting_, {});
  for (auto& entry : waiting) {
    if (entry.handled) entry.handled();
  }
}

void ReceiveLane::known_recent(std::span<const std::string> ids) {
  notified_.insert(ids.begin(), ids.end());
}

void ReceiveLane::schedule() {
  if (scheduled_) return;
  scheduled_ = true;
  // In a later turn, so that everything one read from the socket brought becomes one batch.
  context_.scheduler.post([self = self_] {
    if (*self == nullptr) return;
    (*self)->scheduled_ = false;
    (*self)->run();
  });
}

void ReceiveLane::run() {
  if (open_ || waiting_.empty()) return;
  open_ = true;
  collecting_ = true;
  ++batch_number_;
  while (!waiting_.empty() && batch_.size < kBatchMax && take_next()) {
  }
  collecting_ = false;
  close_if_stored();
}

/// False: stop collecting here.
bool ReceiveLane::take_next() {
  Waiting next = std::move(waiting_.front());
  waiting_.pop_front();
  auto work = next.work(batch_.size > 0);
  if (!work) {
    batch_.error = work.error();
    if (next.handled) batch_.handled.push_back(std::move(next.handled));
    return false;
  }
  if (work->after_commit) {
    waiting_.push_front(std::move(next));
    return false;
  }
  add(std::move(*work), std::move(next.handled));
  return !batch_.error;
}

void ReceiveLane::add(LaneWork work, Once<void()> handled) {
  ++batch_.size;
  if (work.write) batch_.writes.push_back(std::move(work.write));
  if (work.afterwards) batch_.afterwards.push_back(std::move(work.afterwards));
  if (handled) batch_.handled.push_back(std::move(handled));
  if (work.events.empty()) return;
  // After a crash between the notification and our commit the server sends the message again.
  if (!work.message_id.empty() && notified_.contains(work.message_id)) {
    batch_.stored_ids.push_back(std::move(work.message_id));
    return;
  }
  for (Event& event : work.events) emit(std::move(event), work.message_id);
}

void ReceiveLane::emit(Event event, std::string message_id) {
  ++batch_.open_events;
  context_.sink(std::move(event), [self = self_, number = batch_number_,
                                   id = std::move(message_id)](Result<void> result) {
    if (*self != nullptr) (*self)->on_stored(number, id, std::move(result));
  });
}

void ReceiveLane::on_stored(std::uint64_t batch_number, const std::string& id,
                            Result<void> result) {
  if (batch_number != batch_number_) return;
  --batch_.open_events;
  if (!result) {
    if (!batch_.error) batch_.error = result.error();
  } else if (!id.empty()) {
    batch_.stored_ids.push_back(id);
  }
  close_if_stored();
}

void ReceiveLane::close_if_stored() {
  if (!open_ || collecting_ || batch_.open_events > 0) return;
  if (batch_.error) return give_up(std::move(*batch_.error));
  const bool wrote = !batch_.writes.empty() || !keys_.empty();
  if (wrote) {
    if (auto result = commit(); !result) return give_up(std::move(result.error()));
  }
  for (const std::string& id : batch_.stored_ids) notified_.erase(id);
  open_ = false;
  finish_durably(std::exchange(batch_, {}), wrote);
  run_exclusives();
  if (!waiting_.empty()) schedule();
}

Result<void> ReceiveLane::commit() {
  TRY(auto transaction, context_.store.begin());
  TRY(keys_.flush());
  for (auto& write : batch_.writes) {
    TRY(write());
  }
  TRY(transaction.commit());
  keys_.discard();
  return {};
}

void ReceiveLane::give_up(Error why) {
  log::error("messages", "received messages could not be stored", {{"why", why}});
  keys_.discard();
  rolled_back_();
  Batch batch = std::exchange(batch_, {});
  notified_.insert(batch.stored_ids.begin(), batch.stored_ids.end());
  if (auto reloaded = context_.messages.reload_seen(); !reloaded) {
    log::error("messages", "seen messages could not be read", {{"why", reloaded.error()}});
  }
  open_ = false;
  // The handled ones first: their acks go nowhere once the connection is dropped, and must not be
  // written while it still stands.
  context_.line.drop(std::move(why));
  for (auto& handled : batch.handled) handled();
  forget_waiting();
  run_exclusives();
}

void ReceiveLane::finish_durably(Batch batch, bool wrote) {
  const auto finish = [](Batch& done) {
    for (Task& task : done.afterwards) task();
    for (auto& handled : done.handled) handled();
  };
  if (!wrote && durables_ == 0) return finish(batch);
  ++durables_;
  context_.store.durable(
      [self = self_, finish, batch = std::move(batch)](Result<void> result) mutable {
        if (*self == nullptr) {
          for (auto& handled : batch.handled) handled();
          return;
        }
        --(*self)->durables_;
        if (result) return finish(batch);
        if (result.error().code != Errc::cancelled) (*self)->context_.line.drop(result.error());
        for (auto& handled : batch.handled) handled();
      });
}

void ReceiveLane::exclusive(Function<Result<void>()> work, Once<void(Result<void>)> done) {
  exclusives_.push_back({std::move(work), std::move(done)});
  if (!open_) run_exclusives();
}

void ReceiveLane::run_exclusives() {
  while (!open_ && !exclusives_.empty()) {
    Exclusive next = std::move(exclusives_.front());
    exclusives_.pop_front();
    run_one(std::move(next));
  }
}

void ReceiveLane::run_one(Exclusive exclusive) {
  const auto work = [&]() -> Result<void> {
    TRY(auto transaction, context_.store.begin(store::WrittenBy::the_next));
    TRY(exclusive.work());
    TRY(keys_.flush());
    return transaction.commit();
  };
  Result<void> result = work();
  keys_.discard();
  if (!result) rolled_back_();
  exclusive.done(std::move(result));
}

}  // namespace posthorn::chat
