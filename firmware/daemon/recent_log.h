#pragma once

#include <string>
#include <string_view>

/// The newest lines of our own log, for the support bundle: the journal is not ours to read.
namespace posthorn::daemon {

/// From now on lines go to stderr and into a ring of 64 KiB, with the time in front.
void keep_recent_log();
/// Oldest first.
[[nodiscard]] std::string recent_log();

/// Hides what may be a number, a token or a key: 7 digits in a row, or 24 characters of the
/// alphabets of hexadecimal and base64 that mix letters and digits. Log lines have none by rule;
/// this is for the line that breaks it.
[[nodiscard]] std::string scrub(std::string_view text);

}  // namespace posthorn::daemon
