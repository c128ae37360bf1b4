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

/// sendMessage: message, linkPreview, typePreview and customPreview. preview_unless_said: the
/// account's setting linkPreview. Errors: malformed (which field, and why).
[[nodiscard]] Result<content::Text> parse_text(const json::Value& body, bool preview_unless_said);

/// sendLocation: latitude, longitude, nameLocation and address. Errors: as above.
[[nodiscard]] Result<content::Location> parse_location(const json::Value& body);

/// sendContact: contact. The card names the number in the way that makes it one to tap on.
[[nodiscard]] Result<content::Contacts> parse_contact(const json::Value& body);

/// sendPoll: message, options and multipleAnswers.
[[nodiscard]] Result<content::Poll> parse_poll(const json::Value& body);

/// sendInteractiveButtons and (replies) sendInteractiveButtonsReply, as a text with numbered lines:
/// WhatsApp shows buttons of linked devices on some phones only.
enum class ButtonsAsked : std::uint8_t { actions, replies };
[[nodiscard]] Result<content::Text> parse_buttons(const json::Value& body, ButtonsAsked asked);

/// editMessage: idMessage and message.
[[nodiscard]] Result<content::Edit> parse_edit(const json::Value& body);

}  // namespace posthorn::api
