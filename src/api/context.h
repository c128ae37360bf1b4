#pragma once

#include <memory>
#include <optional>

#include "api/idempotency.h"
#include "api/long_polls.h"
#include "api/number_cache.h"
#include "api/qr_sockets.h"
#include "api/qr_wait.h"
#include "api/typing_shows.h"
#include "posthorn/api/api.h"

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
  bool logging_out = false;
  std::optional<Mono> webhooks_cleared;

  [[nodiscard]] const Settings& settings() const { return outside.settings.current(); }
  [[nodiscard]] std::string wid() const {
    const std::string phone = outside.link.account().phone;
    return phone.empty() ? "" : phone + "@c.us";
  }
};

}  // namespace posthorn::api
