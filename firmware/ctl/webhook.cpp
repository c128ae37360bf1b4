#include "ctl/webhook.h"

#include <cstdio>

#include "ctl/commands.h"

namespace posthorn::ctl {

namespace {

std::string text_at(const json::Value& value, const char* key) {
  return json::text_of(json::at(value, key)).value_or("");
}

int show(const Client& client) {
  const auto answer = client.get("getRefusedNotifications");
  if (!answer) return complain(answer.error());
  const json::Value& rows = json::at(*answer, "notifications");
  if (!rows.isArray() || rows.empty()) {
    std::printf("The webhook has refused nothing that is still kept.\n");
    return 0;
  }
  for (const json::Value& row : rows) {
    std::printf("%s refused with %s, %s times: %s\n  answer: %s\n",
                text_at(row, "receiptId").c_str(), text_at(row, "status").c_str(),
                text_at(row, "times").c_str(), json::write(json::at(row, "body")).c_str(),
                text_at(row, "answer").c_str());
  }
  std::printf("Mend the receiver, then: posthornctl refused --retry\n");
  return 0;
}

}  // namespace

int refused_notifications(const Client& client, Refused what) {
  if (what == Refused::show) return show(client);
  const bool retry = what == Refused::retry;
  const auto answer = client.post(retry ? "retryRefusedNotifications" : "clearRefusedNotifications",
                                  json::Value(::Json::objectValue));
  if (!answer) return complain(answer.error());
  if (retry) {
    std::printf("%s notifications wait for delivery again.\n", text_at(*answer, "count").c_str());
  } else {
    std::printf("The list is empty.\n");
  }
  return 0;
}

}  // namespace posthorn::ctl
