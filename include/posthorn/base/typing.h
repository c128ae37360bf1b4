#pragma once

#include <cstdint>

namespace posthorn {

/// What a chat is shown before a message: "typing…" or "recording audio…".
enum class Typing : std::uint8_t { none, text, recording };

}  // namespace posthorn
