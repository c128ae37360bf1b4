#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include "posthorn/base/time.h"

namespace posthorn::session {

/// Tells a connection that is deaf from one that is only quiet. A dead TCP connection shows itself
/// when the keepalive is not answered; the worse kind answers keepalives and delivers nothing. So
/// this compares what should have arrived with what did. Pure: told what happens, asked for a
/// verdict.
class Hearing {
 public:
  /// In a row, with no answer of the same kind between.
  static constexpr int kMostQuestionTimeouts = 3;
  static constexpr int kMostAckTimeouts = 2;
  /// Messages that the server took and that brought no receipt and nothing else from outside.
  static constexpr std::size_t kSilentMessages = 5;
  static constexpr minutes kSilentFor{10};
  /// Between two reconnects for a silence that may have a harmless cause.
  static constexpr hours kSilenceAgainAfter{6};
  /// A backlog that was announced and did not come is asked for again, not more often than this.
  static constexpr hours kBacklogAgainAfter{1};

  void on_connected(Mono now);
  /// A message, receipt, notification or call: anything that other people caused.
  void on_outside_stanza(Mono now);
  void on_question_answered() { question_timeouts_ = 0; }
  void on_question_timed_out() { ++question_timeouts_; }
  void on_message_taken(Mono now);
  void on_ack_arrived() { ack_timeouts_ = 0; }
  void on_ack_timed_out() { ++ack_timeouts_; }
  /// The backlog's end did not come: `missing` announced stanzas are not here.
  void on_backlog_cut_off(std::uint64_t missing) { backlog_missing_ = missing > 0; }

  /// Why the connection must be made anew, or nullopt. A verdict is given once per cause.
  [[nodiscard]] std::optional<std::string_view> verdict(Mono now);

 private:
  int question_timeouts_ = 0;
  int ack_timeouts_ = 0;
  bool backlog_missing_ = false;
  std::deque<Mono>
      taken_;  ///< acked and not followed by anything from outside; at most kSilentMessages
  std::optional<Mono> last_silence_;
  std::optional<Mono> last_backlog_;
};

}  // namespace posthorn::session
