#include "api/handlers.h"

namespace posthorn::api {

namespace {

const char* name_of(Status::Link link) {
  switch (link) {
    case Status::Link::starting:
      return "starting";
    case Status::Link::not_linked:
      return "notLinked";
    case Status::Link::online:
      return "online";
    case Status::Link::reconnecting:
      return "reconnecting";
    case Status::Link::paused:
      return "paused";
    case Status::Link::blocked:
      return "blocked";
  }
  return "starting";
}

const char* name_of(Status::Throttle throttle) {
  switch (throttle) {
    case Status::Throttle::green:
      return "green";
    case Status::Throttle::amber:
      return "amber";
    case Status::Throttle::yellow:
      return "yellow";
    case Status::Throttle::red:
      return "red";
    case Status::Throttle::black:
      return "black";
  }
  return "green";
}

}  // namespace

std::string health_text(const Status& status, const std::string& version) {
  json::Value out(::Json::objectValue);
  out["status"] = status.storage_ok ? "ok" : "storageFailed";
  out["version"] = version;
  out["link"] = name_of(status.link);
  out["linkCause"] = status.link_cause;
  out["whatToDo"] = status.what_to_do;
  out["throttle"] = name_of(status.throttle);
  out["until"] = status.until
                     ? json::Value(static_cast<::Json::Int64>(status.until->unix_seconds()))
                     : json::Value();
  out["outboxJobs"] = static_cast<::Json::UInt64>(status.outbox_jobs);
  out["inboxNotifications"] = static_cast<::Json::UInt64>(status.inbox_notifications);
  out["storageOk"] = status.storage_ok;
  out["clockTrusted"] = status.clock_trusted;
  return json::write(out);
}

Response health(const Status& status, const std::string& version, bool all) {
  const std::string alive =
      status.storage_ok ? R"({"status":"ok"})" : R"({"status":"storageFailed"})";
  return Response{.status = status.storage_ok ? 200 : 503,
                  .body = all ? health_text(status, version) : alive,
                  .headers = {}};
}

}  // namespace posthorn::api
