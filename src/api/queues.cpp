#include "api/accept.h"
#include "api/handlers.h"
#include "posthorn/base/alive.h"

namespace posthorn::api {

namespace {

constexpr seconds kClearPause{60};

/// The request that made the job, and what the throttle says about it.
json::Value queue_item(const JobView& view) {
  const Job& job = view.job;
  json::Value item = request_of(job);
  // Of a forward each message is a job of its own.
  if (job.method == "ForwardMessages") {
    item["messagesIDs"].append(job.id);
  } else {
    item["messageID"] = job.id;
  }
  if (auto posted = json::parse(job.posted); posted && posted->isObject() && !posted->empty()) {
    // As it was sent; the text is kept once. A text that was made of buttons was not in it.
    const bool had_text = !posted->isMember("buttons") && item["body"].isMember("message");
    if (had_text) (*posted)["message"] = item["body"]["message"];
    // An upload is shown as the link that serves it; "file" is the box's own name of its bytes.
    if (posted->isMember("file") && item["body"].isMember("urlFile")) {
      posted->removeMember("file");
      (*posted)["urlFile"] = item["body"]["urlFile"];
    }
    item["body"] = std::move(*posted);
  }
  if (!view.lane.empty()) item["lane"] = view.lane;
  if (!view.hold_reason.empty()) item["holdReason"] = view.hold_reason;
  if (!view.hold_cause.empty()) item["holdCause"] = view.hold_cause;
  if (view.not_before) {
    item["notBefore"] = static_cast<::Json::Int64>(view.not_before->unix_seconds());
  }
  item["expiresAt"] = static_cast<::Json::Int64>(job.expires_at.unix_seconds());
  return item;
}

/// The list as it is read: one job in memory for each reader, however many wait and however slowly
/// the reader takes them.
class QueueSource final : public BodySource {
 public:
  explicit QueueSource(std::shared_ptr<Context> context) : context_(std::move(context)) {}

  /// done: the first job is there, or there is none; so that a queue that cannot be read is told by
  /// a status and not by an answer that breaks off.
  void begin(Once<void(Result<void>)> done) {
    text_ = "[";
    context_->outside.outbox.next_job(0, [self = alive_.weak(), done = std::move(done)](
                                             Result<std::optional<JobView>> first) mutable {
      if (!first) return done(tl::unexpected(first.error()));
      if (QueueSource* me = self.get()) me->take(std::move(first));
      done({});
    });
  }

  void on_ready(std::function<void()> wake) override { wake_ = std::move(wake); }

  Piece read(std::span<char> out) override {
    if (taken_ == text_.size() && ended_) return {failed_ ? More::failed : More::end, 0};
    if (taken_ == text_.size()) {
      ask();
      if (failed_) return {More::failed, 0};
      if (taken_ == text_.size()) return {ended_ ? More::end : More::later, 0};
    }
    const std::size_t size = text_.copy(out.data(), out.size(), taken_);
    taken_ += size;
    return {More::bytes, size};
  }

 private:
  void ask() {
    if (std::exchange(asking_, true)) return;
    inside_ = true;
    context_->outside.outbox.next_job(last_,
                                      alive_.bind([this](Result<std::optional<JobView>> next) {
                                        take(std::move(next));
                                        if (wake_ && !inside_) wake_();
                                      }));
    inside_ = false;
  }

  void take(Result<std::optional<JobView>> next) {
    asking_ = false;
    if (taken_ == text_.size()) {
      text_.clear();
      taken_ = 0;
    }
    if (!next || !*next) {
      ended_ = true;
      failed_ = !next;
      if (next) text_ += "]";
      return;
    }
    if (last_ != 0) text_ += ',';
    last_ = (*next)->sequence;
    text_ += json::write(queue_item(**next));
  }

  std::shared_ptr<Context> context_;  ///< shared: the answer may be read when the Api has gone
  std::function<void()> wake_;
  std::string text_;
  std::size_t taken_ = 0;
  std::uint64_t last_ = 0;
  bool asking_ = false;
  bool inside_ = false;
  bool ended_ = false;
  bool failed_ = false;
  Alive<QueueSource> alive_{this};
};

json::Value count_of(std::size_t count) {
  json::Value out(::Json::objectValue);
  out["count"] = static_cast<::Json::UInt64>(count);
  return out;
}

json::Value cleared(bool done, const char* reason) {
  json::Value out(::Json::objectValue);
  out["isCleared"] = done;
  out["reason"] = reason;
  return out;
}

}  // namespace

void show_messages_queue(Context& context, Call call) {
  auto source = std::make_shared<QueueSource>(context.shared_from_this());
  source->begin([source, call = std::move(call)](Result<void> begun) mutable {
    if (!begun) return call.refuse(begun.error());
    call.reply.send(Response{.body = {}, .headers = {}, .stream = std::move(source)});
  });
}

void clear_messages_queue(Context& context, Call call) {
  context.outside.outbox.clear([call = std::move(call)](Result<std::size_t> dropped) mutable {
    if (!dropped) return call.refuse(dropped.error());
    call.send_text("{\"isCleared\":true}");
  });
}

void get_messages_count(Context& context, Call call) {
  call.send(count_of(context.outside.outbox.count()));
}

void get_webhooks_count(Context& context, Call call) {
  call.send(count_of(context.outside.inbox.count()));
}

void clear_webhooks_queue(Context& context, Call call) {
  const Mono now = context.outside.scheduler.now();
  if (context.webhooks_cleared && now - *context.webhooks_cleared < kClearPause) {
    const milliseconds left = kClearPause - (now - *context.webhooks_cleared);
    json::Value answer = cleared(false, "Too many requests");
    answer["leftTime"] = static_cast<::Json::Int64>((left.count() + 999) / 1000);
    return call.send(answer);
  }
  context.webhooks_cleared = now;
  context.outside.inbox.clear([call = std::move(call)](Result<void> done) mutable {
    if (!done) return call.refuse(done.error());
    call.send(cleared(true, ""));
  });
}

}  // namespace posthorn::api
