#include "posthorn/throttle/status.h"

#include <array>
#include <ctime>

#include "posthorn/throttle/signal.h"
#include "posthorn/throttle/valve.h"

namespace posthorn::throttle {
namespace {

constexpr std::array<std::string_view, 5> kLevels{"green", "amber", "yellow", "red", "black"};
constexpr std::array<std::string_view, 3> kLanes{"reply", "known", "first"};
constexpr std::array<std::string_view, 20> kHolds{"",
                                                  "pace",
                                                  "chat_gap",
                                                  "hour_cap",
                                                  "day_cap",
                                                  "opening_cap",
                                                  "unanswered",
                                                  "budget_30d",
                                                  "same_text",
                                                  "quiet_hours",
                                                  "checking_number",
                                                  "check_budget",
                                                  "reply_ratio",
                                                  "yellow",
                                                  "red",
                                                  "offline",
                                                  "reconnect_ramp",
                                                  "double_post",
                                                  "preparing",
                                                  "not_sent"};
constexpr std::array<std::string_view, 8> kRefusals{
    "noAccount",   "opted_out", "unanswered_limit", "campaign_needs_approval",
    "no_capacity", "expired",   "bad_chat",         "not_in_group"};
constexpr std::array<std::string_view, 18> kSignals{"rate_query",       "rate_stream",
                                                    "rate_message",     "reachout_ack",
                                                    "new_chat_cap_ack", "reachout_lock",
                                                    "capping",          "temporary_ban",
                                                    "locked",           "banned",
                                                    "unlinked",         "replaced",
                                                    "client_refused",   "integrity_challenge",
                                                    "takeover_notice",  "abrupt_closes",
                                                    "connection_lost",  "relinked"};
constexpr std::array<std::string_view, 5> kActions{"create_group", "add_group_member",
                                                   "post_status", "change_profile", "look_up"};

template <std::size_t N, class E>
std::string_view name_of(const std::array<std::string_view, N>& names, E value) {
  const auto at = static_cast<std::size_t>(value);
  return at < N ? names[at] : "unknown";
}

/// "14:05"; a day or more away "Tue 3 Mar 14:05".
std::string time_words(Wall wall, Wall now, seconds utc_offset) {
  const auto time = static_cast<std::time_t>(wall.unix_seconds() + utc_offset.count());
  std::tm local{};
  gmtime_r(&time, &local);
  std::array<char, 40> text{};
  const bool soon = wall - now < hours(24);
  const char* form = soon ? "%H:%M" : "%a %-d %b %H:%M";
  return {text.data(), std::strftime(text.data(), text.size(), form, &local)};
}

const WindowUse* find_window(const ThrottleStatus& status, std::string_view name) {
  for (const WindowUse& window : status.windows) {
    if (window.name == name) return &window;
  }
  return nullptr;
}

std::string jobs_wait(std::uint32_t count, std::string_view what_for) {
  return std::to_string(count) + (count == 1 ? " job waits " : " jobs wait ") +
         std::string(what_for);
}

std::string describe_level(const ThrottleStatus& status, seconds utc_offset) {
  const std::string until =
      status.until ? " until " + time_words(*status.until, status.now, utc_offset) : std::string();
  switch (status.level) {
    case Level::green:
      return {};
    case Level::amber:
      return "Sending more slowly" + until + ". ";
    case Level::yellow:
      return "WhatsApp has restricted this number: no new customers" + until + ". ";
    case Level::red:
      return "WhatsApp has blocked this number for a time: nothing is sent" + until + ". ";
    case Level::black:
      return "The number is no longer linked: nothing is sent. ";
  }
  return {};
}

}  // namespace

std::string_view to_string(Level level) { return name_of(kLevels, level); }
std::string_view to_string(Lane lane) { return name_of(kLanes, lane); }
std::string_view to_string(Hold hold) { return name_of(kHolds, hold); }
std::string_view to_string(Refusal refusal) { return name_of(kRefusals, refusal); }
std::string_view to_string(Signal::Kind kind) { return name_of(kSignals, kind); }
std::string_view to_string(Action action) { return name_of(kActions, action); }

std::string describe(const ThrottleStatus& status, seconds utc_offset) {
  std::string text = describe_level(status, utc_offset);
  if (const WindowUse* openings = find_window(status, "openings_day")) {
    text += std::to_string(openings->used) + " of " + std::to_string(openings->allowed) +
            " new customers today.";
  }
  if (status.next_opening && status.level < Level::yellow)
    text +=
        " Next new customer at " + time_words(*status.next_opening, status.now, utc_offset) + ".";
  if (status.waiting_for_morning > 0)
    text += " " + jobs_wait(status.waiting_for_morning, "for the morning.");
  if (status.bad_numbers && *status.bad_numbers > 0.25)
    text += " More than one in four of the new numbers is not on WhatsApp.";
  if (status.welcome_share && *status.welcome_share < 0.10)
    text += " Fewer than one in ten new customers answers or opens it: let them write first.";
  if (status.needs_acknowledgement)
    text += " Somebody must confirm on this page that it may go on.";
  return text;
}

}  // namespace posthorn::throttle
