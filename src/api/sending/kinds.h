#pragma once

#include "posthorn/base/content.h"
#include "posthorn/base/json.h"
#include "posthorn/base/result.h"

namespace posthorn::api {

/// The translator between Green-API's requests and Content, a file for each kind or family
/// beside this one. All pure. parse_NAME is for the method that sends the kind.
///
/// show_request: the request that made the job, for showMessagesQueue: fills in item["type"] (the
/// method; nothing for what only comes in) and the kind's own members of item["body"].
#define POSTHORN_DECLARE_(Kind) void show_request(const content::Kind& kind, json::Value& item);
POSTHORN_CONTENT_KINDS(POSTHORN_DECLARE_)
#undef POSTHORN_DECLARE_

/// sendMessage: message and linkPreview. Errors: malformed (which field, and why).
[[nodiscard]] Result<content::Text> parse_text(const json::Value& body);

}  // namespace posthorn::api
