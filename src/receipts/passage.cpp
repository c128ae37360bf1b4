#include "receipts/passage.h"

#include <utility>

#include "posthorn/base/guard.h"

namespace posthorn::receipts {

namespace {

/// A printer takes some 20 KB a second: what it has not taken waits at the till.
constexpr std::size_t kMostUnsent = 256U << 10;
constexpr std::size_t kResumeAt = 64U << 10;
constexpr milliseconds kFlowCheck{5};
constexpr milliseconds kDrainCheck{20};
/// After its last byte a printer may still have something to say.
constexpr milliseconds kLastWords{1500};

}  // namespace

Passage::Passage(Printer& printer, std::unique_ptr<Stream> till)
    : printer_(printer), till_(std::move(till)) {
  const PrinterSettings& settings = printer_.settings_;
  if (!settings.receipts) return;
  Tap::Options options;
  if (settings.language == "escpos") options.language = Language::escpos;
  if (settings.language == "star") options.language = Language::star;
  options.first_guess = printer_.status_.language;
  may_insert_ = settings.qr != PrinterSettings::Qr::off;
  if (may_insert_) options.block = printer_.outside_.block;
  tap_ = std::make_unique<Tap>(std::move(options));
}

void Passage::start() {
  const PrinterSettings& settings = printer_.settings_;
  if (settings.host.empty()) {
    self_ = std::make_unique<VirtualPrinter>(settings.language == "star" ? Language::star
                                                                         : Language::escpos);
    state_ = State::open;
    till_->start(till_side_);
    return;
  }
  Endpoint endpoint;
  endpoint.host = settings.host;
  endpoint.port = settings.port;
  endpoint.tls = false;
  endpoint.timeout = Printer::kConnect;
  dial_ = printer_.outside_.dialer.dial(endpoint,
                                        alive_.bind([this](Result<std::unique_ptr<Stream>> stream) {
                                          on_dialled(std::move(stream));
                                        }));
}

void Passage::on_dialled(Result<std::unique_ptr<Stream>> stream) {
  if (state_ != State::dialing) return;
  if (!stream) {
    // The till is told as the printer itself would tell it, and shows its own message.
    printer_.on_unreachable(stream.error());
    till_->reset();
    return end();
  }
  printer_.on_reached();
  out_ = std::move(*stream);
  state_ = State::open;
  out_->start(printer_side_);
  till_->start(till_side_);
}

void Passage::to_printer(Bytes bytes) {
  if (bytes.empty()) return;
  if (out_) {
    out_->write(std::move(bytes));
    return watch_flow();
  }
  if (!self_) return;
  Bytes answer;
  self_->feed(bytes, answer);
  if (!answer.empty()) till_->write(std::move(answer));
}

void Passage::on_till_data(ByteView data) {
  if (state_ != State::open) return;
  hold_.stop();
  if (may_insert_) {
    forward(data);
  } else {
    to_printer(to_bytes(data));
    // Paper first: whatever goes wrong with the copy, the bytes have left.
    if (tap_ && !guarded("receipts", [&] {
          Bytes same;
          tap_->feed(data, same);
        })) {
      tap_.reset();
    }
  }
  after_data();
}

void Passage::forward(ByteView data) {
  Bytes out;
  if (!guarded("receipts", [&] { tap_->feed(data, out); })) {
    // Nobody knows how much has left: an error at the till is better than half a receipt.
    till_->reset();
    return end();
  }
  to_printer(std::move(out));
  if (tap_->holds()) {
    hold_.start(Printer::kHold, [this] {
      Bytes held;
      tap_->release(held);
      to_printer(std::move(held));
    });
  }
}

void Passage::after_data() {
  if (!tap_ || state_ == State::over) return;
  printer_.take_from(*tap_);
  silence_.stop();
  if (!tap_->printed() || till_paused_) return;
  silence_.start(Printer::kSilence, [this] {
    tap_->on_silence();
    printer_.take_from(*tap_);
  });
}

void Passage::finish_tap() {
  hold_.stop();
  silence_.stop();
  if (!tap_) return;
  Bytes last;
  tap_->finish(last);
  if (may_insert_) to_printer(std::move(last));
}

/// A job that ends with its connection is a receipt when the printer has taken it.
void Passage::start_drain() {
  finish_tap();
  state_ = State::draining;
  if (out_) out_->end_writing();
  quiet_since_ = printer_.outside_.scheduler.now();
  drain();
}

bool Passage::on_till_end() {
  if (state_ != State::open) return false;
  start_drain();
  return true;
}

void Passage::on_till_gone() {
  if (state_ != State::open) return end();
  // Some tills reset instead of closing; what has come is printed and counts.
  start_drain();
}

void Passage::on_printer_data(ByteView data) {
  if (state_ != State::open && state_ != State::draining) return;
  quiet_since_ = printer_.outside_.scheduler.now();
  till_->write(to_bytes(data));
  watch_flow();
}

void Passage::on_printer_gone(const Error& why) {
  if (state_ == State::over) return;
  if (state_ == State::draining && printer_ended_) {
    if (tap_) printer_.take_from(*tap_);
    till_->close();
    return end();
  }
  // What was not cut yet is on no paper that anybody gets.
  printer_.on_unreachable(why);
  till_->reset();
  end();
}

/// Holds the faster side back until the other has taken what there is.
void Passage::watch_flow() {
  const std::size_t to_out = out_ ? out_->unsent() : 0;
  const std::size_t to_till = till_->unsent();
  if (!till_paused_ && to_out > kMostUnsent && state_ == State::open) {
    till_paused_ = true;
    silence_.stop();
    till_->pause_reading(true);
  }
  if (!printer_paused_ && to_till > kMostUnsent && out_) {
    printer_paused_ = true;
    out_->pause_reading(true);
  }
  if (till_paused_ && to_out <= kResumeAt) {
    till_paused_ = false;
    if (state_ == State::open) till_->pause_reading(false);
    after_data();
  }
  if (printer_paused_ && to_till <= kResumeAt) {
    printer_paused_ = false;
    if (out_) out_->pause_reading(false);
  }
  if ((till_paused_ || printer_paused_) && state_ == State::open && !flow_.active()) {
    flow_.start(kFlowCheck, [this] { watch_flow(); });
  }
}

/// The till has said everything. The printer closes when it is done, or has had time to.
void Passage::drain() {
  if (state_ != State::draining) return;
  if (printer_paused_ && till_->unsent() <= kResumeAt) {
    printer_paused_ = false;
    out_->pause_reading(false);
  }
  const Mono now = printer_.outside_.scheduler.now();
  const bool taken = !out_ || out_->unsent() == 0;
  if (!taken) quiet_since_ = now;
  if (!out_ || (taken && now - quiet_since_ >= kLastWords)) {
    if (tap_) printer_.take_from(*tap_);
    if (out_) out_->close();
    till_->close();
    return end();
  }
  flow_.start(kDrainCheck, [this] { drain(); });
}

void Passage::end() {
  if (state_ == State::over) return;
  state_ = State::over;
  silence_.stop();
  hold_.stop();
  flow_.stop();
  printer_.on_over();
}

}  // namespace posthorn::receipts
