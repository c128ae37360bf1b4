#include "session/questions.h"

#include <charconv>

#include "posthorn/base/log.h"

namespace posthorn::session {
namespace {

Error refusal(const wire::Node& iq) {
  const wire::Node* error = iq.child("error");
  if (error == nullptr) return {Errc::refused, "0 no reason given"};
  std::string detail = error->text_attr("code") + " " + error->text_attr("text");
  if (const auto backoff = error->attr("backoff")) detail += " backoff=" + *backoff;
  return {Errc::refused, detail};
}

}  // namespace

int refusal_code(const Error& error) {
  if (error.code != Errc::refused) return 0;
  int code = 0;
  const char* begin = error.detail.data();
  const auto [end, failed] = std::from_chars(begin, begin + error.detail.size(), code);
  return failed == std::errc() && end != begin ? code : 0;
}

Questions::Questions(Scheduler& scheduler, std::string prefix, Watcher& watcher, Write write)
    : scheduler_(scheduler),
      prefix_(std::move(prefix)),
      watcher_(watcher),
      write_(std::move(write)) {}

Questions::~Questions() { fail_all({Errc::cancelled, "the session ends"}); }

std::string Questions::next_id() { return prefix_ + std::to_string(++counter_); }

void Questions::ask(wire::Node iq, milliseconds timeout, Done done, Silence silence) {
  if (!open_) return done(fail(Errc::disconnected, "no connection to WhatsApp"));
  if (order_.size() >= kMostWaiting) return done(fail(Errc::busy, "too many questions wait"));
  const std::string id = next_id();
  iq.set_attr("id", id);
  auto pending = std::make_unique<Pending>(scheduler_, std::move(done));
  pending->silence = silence;
  pending->waiting = std::move(iq);
  pending->timer.start(timeout, [this, id] {
    Map& from = asked_.contains(id) ? asked_ : waiting_;
    const auto at = from.find(id);
    if (at == from.end()) return;
    if (&from == &asked_ && at->second->silence == Silence::suspicious)
      watcher_.on_question_timed_out();
    finish(from, at, fail(Errc::timeout, "WhatsApp did not answer"));
  });
  waiting_.emplace(id, std::move(pending));
  order_.push_back(id);
  write_waiting();
}

void Questions::await_ack(const std::string& id, milliseconds timeout, Done done) {
  if (!open_) return done(fail(Errc::disconnected, "no connection to WhatsApp"));
  if (acks_.contains(id)) return done(fail(Errc::busy, "the same message is on its way"));
  if (acks_.size() >= kMostAcks)
    return done(fail(Errc::busy, "too many messages are on their way"));
  auto pending = std::make_unique<Pending>(scheduler_, std::move(done));
  pending->timer.start(timeout, [this, id] {
    const auto at = acks_.find(id);
    if (at == acks_.end()) return;
    watcher_.on_ack_timed_out();
    finish(acks_, at, fail(Errc::timeout, "WhatsApp did not acknowledge the message"));
  });
  acks_.emplace(id, std::move(pending));
}

bool Questions::on_answer(const wire::Node& iq) {
  const auto at = asked_.find(iq.text_attr("id"));
  if (at == asked_.end()) return false;
  watcher_.on_question_answered();
  if (iq.text_attr("type") == "error")
    finish(asked_, at, tl::unexpected<Error>(refusal(iq)));
  else
    finish(asked_, at, iq);
  return true;
}

bool Questions::on_ack(const wire::Node& ack) {
  const auto at = acks_.find(ack.text_attr("id"));
  if (at == acks_.end()) return false;
  watcher_.on_ack_arrived();
  finish(acks_, at, ack);
  return true;
}

void Questions::finish(Map& from, Map::iterator at, Result<wire::Node> answer) {
  // Taken out first: the callback may ask again, or end the connection.
  const std::unique_ptr<Pending> pending = std::move(at->second);
  if (&from == &waiting_) std::erase(order_, at->first);
  from.erase(at);
  pending->timer.stop();
  Done done = std::move(pending->done);
  done(std::move(answer));
  write_waiting();
}

void Questions::write_waiting() {
  while (open_ && asked_.size() < kMostOutstanding && !order_.empty()) {
    const std::string id = std::move(order_.front());
    order_.pop_front();
    auto entry = waiting_.extract(id);
    wire::Node iq = std::exchange(entry.mapped()->waiting, {});
    asked_.insert(std::move(entry));
    write_(std::move(iq));
  }
}

void Questions::fail_all(const Error& why) {
  open_ = false;
  order_.clear();
  for (Map* map : {&asked_, &waiting_, &acks_}) {
    Map taken = std::exchange(*map, {});
    for (auto& [id, pending] : taken) {
      pending->timer.stop();
      Done done = std::move(pending->done);
      done(tl::unexpected<Error>(why));
    }
  }
}

}  // namespace posthorn::session
