#pragma once

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "posthorn/base/scheduler.h"
#include "posthorn/session/line.h"
#include "posthorn/session/listener.h"

namespace posthorn::session::core_test {

/// Whoever hears what is said over the line: keeps it, and works receipts off as slowly as a disk.
class FakeListener final : public Listener {
 public:
  static constexpr std::size_t kPerTurn = 8;

  FakeListener(Scheduler& scheduler, Line& line) : line_(line), timer_(scheduler) {}

  void on_message(wire::Node stanza) override { messages.push_back(std::move(stanza)); }
  void on_receipt(wire::Node stanza) override {
    waiting_.push_back(stanza.text_attr("id"));
    most_unfinished = std::max(most_unfinished, waiting_.size());
    if (!timer_.active()) timer_.start(milliseconds(1), [this] { work(); });
  }
  void on_notification(wire::Node stanza, Once<void()> handled) override {
    notifications.push_back(std::move(stanza));
    if (holds_news) return held.push_back(std::move(handled));
    handled();
  }
  void on_call(wire::Node stanza, Once<void()> handled) override {
    calls.push_back(std::move(stanza));
    handled();
  }
  void on_online() override { ++onlines; }
  void on_offline(const Error&) override { ++offlines; }
  void on_logged_out() override { ++logouts; }
  [[nodiscard]] std::size_t unfinished() const override { return waiting_.size(); }

  std::vector<wire::Node> messages, notifications, calls;
  std::size_t most_unfinished = 0;
  bool holds_news = false;  ///< notifications are not on disk before `held` is run
  std::vector<Once<void()>> held;
  int onlines = 0, offlines = 0, logouts = 0;

 private:
  void work() {
    for (std::size_t i = 0; i < kPerTurn && !waiting_.empty(); ++i) {
      line_.write(wire::Node("ack", {{"class", "receipt"}, {"id", waiting_.front()}}));
      waiting_.pop_front();
    }
    if (!waiting_.empty()) timer_.start(milliseconds(1), [this] { work(); });
  }

  Line& line_;
  Timer timer_;
  std::deque<std::string> waiting_;
};

}  // namespace posthorn::session::core_test
