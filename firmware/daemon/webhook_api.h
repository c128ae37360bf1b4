#pragma once

#include <vector>

#include "daemon/inbox.h"
#include "daemon/refused_list.h"
#include "posthorn/api/api.h"
#include "posthorn/throttle/valve.h"
#include "posthorn/webhooks/courier.h"

namespace posthorn::daemon {

/// How it goes with the webhook, for whoever asks why nothing arrives:
///   GET getWebhookStatus         {"webhookUrl", "sentence", "failing", "last", "whatToDo",
///                                 "failuresInARow", "lastAttempt", "lastDelivery",
///                                 "failingSince", "waiting", "delivered", "failures", "refused"};
///                                 times are unix seconds, or null; and "answers": the newest ten,
///                                 [{"time", "what", "taken", "test"}], oldest first
///   POST testWebhook             posts the present state once more, as stateInstanceChanged,
///   beside
///                                 the queue: {"result": true}, or 400 with what came of it
///   GET getRefusedNotifications  RefusedList::list()
///   POST retryRefusedNotifications  puts them behind what waits: {"count": N}; 409 while the one
///                                 before is under way
///   POST clearRefusedNotifications  {"isCleared": true}
/// All outlive the routes.
/// harmless: a notification that tells a till nothing new.
[[nodiscard]] std::vector<api::Route> webhook_routes(webhooks::Courier& courier, Inbox& inbox,
                                                     RefusedList& refused,
                                                     std::function<std::string()> harmless);

void add_webhook(std::vector<throttle::Metric>& out, const webhooks::Courier& courier);

}  // namespace posthorn::daemon
