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
/// Some do not stop talking.
constexpr seconds kMostWords{10};
/// A printer without paper takes nothing either; after that it is taken for gone.
constexpr minutes kStuck{10};
constexpr seconds kSideCheck{5};
/// In the middle of a command a till may take longer, as while it draws the next rows.
constexpr seconds kSilenceInside{30};

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
  heard_at_ = taken_at_ = printer_.outside_.scheduler.now();
  if (settings.host.empty()) {
    self_ = std::make_unique<VirtualPrinter>(settings.language == "star" ? Language::star
                                                                         : Language::escpos);
    state_ = State::open;
    till_->start(till_side_);
    return watch_sides();
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
  watch_sides();
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
  if (answer.empty()) return;
  till_->write(std::move(answer));
  watch_flow();
}

void Passage::on_till_data(ByteView data) {
  if (state_ != State::open) return;
  heard_at_ = printer_.outside_.scheduler.now();
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
  const bool begun = tap_->printed() || tap_->pulsed() || tap_->inside();
  if (!begun || till_paused_) return;
  listen_for_silence(Printer::kSilence);
}

void Passage::listen_for_silence(milliseconds after) {
  silence_.start(after, [this, after] {
    if (tap_->inside() && after < kSilenceInside) return listen_for_silence(kSilenceInside);
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
  drained_by_ = quiet_since_ + kMostWords;
  drain();
}

bool Passage::on_till_end() {
  if (state_ != State::open) return false;
  start_drain();
  return true;
}

void Passage::on_till_gone() {
  if (state_ == State::draining) return;  // the printer takes the rest all the same
  if (state_ != State::open) return end();
  // Some tills reset instead of closing; what has come is printed and counts.
  start_drain();
}

void Passage::on_printer_data(ByteView data) {
  if (state_ != State::open && state_ != State::draining) return;
  heard_at_ = quiet_since_ = printer_.outside_.scheduler.now();
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
  // Where the box is the printer, a till that asks and never reads waits for itself.
  const std::size_t waits_for = self_ ? to_till : to_out;
  if (!till_paused_ && waits_for > kMostUnsent && state_ == State::open) {
    till_paused_ = true;
    silence_.stop();
    till_->pause_reading(true);
  }
  if (!printer_paused_ && to_till > kMostUnsent && out_) {
    printer_paused_ = true;
    out_->pause_reading(true);
  }
  if (till_paused_ && waits_for <= kResumeAt) {
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

void Passage::give_up(const char* why) {
  if (out_) {
    printer_.on_unreachable({Errc::timeout, why});
    out_->reset();
  }
  till_->reset();
  end();
}

void Passage::watch_sides() {
  const Mono now = printer_.outside_.scheduler.now();
  const std::size_t unsent = out_ ? out_->unsent() : till_->unsent();
  if (unsent == 0 || unsent < last_unsent_) taken_at_ = now;
  last_unsent_ = unsent;
  if (now - taken_at_ >= kStuck) return give_up("it has taken nothing for ten minutes");
  if (printer_.others_wait()) make_way();
  if (state_ == State::over) return;
  sides_.start(kSideCheck, [this] { watch_sides(); });
}

/// As printers do with a line on which nothing is said; a till that is gone without a word would
/// keep the next ones out for ever. It gets an error and not an end: what it says now is lost.
/// What it said before was taken when it fell silent.
void Passage::make_way() {
  const Mono now = printer_.outside_.scheduler.now();
  const bool busy = (out_ && out_->unsent() > 0) || till_paused_ || (tap_ && tap_->printed());
  if (state_ != State::open || busy || now - heard_at_ < Printer::kIdle) return;
  if (out_) out_->close();
  till_->reset();
  end();
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
  if (!taken) {
    quiet_since_ = now;
    drained_by_ = now + kMostWords;
  }
  const bool over = now - quiet_since_ >= kLastWords || now >= drained_by_;
  if (!out_ || (taken && over)) {
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
  sides_.stop();
  printer_.on_over();
}

}  // namespace posthorn::receipts
