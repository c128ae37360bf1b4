#pragma once

#include <string_view>

namespace posthorn {

/// A business-scoped user id of the official API: "CC." and up to 128 letters and digits, with
/// "ENT." before them for a parent's. Its owner's chatId is "DE.1a2b@bsuid".
/// Source: Meta's page on business-scoped user ids, November 2026.
[[nodiscard]] bool is_user_id(std::string_view text);

}  // namespace posthorn
