#include "daemon/access_api.h"

#include <utility>

#include "posthorn/base/json.h"
#include "posthorn/base/log.h"

namespace posthorn::daemon {

std::vector<api::Route> AccessApi::routes() {
  api::Route shows;
  shows.name = "getAccess";
  shows.right = api::Right::care;
  shows.handler = [this](api::Call call) { show(std::move(call)); };
  api::Route renews;
  renews.name = "updateApiToken";
  renews.handler = [this](api::Call call) { renew(std::move(call)); };
  return {std::move(shows), std::move(renews)};
}

void AccessApi::show(api::Call call) const {
  json::Value out(::Json::objectValue);
  out["idInstance"] = static_cast<::Json::UInt64>(outside_.access.id_instance);
  out["apiTokenInstance"] = outside_.access.token;
  out["tokenFixed"] = outside_.token_fixed;
  const std::uint16_t https = outside_.https_port();
  out["httpsPort"] = https == 0 ? json::Value() : json::Value(https);
  call.send(out);
}

/// Answered when it is on disk: a till that was given a token must find it after a power cut.
void AccessApi::renew(api::Call call) {
  if (outside_.token_fixed) {
    return call.refuse(409,
                       "the token stands in posthorn.txt on the card (api_token) or in "
                       "posthorn.toml, and is changed there");
  }
  auto token = renew_token(outside_.blobs, outside_.random);
  if (!token) return call.refuse(token.error());
  outside_.blobs.durable([self = alive_.weak(), token = std::move(*token),
                          call = std::move(call)](Result<void> stored) mutable {
    AccessApi* me = self.get();
    if (!stored) return call.refuse(stored.error());
    if (me == nullptr) return call.refuse(Error{Errc::cancelled, ""});
    me->outside_.access.token = token;
    me->outside_.on_token();
    log::warn("api", "the token was replaced", {{"from", call.request.peer}});
    json::Value out(::Json::objectValue);
    out["apiTokenInstance"] = token;
    call.send(out);
  });
}

}  // namespace posthorn::daemon
