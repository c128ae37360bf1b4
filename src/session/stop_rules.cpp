#include "session/stop_rules.h"

#include <algorithm>
#include <array>

namespace posthorn::session {
namespace {

using Kind = Restriction::Kind;
using Where = StopRule::Where;
constexpr auto kNoRestriction = std::optional<Restriction::Kind>{};

constexpr std::string_view kLinkAgain =
    "Link the shop's phone again: run \"posthornctl pair\" and scan the QR code with it.";
constexpr std::string_view kUpdate =
    "Update the box (\"posthornctl update FILE.raucb\", on a computer apt): WhatsApp does not take "
    "this version any more.";
constexpr std::string_view kReport =
    "WhatsApp refused how the box introduced itself: send what \"posthornctl diagnose\" writes to "
    "the maker; \"posthornctl reconnect\" tries again at once.";
constexpr std::string_view kBan =
    "Wait until the ban has ended and send less: WhatsApp has banned this number for a time.";
constexpr std::string_view kLocked =
    "Open WhatsApp on the shop's phone and follow its instructions, then run \"posthornctl "
    "reconnect\": the account is locked.";
constexpr std::string_view kBanned =
    "Open WhatsApp on the shop's phone and ask for a review; when the account is back, run "
    "\"posthornctl reconnect\": the account is banned.";
constexpr std::string_view kReplaced =
    "Switch off the other program that uses this link: it is in use elsewhere. The box tries again "
    "by itself, with \"posthornctl reconnect\" at once.";
constexpr std::string_view kSlow = "Send less: WhatsApp says that this number is too fast.";

// Source: protocol chapter 04 sections 3 (failures) and 10.1 (stream errors), read August 2026.
// The first row that fits counts; a row with code 0 fits every code.
constexpr std::array kRules{
    StopRule{Where::failure, 400, "", "bad_request", State::paused, Retry::hourly, Keys::keep,
             kNoRestriction, kReport},
    StopRule{Where::failure, 401, "", "logged_out", State::logged_out, Retry::never, Keys::forget,
             Kind::unlinked, kLinkAgain},
    StopRule{Where::failure, 402, "", "temporary_ban", State::blocked, Retry::after_expiry,
             Keys::keep, Kind::temporary_ban, kBan},
    StopRule{Where::failure, 403, "", "account_locked", State::blocked, Retry::never, Keys::keep,
             Kind::locked, kLocked},
    StopRule{Where::failure, 405, "", "client_too_old", State::paused, Retry::hour_then_daily,
             Keys::keep, Kind::client_refused, kUpdate},
    StopRule{Where::failure, 406, "", "account_banned", State::blocked, Retry::never, Keys::keep,
             Kind::banned, kBanned},
    StopRule{Where::failure, 409, "", "bad_user_agent", State::paused, Retry::daily, Keys::keep,
             Kind::client_refused, kReport},
    StopRule{Where::failure, 413, "", "cat_expired", State::paused, Retry::hourly, Keys::keep,
             kNoRestriction, kReport},
    StopRule{Where::failure, 414, "", "cat_invalid", State::paused, Retry::hourly, Keys::keep,
             kNoRestriction, kReport},
    StopRule{Where::failure, 415, "", "not_found", State::paused, Retry::hourly, Keys::keep,
             kNoRestriction, kReport},
    StopRule{Where::failure, 418, "", "client_unknown", State::paused, Retry::hourly, Keys::keep,
             kNoRestriction, kReport},
    StopRule{Where::failure, 419, "", "not_authorized", State::paused, Retry::hourly,
             Keys::forget_later, kNoRestriction,
             "Wait an hour: WhatsApp refused this device and the box asks once more."},
    StopRule{Where::failure, 429, "", "rate_limited", State::backing_off, Retry::back_off_more,
             Keys::keep, Kind::rate_stream, kSlow},
    StopRule{Where::failure, 500, "", "server_error", State::backing_off, Retry::back_off,
             Keys::keep, kNoRestriction, ""},
    StopRule{Where::failure, 501, "", "experimental", State::paused, Retry::hour_then_daily,
             Keys::keep, kNoRestriction, kReport},
    StopRule{Where::failure, 503, "", "service_unavailable", State::backing_off, Retry::back_off,
             Keys::keep, kNoRestriction, ""},
    StopRule{Where::failure, 0, "", "unknown_failure", State::paused, Retry::hour_then_daily,
             Keys::keep, kNoRestriction, kReport},

    StopRule{Where::stream_error, 0, "conflict/device_removed", "unlinked", State::logged_out,
             Retry::never, Keys::forget, Kind::unlinked, kLinkAgain},
    StopRule{Where::stream_error, 0, "conflict/replaced", "replaced", State::replaced,
             Retry::growing, Keys::keep, Kind::replaced, kReplaced},
    StopRule{Where::stream_error, 515, "", "restart_required", State::connecting, Retry::at_once,
             Keys::keep, kNoRestriction, ""},
    StopRule{Where::stream_error, 516, "", "forced_logout", State::logged_out, Retry::never,
             Keys::forget, Kind::unlinked, kLinkAgain},
    StopRule{Where::stream_error, 401, "", "logged_out", State::logged_out, Retry::never,
             Keys::forget, Kind::unlinked, kLinkAgain},
    StopRule{Where::stream_error, 409, "", "replaced", State::replaced, Retry::growing, Keys::keep,
             Kind::replaced, kReplaced},
    StopRule{Where::stream_error, 429, "", "rate_limited", State::backing_off, Retry::back_off_more,
             Keys::keep, Kind::rate_stream, kSlow},
    StopRule{Where::stream_error, 0, "ack", "ack_missing", State::backing_off, Retry::back_off,
             Keys::keep, kNoRestriction, ""},
    StopRule{Where::stream_error, 413, "", "cat_expired", State::backing_off, Retry::back_off,
             Keys::keep, kNoRestriction, ""},
    StopRule{Where::stream_error, 414, "", "cat_invalid", State::backing_off, Retry::back_off,
             Keys::keep, kNoRestriction, ""},
    StopRule{Where::stream_error, 500, "", "server_error", State::backing_off, Retry::back_off,
             Keys::keep, kNoRestriction, ""},
    StopRule{Where::stream_error, 503, "", "service_unavailable", State::backing_off,
             Retry::back_off, Keys::keep, kNoRestriction, ""},
    StopRule{Where::stream_error, 0, "xml-not-well-formed", "broken_stanza", State::backing_off,
             Retry::back_off, Keys::keep, kNoRestriction, ""},
    StopRule{Where::stream_error, 0, "system-shutdown", "system_shutdown", State::backing_off,
             Retry::back_off, Keys::keep, kNoRestriction, ""},
    StopRule{Where::stream_error, 0, "", "stream_error", State::backing_off, Retry::back_off,
             Keys::keep, kNoRestriction, ""},
};

bool has_child(const wire::Node& stanza, std::string_view path) {
  const auto slash = path.find('/');
  const wire::Node* child = stanza.child(path.substr(0, slash));
  if (child == nullptr) return false;
  return slash == std::string_view::npos || child->text_attr("type") == path.substr(slash + 1);
}

bool fits(const StopRule& rule, Where where, int code, const wire::Node& stanza) {
  if (rule.where != where) return false;
  if (rule.code != 0 && rule.code != code) return false;
  return rule.child.empty() || has_child(stanza, rule.child);
}

int small_int(const wire::Node& stanza, std::string_view key) {
  const auto value = stanza.int_attr(key);
  if (!value || *value < 0 || *value > 99'999) return 0;
  return static_cast<int>(*value);
}

}  // namespace

std::span<const StopRule> stop_rules() { return kRules; }

Stop classify_stop(const wire::Node& stanza) {
  constexpr std::int64_t kLongestBan = 10LL * 366 * 24 * 3600;
  const auto where = stanza.tag == "failure" ? Where::failure : Where::stream_error;
  Stop stop;
  stop.code = small_int(stanza, where == Where::failure ? "reason" : "code");
  if (where == Where::failure) {
    stop.sub_code = small_int(stanza, "code");
    if (const auto expire = stanza.int_attr("expire"); expire && *expire > 0)
      stop.expires_in = seconds(std::min(*expire, kLongestBan));
  }
  stop.rule = &*std::ranges::find_if(
      kRules, [&](const StopRule& rule) { return fits(rule, where, stop.code, stanza); });
  return stop;
}

std::string_view ban_reason(int sub_code) {
  switch (sub_code) {
    case 101:
      return "too many messages to people who do not have this number in their address book";
    case 102:
      return "too many people blocked this number";
    case 103:
      return "too many groups created with people who do not have this number in their address "
             "book";
    case 104:
      return "the same message to too many people";
    case 106:
      return "too many messages to a broadcast list";
    default:
      return "WhatsApp gave no known reason";
  }
}

}  // namespace posthorn::session
