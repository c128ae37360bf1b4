#include "daemon/advice.h"

namespace posthorn::daemon {

namespace {

constexpr auto kStorage =
    "The box cannot write to its card or disk. Make room on it if it is full (\"posthornctl "
    "board\" "
    "says how full it is and how worn); if it is broken, replace it and run \"posthornctl restore "
    "FILE\".";
constexpr auto kClock =
    "The box does not know the time and sends nothing before it does. WhatsApp tells it at the "
    "next "
    "login; a time_server in posthorn.txt does too.";
constexpr auto kNeedsWord =
    "Find out why WhatsApp restricted this number (\"posthornctl throttle\" says what it saw), "
    "then "
    "run \"posthornctl throttle acknowledge WHO REASON\".";

}  // namespace

std::string advise(const Status& status, const std::string& link, bool needs_word) {
  // The session's words about the disk know more: whether it is full.
  if (!status.storage_ok && !status.link_cause.starts_with("storage")) return kStorage;
  if (!link.empty()) return link;
  if (needs_word) return kNeedsWord;
  // While it is not linked that comes first, and brings the time.
  const bool waits_for_time = status.link == Status::Link::reconnecting && !status.clock_trusted;
  return waits_for_time ? kClock : "";
}

}  // namespace posthorn::daemon
