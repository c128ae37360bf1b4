#include "fleet/box_view.h"

#include <charconv>
#include <utility>

namespace posthorn::fleet {

namespace {

constexpr minutes kCounters{1};

std::string text_at(const json::Value& value, const char* key) {
  return json::string_at(value, key).value_or("");
}

}  // namespace

std::map<std::string, double> parse_metrics(std::string_view text, std::size_t most) {
  std::map<std::string, double> out;
  while (!text.empty() && out.size() < most) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::size_t space = line.rfind(' ');
    if (line.empty() || line.front() == '#' || space == std::string_view::npos) continue;
    double value = 0;
    const std::string_view number = line.substr(space + 1);
    const auto [at, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (error == std::errc{} && at == number.data() + number.size()) {
      out[std::string(line.substr(0, space))] = value;
    }
  }
  return out;
}

BoxView::BoxView(Scheduler& scheduler, BoxApi& box, milliseconds poll)
    : scheduler_(scheduler), box_(box), poll_(poll), timer_(scheduler) {}

void BoxView::start(std::function<void()> on_look) {
  on_look_ = std::move(on_look);
  look(true, nullptr);
}

void BoxView::look_now(Function<void()> done) { look(true, std::move(done)); }

void BoxView::ask(BoxRequest request, Function<void(Result<BoxAnswer>)> then) {
  box_.call(std::move(request),
            [self = alive_.weak(), then = std::move(then)](Result<BoxAnswer> answer) mutable {
              if (self.get() != nullptr) then(std::move(answer));
            });
}

/// One question after the other: the daemon answers each in its turn anyway.
void BoxView::look(bool all, Function<void()> done) {
  timer_.stop();
  if (done) waiting_.push_back(std::move(done));
  all_ = all_ || all;
  if (looking_) return;
  looking_ = true;
  const bool due = std::exchange(all_, false) || scheduler_.now() - counters_at_ >= kCounters;
  ask({.name = "/healthz"}, [this, due](auto answer) {
    on_health(std::move(answer));
    ask({.name = "getThrottleStatus"}, [this, due](auto throttle) {
      on_throttle(throttle);
      due&& state_.reachable ? look_at_counters() : looked();
    });
  });
}

void BoxView::look_at_counters() {
  ask({.name = "/metrics"}, [this](auto answer) {
    if (answer && answer->status == 200) state_.metrics = parse_metrics(answer->body);
    counters_at_ = scheduler_.now();
    ask({.name = "getBoardStatus"}, [this](auto board) {
      if (board && board->status == 200) {
        if (auto told = json::parse(board->body, 200); told && told->isObject()) {
          state_.board = std::move(*told);
        }
      }
      looked();
    });
  });
}

void BoxView::looked() {
  looking_ = false;
  for (auto& done : std::exchange(waiting_, {})) done();
  if (on_look_) on_look_();
  if (all_ || !waiting_.empty()) return look(all_, nullptr);
  timer_.start(poll_, [this] { look(false, nullptr); });
}

void BoxView::on_health(Result<BoxAnswer> answer) {
  const bool said = answer && (answer->status == 200 || answer->status == 503);
  const auto value =
      said ? json::parse(answer->body, 200) : Result<json::Value>(fail(Errc::io, ""));
  state_.reachable = value && value->isObject();
  if (!state_.reachable) return;
  state_.storage_ok = json::string_at(*value, "status") != "storageFailed";
  // Without a right /healthz says "alive" and no more: our token is not known any more.
  if (!json::string_at(*value, "link")) {
    ++refused_;
    return;
  }
  refused_ = 0;
  state_.version = text_at(*value, "version");
  state_.link = text_at(*value, "link");
  state_.link_cause = text_at(*value, "linkCause");
  state_.what_to_do = text_at(*value, "whatToDo");
  state_.throttle = text_at(*value, "throttle");
  state_.clock_trusted = json::bool_at(*value, "clockTrusted").value_or(false);
  state_.outbox_jobs = json::int_at(*value, "outboxJobs").value_or(0);
  state_.inbox_notifications = json::int_at(*value, "inboxNotifications").value_or(0);
}

void BoxView::on_throttle(const Result<BoxAnswer>& answer) {
  if (!answer || answer->status != 200) return;
  const auto value = json::parse(answer->body, 2000);
  if (!value) return;
  state_.paused = json::bool_at(*value, "paused").value_or(false);
  if (const auto now = json::int_at(*value, "now")) {
    heard_ = {Wall::from_unix(*now, state_.clock_trusted), scheduler_.now()};
  }
}

std::optional<Wall> BoxView::now() const {
  if (!heard_ || !state_.clock_trusted) return std::nullopt;
  return heard_->first + (scheduler_.now() - heard_->second);
}

}  // namespace posthorn::fleet
