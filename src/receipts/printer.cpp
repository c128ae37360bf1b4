#include "receipts/printer.h"

#include <utility>

#include "posthorn/base/log.h"
#include "receipts/passage.h"

namespace posthorn::receipts {

Printer::Printer(PrinterSettings settings, Outside outside)
    : settings_(std::move(settings)), outside_(std::move(outside)) {
  if (settings_.language == "star") status_.language = Language::star;
}

Printer::~Printer() { stop(); }

void Printer::stop() {
  waiting_timer_.stop();
  drawer_timer_.stop();
  waiting_.clear();
  passage_.reset();
}

void Printer::accept(std::unique_ptr<Stream> till) {
  ++status_.connections;
  if (!passage_) return begin(std::move(till));
  if (waiting_.size() >= kMostWaiting) {
    ++status_.refused;
    till->reset();
    return;
  }
  waiting_.push_back({std::move(till), outside_.scheduler.now() + kWait});
  arm_waiting();
  passage_->make_way();
}

void Printer::begin(std::unique_ptr<Stream> till) {
  passage_ = std::make_unique<Passage>(*this, std::move(till));
  passage_->start();
}

void Printer::arm_waiting() {
  if (waiting_.empty()) return waiting_timer_.stop();
  waiting_timer_.start_at(waiting_.front().until, [this] {
    const Mono now = outside_.scheduler.now();
    while (!waiting_.empty() && waiting_.front().until <= now) {
      ++status_.refused;
      waiting_.front().till->reset();
      waiting_.pop_front();
    }
    arm_waiting();
  });
}

/// The passage calls from inside its own callback, so it goes in a later turn.
void Printer::on_over() {
  outside_.scheduler.post(alive_.bind([this] { next(); }));
}

void Printer::next() {
  passage_.reset();
  if (waiting_.empty()) return;
  std::unique_ptr<Stream> till = std::move(waiting_.front().till);
  waiting_.pop_front();
  arm_waiting();
  begin(std::move(till));
}

void Printer::on_unreachable(const Error& why) {
  status_.trouble = to_string(why);
  log::warn("receipts", "the printer cannot be reached; the till is told",
            {{"printer", settings_.name},
             {"error", why},
             {"what_to_do", "Is it on, and is its address in posthorn.toml right?"}});
}

void Printer::take_from(Tap& tap) {
  if (tap.is_sure()) status_.language = tap.language();
  for (TappedJob& job : tap.take_jobs()) {
    ++status_.jobs;
    on_sale();
    outside_.on_job(std::move(job));
  }
  if (tap.take_lone_pulse()) on_lone_pulse();
}

void Printer::on_sale() {
  last_sale_ = outside_.scheduler.now();
  pulse_waits_ = false;
  drawer_timer_.stop();
}

/// Tills open the drawer in a job of its own, before or after the sale's.
void Printer::on_lone_pulse() {
  const Mono now = outside_.scheduler.now();
  if (last_sale_ && now - *last_sale_ < kDrawerGrace) return;
  if (std::exchange(pulse_waits_, true)) return;
  drawer_timer_.start(kDrawerGrace, [this] {
    pulse_waits_ = false;
    outside_.on_drawer();
  });
}

Printer::Status Printer::status() const {
  Status out = status_;
  out.busy = passage_ != nullptr;
  out.waiting = waiting_.size();
  return out;
}

}  // namespace posthorn::receipts
