#pragma once

#include <optional>

#include "posthorn/base/json.h"
#include "posthorn/base/time.h"
#include "posthorn/session/linking.h"

namespace posthorn::api {

/// What qr answers while WhatsApp asks for the account's passkey: {type: "passkeyRequired",
/// message}, which is Green-API's form, and ours beside it; nullopt while it does not ask.
[[nodiscard]] std::optional<json::Value> passkey_required(const session::Passkey& passkey,
                                                          Wall now);

}  // namespace posthorn::api
