#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "posthorn/base/alive.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/base/stream.h"
#include "posthorn/receipts/settings.h"
#include "receipts/tap.h"

namespace posthorn::receipts {

class Passage;

/// One printer as tills reach it through the box: one till at a time, the next ones wait. Bytes
/// pass unchanged both ways; a copy of each job is handed out. Without a printer behind it the box
/// answers itself.
class Printer {
 public:
  struct Outside {
    Scheduler& scheduler;
    Dialer& dialer;
    /// A job has ended.
    std::function<void(TappedJob job)> on_job;
    /// The drawer was opened, and no sale was printed near it.
    std::function<void()> on_drawer;
    /// The block for the end of a receipt; nullopt: none.
    std::function<std::optional<Tap::Block>(Language language, const LetterState& letters)> block;
  };
  static constexpr seconds kWait{10};  ///< for the till before
  static constexpr std::size_t kMostWaiting = 8;
  static constexpr seconds kSilence{3};    ///< ends a job
  static constexpr milliseconds kHold{4};  ///< for the rest of a cut that has begun
  static constexpr seconds kIdle{60};      ///< of a till while another waits
  static constexpr milliseconds kConnect{2500};
  static constexpr seconds kDrawerGrace{10};  ///< between a sale and its drawer

  Printer(PrinterSettings settings, Outside outside);
  Printer(const Printer&) = delete;
  Printer& operator=(const Printer&) = delete;
  ~Printer();

  /// A till has connected.
  void accept(std::unique_ptr<Stream> till);
  /// Closes everything.
  void stop();

  struct Status {
    bool busy = false;
    std::size_t waiting = 0;
    std::uint64_t jobs = 0, connections = 0, refused = 0;
    std::string trouble;  ///< why the printer could not be reached last; empty: it was
    Language language = Language::escpos;
  };
  [[nodiscard]] Status status() const;
  [[nodiscard]] const PrinterSettings& settings() const { return settings_; }

 private:
  friend class Passage;
  struct Waiting {
    std::unique_ptr<Stream> till;
    Mono until;
  };
  void begin(std::unique_ptr<Stream> till);
  void next();
  void arm_waiting();
  // From the passage.
  void on_over();
  [[nodiscard]] bool others_wait() const { return !waiting_.empty(); }
  void on_unreachable(const Error& why);
  void on_reached() { status_.trouble.clear(); }
  void take_from(Tap& tap);
  void on_sale();
  void on_lone_pulse();

  PrinterSettings settings_;
  Outside outside_;
  std::unique_ptr<Passage> passage_;
  std::deque<Waiting> waiting_;
  Status status_;
  std::optional<Mono> last_sale_;
  bool pulse_waits_ = false;
  Timer waiting_timer_{outside_.scheduler};
  Timer drawer_timer_{outside_.scheduler};
  Alive<Printer> alive_{this};
};

}  // namespace posthorn::receipts
