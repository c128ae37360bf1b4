#pragma once

#include <algorithm>
#include <memory>
#include <utility>

#include "posthorn/base/alive.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/base/stream.h"

namespace posthorn::receipts {

/// A till inside of the box: one job that came another way than over TCP. It says its bytes and
/// closes as any till does; what the printer answers goes nowhere.
class LocalTill final : public Stream {
 public:
  /// done: the printer has taken everything; disconnected: it has not, and nobody knows how much.
  LocalTill(Scheduler& scheduler, Bytes job, Once<void(Result<void>)> done)
      : scheduler_(scheduler), job_(std::move(job)), done_(std::move(done)) {}
  LocalTill(const LocalTill&) = delete;
  LocalTill& operator=(const LocalTill&) = delete;
  ~LocalTill() override { reset(); }

  void start(Handler& handler) override {
    handler_ = &handler;
    go_on();
  }
  void write(Bytes) override {}
  [[nodiscard]] std::size_t unsent() const override { return 0; }
  void pause_reading(bool paused) override {
    paused_ = paused;
    if (!paused) go_on();
  }
  void close() override { answer({}); }
  void reset() override {
    answer(fail(Errc::disconnected, "the printer did not take it, or is busy"));
  }

 private:
  static constexpr std::size_t kPiece = 16384;

  void go_on() {
    scheduler_.post(alive_.bind([this] { say(); }));
  }
  void say() {
    if (handler_ == nullptr || paused_) return;
    if (said_ < job_.size()) {
      const ByteView piece = ByteView(job_).subspan(said_, std::min(kPiece, job_.size() - said_));
      said_ += piece.size();
      go_on();
      return handler_->on_data(piece);
    }
    (void)std::exchange(handler_, nullptr)->on_end();
  }
  void answer(Result<void> result) {
    handler_ = nullptr;
    if (done_) done_(std::move(result));
  }

  Scheduler& scheduler_;
  Bytes job_;
  std::size_t said_ = 0;
  bool paused_ = false;
  Handler* handler_ = nullptr;
  Once<void(Result<void>)> done_;
  Alive<LocalTill> alive_{this};
};

}  // namespace posthorn::receipts
