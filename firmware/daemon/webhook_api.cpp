#include "daemon/webhook_api.h"

#include <utility>

#include "posthorn/base/json.h"

namespace posthorn::daemon {

namespace {

json::Value seconds_of(const std::optional<Wall>& time) {
  return time ? json::Value(static_cast<::Json::Int64>(time->unix_seconds())) : json::Value();
}

json::Value number(std::uint64_t value) { return static_cast<::Json::UInt64>(value); }

/// One sentence for a person.
std::string sentence_of(const webhooks::Courier::Report& report) {
  if (report.url.empty()) return "No webhook is set: notifications wait for receiveNotification.";
  if (report.last.empty()) return "Nothing was delivered since the start or the last change.";
  if (!report.failing) return "The webhook takes what it gets.";
  return "The webhook does not take notifications: " + report.last + ". " + report.what_to_do;
}

json::Value status_json(const webhooks::Courier& courier, std::size_t waiting) {
  const webhooks::Courier::Report& report = courier.report();
  const webhooks::Courier::Counters& counters = courier.counters();
  json::Value out(::Json::objectValue);
  out["webhookUrl"] = report.url;
  out["sentence"] = sentence_of(report);
  out["failing"] = report.failing;
  out["last"] = report.last;
  out["whatToDo"] = report.failing ? report.what_to_do : "";
  out["failuresInARow"] = number(report.failures_in_a_row);
  out["lastAttempt"] = seconds_of(report.last_attempt);
  out["lastDelivery"] = seconds_of(report.last_delivery);
  out["failingSince"] = seconds_of(report.failing_since);
  out["waiting"] = number(waiting);
  out["delivered"] = number(counters.delivered);
  out["failures"] = number(counters.failures);
  out["refused"] = number(counters.refused);
  out["answers"] = json::Value(::Json::arrayValue);
  for (const webhooks::Courier::Answer& answer : report.answers) {
    json::Value one(::Json::objectValue);
    one["time"] = static_cast<::Json::Int64>(answer.at.unix_seconds());
    one["what"] = answer.what;
    one["taken"] = answer.taken;
    one["test"] = answer.test;
    out["answers"].append(std::move(one));
  }
  return out;
}

api::Route route(const char* name, api::Verb verb, std::function<void(api::Call)> handler) {
  api::Route out;
  out.name = name;
  out.verb = verb;
  out.handler = std::move(handler);
  return out;
}

void retry_refused(Inbox& inbox, RefusedList& refused, api::Call call) {
  refused.retry(inbox, [call = std::move(call)](const Result<std::size_t>& count) mutable {
    if (!count && count.error().code == Errc::busy) return call.refuse(409, count.error().detail);
    if (!count) return call.refuse(count.error());
    json::Value out(::Json::objectValue);
    out["count"] = number(*count);
    call.send(out);
  });
}

}  // namespace

std::vector<api::Route> webhook_routes(webhooks::Courier& courier, Inbox& inbox,
                                       RefusedList& refused,
                                       std::function<std::string()> harmless) {
  std::vector<api::Route> routes;
  routes.push_back(route("getWebhookStatus", api::Verb::get, [&courier, &inbox](api::Call call) {
    call.send(status_json(courier, inbox.count()));
  }));
  routes.back().per_second = 10;
  routes.push_back(route(
      "testWebhook", api::Verb::post, [&courier, harmless = std::move(harmless)](api::Call call) {
        courier.test(harmless(), [call = std::move(call)](const Result<void>& taken) mutable {
          if (!taken) return call.refuse(400, taken.error().detail);
          call.send_text("{\"result\":true}");
        });
      }));
  routes.push_back(route("getRefusedNotifications", api::Verb::get, [&refused](api::Call call) {
    const auto list = refused.list();
    if (!list) return call.refuse(list.error());
    call.send(*list);
  }));
  routes.push_back(route(
      "retryRefusedNotifications", api::Verb::post,
      [&inbox, &refused](api::Call call) { retry_refused(inbox, refused, std::move(call)); }));
  routes.push_back(route("clearRefusedNotifications", api::Verb::post, [&refused](api::Call call) {
    refused.clear([call = std::move(call)](const Result<void>& cleared) mutable {
      if (!cleared) return call.refuse(cleared.error());
      call.send_text("{\"isCleared\":true}");
    });
  }));
  return routes;
}

void add_webhook(std::vector<throttle::Metric>& out, const webhooks::Courier& courier) {
  const webhooks::Courier::Counters& counters = courier.counters();
  out.push_back({"webhook_delivered_total", "", static_cast<double>(counters.delivered), true});
  out.push_back({"webhook_failures_total", "", static_cast<double>(counters.failures), true});
  out.push_back({"webhook_refused_total", "", static_cast<double>(counters.refused), true});
  out.push_back({"webhook_failing", "", courier.report().failing ? 1.0 : 0.0, false});
}

}  // namespace posthorn::daemon
