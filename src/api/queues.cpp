#include "api/handlers.h"
#include "api/sending/kinds.h"

namespace posthorn::api {

namespace {

constexpr seconds kClearPause{60};
constexpr std::size_t kJobsShown = 100'000;  // more than any outbox holds

/// The request that made the job, and what the throttle says about it.
json::Value queue_item(const JobView& view) {
  const Job& job = view.job;
  json::Value item(::Json::objectValue);
  item["messageID"] = job.id;
  item["body"]["chatId"] = job.chat;
  std::visit([&](const auto& kind) { show_request(kind, item); }, job.content.what);
  if (job.content.quote) item["body"]["quotedMessageId"] = job.content.quote->id;
  if (auto posted = json::parse(job.posted); posted && posted->isObject() && !posted->empty()) {
    // As it was sent; the text is kept once.
    (*posted)["message"] = item["body"]["message"];
    item["body"] = std::move(*posted);
  }
  if (!view.lane.empty()) item["lane"] = view.lane;
  if (!view.hold_reason.empty()) item["holdReason"] = view.hold_reason;
  if (view.not_before) {
    item["notBefore"] = static_cast<::Json::Int64>(view.not_before->unix_seconds());
  }
  item["expiresAt"] = static_cast<::Json::Int64>(job.expires_at.unix_seconds());
  return item;
}

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
  context.outside.outbox.jobs(kJobsShown,
                              [call = std::move(call)](Result<std::vector<JobView>> jobs) mutable {
                                if (!jobs) return call.refuse(jobs.error());
                                std::string out = "[";
                                for (const JobView& view : *jobs) {
                                  if (out.size() > 1) out += ',';
                                  out += json::write(queue_item(view));
                                }
                                call.send_text(out + "]");
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
