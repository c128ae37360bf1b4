#pragma once

#include <string>
#include <string_view>

namespace posthorn {

/// A business-scoped user id of the official API: "CC." and up to 128 letters and digits, with
/// "ENT." before them for a parent's.
/// Source: Meta's page on business-scoped user ids, November 2026.
[[nodiscard]] bool is_user_id(std::string_view text);

/// "DE.1a2b@bsuid": the chatId of somebody whom the official API names without a number. The id's
/// letters count as they are written.
inline constexpr std::string_view kUserIdChat = "@bsuid";

/// Of a chatId with kUserIdChat: the id in it; else "".
[[nodiscard]] std::string user_id_in(std::string_view chat);

}  // namespace posthorn
