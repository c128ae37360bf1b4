#include "daemon/event_tail.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace posthorn::daemon {

namespace {

constexpr std::size_t kKept = 100;
/// Of all bodies together: a customer's long messages must not cost the box its memory.
constexpr std::size_t kKeptBytes = std::size_t{256} << 10;
constexpr std::size_t kWaitingAtMost = 8;
constexpr std::int64_t kWaitSecondsAtMost = 25;

std::int64_t number_in(std::string_view text, std::int64_t otherwise) {
  std::int64_t value = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

void EventTail::add(const std::string& body) {
  // One alone that is too large is only counted; it waits in the inbox for the POS as any other.
  events_.push_back({++last_, body.size() <= kKeptBytes ? body : ""});
  bytes_ += events_.back().body.size();
  while (events_.size() > kKept || bytes_ > kKeptBytes) {
    bytes_ -= events_.front().body.size();
    events_.pop_front();
  }
  std::deque<Waiting> ready = std::exchange(waiting_, {});
  timer_.stop();
  for (Waiting& one : ready) answer(std::move(one.call), one.after);
}

api::Route EventTail::route() {
  api::Route route;
  route.name = "watchEvents";
  route.per_second = 100;
  route.handler = [this](api::Call call) {
    const auto after = static_cast<std::uint64_t>(
        std::max<std::int64_t>(0, number_in(call.request.query_value("after"), 0)));
    const std::int64_t wait = std::clamp<std::int64_t>(
        number_in(call.request.query_value("wait"), 0), 0, kWaitSecondsAtMost);
    if (after < last_ || wait == 0 || waiting_.size() >= kWaitingAtMost) {
      answer(std::move(call), after);
      return;
    }
    waiting_.push_back({std::move(call), after, scheduler_.now() + seconds(wait)});
    answer_due();
  };
  return route;
}

void EventTail::answer(api::Call call, std::uint64_t after) const {
  // The bodies are JSON already: parsing them only to write them again costs ten times their size.
  std::string out = "{\"events\":[";
  bool first = true;
  for (const Event& event : events_) {
    if (event.number <= after || event.body.empty()) continue;
    out += first ? "" : ",";
    out += "{\"event\":" + event.body + ",\"number\":" + std::to_string(event.number) + "}";
    first = false;
  }
  out += "],\"last\":" + std::to_string(last_) + "}";
  call.send_text(std::move(out));
}

void EventTail::answer_due() {
  const Mono now = scheduler_.now();
  std::deque<Waiting> still;
  for (Waiting& one : std::exchange(waiting_, {})) {
    if (one.until <= now) {
      answer(std::move(one.call), one.after);
    } else {
      still.push_back(std::move(one));
    }
  }
  waiting_ = std::move(still);
  if (waiting_.empty()) return;
  const auto next =
      std::min_element(waiting_.begin(), waiting_.end(),
                       [](const auto& a, const auto& b) { return a.until < b.until; });
  timer_.start_at(next->until, [this] { answer_due(); });
}

void EventTail::stop() {
  timer_.stop();
  for (Waiting& one : std::exchange(waiting_, {})) answer(std::move(one.call), one.after);
}

}  // namespace posthorn::daemon
