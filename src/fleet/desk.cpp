#include "posthorn/fleet/desk.h"

#include <utility>

namespace posthorn::fleet {

void Desk::start(std::function<json::Value()> report, std::function<void(const Wish&)> on_wish) {
  report_ = std::move(report);
  on_wish_ = std::move(on_wish);
  stopped_ = false;
  say();
}

void Desk::stop() {
  stopped_ = true;
  timer_.stop();
}

void Desk::say() {
  BoxRequest request{.verb = "POST", .name = "reportFleet"};
  request.body = json::write(report_());
  box_.call(std::move(request), [self = alive_.weak()](const Result<BoxAnswer>& answer) {
    if (Desk* me = self.get()) me->on_answer(answer);
  });
}

/// A daemon that is away, or older than this word, is asked again at the next turn.
void Desk::on_answer(const Result<BoxAnswer>& answer) {
  if (stopped_) return;
  timer_.start(kEvery, [this] { say(); });
  if (!answer) return;
  const bool known = answer->status != 401 && answer->status != 403;
  refused_ = known ? 0 : refused_ + 1;
  if (answer->status != 200) return;
  const auto told = json::parse(answer->body, 50);
  if (!told) return;
  const auto text = [&](const char* key) { return json::string_at(*told, key).value_or(""); };
  const Wish wish{text("do"), text("url"), text("code"), text("pin")};
  if (wish.what == "enrol" || wish.what == "leave") on_wish_(wish);
}

}  // namespace posthorn::fleet
