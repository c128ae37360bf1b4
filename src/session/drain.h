#pragma once

#include <cstdint>

#include "posthorn/base/function.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/wire/node.h"

namespace posthorn::session {

/// Takes in what the server kept while we were away: asks for it in batches of 200 until it says
/// that all is delivered, or falls silent. Source: protocol chapter 04 section 8.2.
class OfflineDrain {
 public:
  static constexpr int kBatch = 200;
  static constexpr milliseconds kAskAgainAfter{100};
  static constexpr milliseconds kStalled{5'000};     ///< less came than was asked for: ask again
  static constexpr milliseconds kNoPreview{10'000};  ///< neither preview nor end: nothing waits
  static constexpr milliseconds kSilence{60'000};    ///< expected more and nothing came

  /// ask: sends <offline_batch>. finished: once per start(); missing: announced and not delivered.
  OfflineDrain(Scheduler& scheduler, Function<void(int count)> ask,
               Function<void(std::uint64_t missing)> finished);

  void start();
  void stop();
  [[nodiscard]] bool running() const { return state_ != State::stopped; }

  /// <offline_preview count=…>
  void on_preview(const wire::Node& preview);
  /// <offline count=…>: the end.
  void on_end();
  /// A stanza with the attribute `offline`.
  void on_backlog_stanza();

 private:
  enum class State : std::uint8_t { stopped, waiting, draining };

  void ask();
  void wait_for_more();
  void finish();

  Function<void(int)> ask_;
  Function<void(std::uint64_t)> finished_;
  State state_ = State::stopped;
  std::uint64_t announced_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t asked_for_ = 0;
  bool ask_on_next_ = false;
  Timer watchdog_;
  Timer again_;
};

}  // namespace posthorn::session
