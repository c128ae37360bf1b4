#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/idempotency.h"
#include "api/long_polls.h"
#include "api/number_cache.h"
#include "api/qr_sockets.h"
#include "api/qr_wait.h"
#include "api/typing_shows.h"
#include "posthorn/api/api.h"
#include "posthorn/api/notification.h"

namespace posthorn::api {

/// What the handlers share. Shared with answers that come back from the other stages, because those
/// may arrive when the Api has gone.
struct Context : std::enable_shared_from_this<Context> {
  Context(ApiOptions o, Api::Outside out)
      : options(std::move(o)),
        outside(out),
        polls(outside.scheduler),
        qr_wait(outside.scheduler, outside.clock, outside.link, outside.status),
        qr_sockets(outside.scheduler, qr_wait, outside.link,
                   [this] {
                     json::Value account(::Json::objectValue);
                     account["wid"] = wid();
                     account["pushname"] = outside.link.account().push_name;
                     account["webhookUrl"] = settings().webhook_url;
                     return account;
                   }),
        idempotency(outside.scheduler, outside.blobs, options.job_life) {
    if (outside.each_job) idempotency.take_up(outside.each_job);
  }

  ApiOptions options;  ///< only the token changes
  const Api::Outside outside;
  LongPolls polls;
  QrWait qr_wait;
  QrSockets qr_sockets;
  Idempotency idempotency;
  NumberCache numbers;
  TypingShows typing{outside.scheduler, outside.presence};
  /// POSTs whose file is on its way, by key and body: the first, and those that repeat it.
  std::map<std::string, std::vector<Reply>> fetches;
  Mono avatar_rests_until{};  ///< WhatsApp is not asked for the own picture before that
  bool logging_out = false;
  std::optional<Mono> webhooks_cleared;
  std::optional<Mono> quota_told;  ///< quotaExceeded, last

  [[nodiscard]] Instance instance() const {
    return {options.id_instance, wid(), outside.link.account().push_name};
  }
  void tell(const std::optional<json::Value>& notification) const {
    if (notification && outside.tell) outside.tell(*notification);
  }
  [[nodiscard]] const Settings& settings() const { return outside.settings.current(); }
  [[nodiscard]] std::string wid() const {
    const std::string phone = outside.link.account().phone;
    return phone.empty() ? "" : phone + "@c.us";
  }
};

}  // namespace posthorn::api
