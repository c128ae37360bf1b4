#include "daemon/event_tail.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "posthorn/base/json.h"

namespace posthorn::daemon {

namespace {

constexpr std::size_t kKept = 100;
constexpr std::size_t kWaitingAtMost = 8;
constexpr std::int64_t kWaitSecondsAtMost = 25;

std::int64_t number_in(std::string_view text, std::int64_t otherwise) {
  std::int64_t value = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

void EventTail::add(const std::string& body) {
  events_.push_back({++last_, body});
  if (events_.size() > kKept) events_.pop_front();
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
  json::Value events(::Json::arrayValue);
  for (const Event& event : events_) {
    if (event.number <= after) continue;
    json::Value entry;
    entry["number"] = static_cast<::Json::UInt64>(event.number);
    if (auto body = json::parse(event.body)) entry["event"] = std::move(*body);
    events.append(std::move(entry));
  }
  json::Value out;
  out["last"] = static_cast<::Json::UInt64>(last_);
  out["events"] = std::move(events);
  call.send(std::move(out));
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
