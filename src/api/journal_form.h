#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "posthorn/api/file_links.h"
#include "posthorn/base/job.h"
#include "posthorn/base/json.h"
#include "posthorn/chat/events.h"
#include "posthorn/journal/journal.h"

/// An entry of the journal in its two forms. Kept: JSON with `data` (Green-API's messageData),
/// `sender` and `name` of what came in, `file` (ref, name and type, for a link that leads to the
/// box as it is called today); of a call `video` and `status`. Members that are not known are left
/// alone. Shown: an item of getChatHistory and its sisters.
namespace posthorn::api {

/// nullopt: Green-API has no form for it.
[[nodiscard]] std::optional<std::string> kept_form(const chat::Message& message);
[[nodiscard]] std::optional<std::string> kept_form(const Job& job);
[[nodiscard]] std::string kept_form(const chat::Call& call);
/// Of a notification: its senderData and messageData.
[[nodiscard]] std::string kept_form(const json::Value& sender, const json::Value& data);

/// What stays of a kept form when the message is deleted: who sent what kind of it.
[[nodiscard]] std::string deleted_form(const std::string& kept);
/// Of editedMessageData: what the message says now.
[[nodiscard]] std::optional<std::string> edited_text(const json::Value& edit);
/// Of an incoming message: its author's chatId; empty: not kept.
[[nodiscard]] std::string kept_sender(const std::string& kept);

/// Valid UTF-8, whatever a phone sent.
[[nodiscard]] std::string shown(const std::string& text);

[[nodiscard]] std::string_view status_name(journal::Status status);

/// An item as the contract has it. chat: as the till names it; links: null without files; host: of
/// the request. Source: Green-API's documentation of the journals, July 2026.
[[nodiscard]] json::Value journal_item(const journal::Entry& entry, const std::string& chat,
                                       const FileLinks* links, const std::string& host);
[[nodiscard]] json::Value call_item(const journal::Entry& entry, const std::string& chat);

}  // namespace posthorn::api
