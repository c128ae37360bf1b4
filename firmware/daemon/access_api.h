#pragma once

#include <functional>
#include <string>
#include <vector>

#include "daemon/access.h"
#include "posthorn/api/api.h"
#include "posthorn/base/alive.h"

namespace posthorn::daemon {

/// How tills reach the box, over the API itself: getAccess (the technician's and the page's) tells
/// id, token and the port of HTTPS (null: it does not listen), updateApiToken makes another token.
class AccessApi {
 public:
  struct Outside {
    Access& access;  ///< the one in force; changes with the token
    BlobStore& blobs;
    Random& random;
    bool token_fixed = false;                   ///< by the configuration
    std::function<std::uint16_t()> https_port;  ///< 0: it does not listen
    /// The new token is on disk: from here on it is the one.
    std::function<void()> on_token;
  };
  explicit AccessApi(Outside outside) : outside_(std::move(outside)) {}

  [[nodiscard]] std::vector<api::Route> routes();

 private:
  void show(api::Call call) const;
  void renew(api::Call call);

  Outside outside_;
  Alive<AccessApi> alive_{this};
};

}  // namespace posthorn::daemon
