#pragma once

#include <string>

#include "api/context.h"
#include "posthorn/base/json.h"
#include "posthorn/journal/journal.h"

/// What the methods that show messages of the past have in common.
namespace posthorn::api {

/// False: the call is refused in words.
bool has_journal(Context& context, Call& call);

/// The name under which the journal has a chat.
[[nodiscard]] std::string key_of(const Context& context, const std::string& chat);

/// journal_item() with the link to its file and its author's name in the address book. chat: as the
/// till names it; host: of the request.
[[nodiscard]] json::Value message_item(Context& context, const journal::Entry& entry,
                                       const std::string& chat, const std::string& host);

}  // namespace posthorn::api
