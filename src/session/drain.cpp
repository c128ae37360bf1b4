#include "session/drain.h"

#include "posthorn/base/log.h"

namespace posthorn::session {

OfflineDrain::OfflineDrain(Scheduler& scheduler, Function<void(int)> ask,
                           Function<void(std::uint64_t)> finished)
    : ask_(std::move(ask)),
      finished_(std::move(finished)),
      watchdog_(scheduler),
      again_(scheduler) {}

void OfflineDrain::start() {
  stop();
  state_ = State::waiting;
  announced_ = 0;
  received_ = 0;
  asked_for_ = 0;
  watchdog_.start(kNoPreview, [this] { finish(); });
}

void OfflineDrain::stop() {
  state_ = State::stopped;
  watchdog_.stop();
  again_.stop();
}

void OfflineDrain::on_preview(const wire::Node& preview) {
  if (state_ == State::stopped) return;
  const auto count = preview.int_attr("count").value_or(0);
  if (count <= 0) return;  // the end marker follows
  announced_ = static_cast<std::uint64_t>(count);
  state_ = State::draining;
  log::info("session", "backlog announced", {{"stanzas", announced_}});
  watchdog_.start(kSilence, [this] { finish(); });
  ask();
}

void OfflineDrain::on_backlog_stanza() {
  if (state_ == State::stopped) return;
  ++received_;
  watchdog_.start(kSilence, [this] { finish(); });
  if (state_ == State::draining) wait_for_more();
}

void OfflineDrain::wait_for_more() {
  if (received_ >= announced_) return again_.stop();
  // The server sends a few stanzas unasked and then one batch per request, so the first stanza
  // after a request schedules the next one; enough requests for all are made early.
  const bool soon = ask_on_next_ && asked_for_ < announced_;
  if (!soon && asked_for_ < announced_ && again_.active()) return;
  ask_on_next_ = false;
  again_.start(soon ? kAskAgainAfter : kStalled, [this] { ask(); });
}

void OfflineDrain::on_end() {
  if (state_ == State::stopped) return;
  announced_ = received_;
  finish();
}

void OfflineDrain::ask() {
  ask_on_next_ = true;
  asked_for_ += kBatch;
  ask_(kBatch);
  if (state_ == State::draining) again_.start(kStalled, [this] { ask(); });
}

void OfflineDrain::finish() {
  const std::uint64_t missing = announced_ > received_ ? announced_ - received_ : 0;
  if (missing > 0)
    log::warn("session", "backlog cut off", {{"announced", announced_}, {"received", received_}});
  stop();
  finished_(missing);
}

}  // namespace posthorn::session
