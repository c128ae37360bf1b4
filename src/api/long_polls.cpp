#include "api/long_polls.h"

namespace posthorn::api {

void LongPolls::wait(Call call, milliseconds timeout) {
  waiting_.emplace_back(scheduler_, std::move(call));
  const auto here = std::prev(waiting_.end());
  here->timer.start(timeout, [this, here] {
    Call due = std::move(here->call);
    waiting_.erase(here);
    due.send_text("null");
  });
}

void LongPolls::answer_all(const std::string& text) {
  // Taken out first: an answer may lead to the next request inside the call.
  std::list<Waiting> answered = std::move(waiting_);
  waiting_.clear();
  for (Waiting& one : answered) one.call.send_text(text);
}

}  // namespace posthorn::api
