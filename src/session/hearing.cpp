#include "session/hearing.h"

namespace posthorn::session {
namespace {

bool again(const std::optional<Mono>& last, milliseconds gap, Mono now) {
  return !last || now - *last >= gap;
}

}  // namespace

void Hearing::on_connected(Mono) {
  question_timeouts_ = 0;
  ack_timeouts_ = 0;
  backlog_missing_ = false;
  taken_.clear();
}

void Hearing::on_outside_stanza(Mono) { taken_.clear(); }

void Hearing::on_message_taken(Mono now) {
  on_ack_arrived();
  if (taken_.size() < kSilentMessages) taken_.push_back(now);
}

std::optional<std::string_view> Hearing::verdict(Mono now) {
  if (question_timeouts_ >= kMostQuestionTimeouts) {
    question_timeouts_ = 0;
    return "questions are not answered";
  }
  if (ack_timeouts_ >= kMostAckTimeouts) {
    ack_timeouts_ = 0;
    return "messages are not acknowledged";
  }
  const bool silent = taken_.size() >= kSilentMessages && now - taken_.back() >= kSilentFor;
  if (silent && again(last_silence_, kSilenceAgainAfter, now)) {
    last_silence_ = now;
    taken_.clear();
    return "sent messages bring no receipts";
  }
  if (backlog_missing_ && again(last_backlog_, kBacklogAgainAfter, now)) {
    last_backlog_ = now;
    backlog_missing_ = false;
    return "the backlog was cut off";
  }
  return std::nullopt;
}

}  // namespace posthorn::session
