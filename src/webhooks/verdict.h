#pragma once

#include <string>

#include "posthorn/base/result.h"
#include "posthorn/net/http_client.h"

namespace posthorn::webhooks {

/// What an answer to a notification means.
struct Verdict {
  enum class About : std::uint8_t {
    delivered,     ///< 200, and nothing else (Green-API's rule)
    notification,  ///< the receiver cannot take this one
    unclear,       ///< this one, or all of them
    receiver,      ///< the receiver or the way to it, whatever the notification
  };
  About about = About::receiver;
  std::string what;        ///< "answers 204", "refused: connection refused"; the same for the same
  std::string what_to_do;  ///< a sentence for whoever looks after the receiver
};
[[nodiscard]] Verdict judge(const Result<net::HttpResponse>& answer);

}  // namespace posthorn::webhooks
