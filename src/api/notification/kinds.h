#pragma once

#include <optional>
#include <string>

#include "posthorn/base/content.h"
#include "posthorn/base/json.h"

namespace posthorn::api {

/// The translator from Content to Green-API's messageData, a function for each kind, in the file
/// of its family beside this one. All pure. content: the whole, for what stands beside the kind.
/// nullopt: Green-API has no form for it.
/// Source: Green-API's documentation of incoming messages, a page for each type.
#define POSTHORN_DECLARE_(Kind)                                                    \
  [[nodiscard]] std::optional<json::Value> show_message(const content::Kind& kind, \
                                                        const Content& content);
POSTHORN_CONTENT_KINDS(POSTHORN_DECLARE_)
#undef POSTHORN_DECLARE_

/// forwardingScore and isForwarded, for kinds that have them.
void show_forwarding(const Content& content, json::Value& data);
/// Of a message that answers another one: quotedMessage, beside the data of its kind.
void show_quote(const Quote& quote, json::Value& message);

/// The data of a kind as a journal's item and a quote show it: under the name that they have for
/// it. data: messageData.
void show_data(const json::Value& data, json::Value& out);

/// The strings come from people's phones: JSON must be UTF-8 whatever they sent.
[[nodiscard]] json::Value shown_text(const std::string& value);

}  // namespace posthorn::api
