#include "chat/send/ack.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace posthorn::chat {
namespace {

using Kind = throttle::SendOutcome::Kind;

struct AckRow {
  int code;
  Kind kind;
  std::string_view meaning;
};

// Chapter 06 section 5 and chapter 04 section 10.2. Codes that are not here: rejected.
constexpr std::array kAckRows = {
    AckRow{400, Kind::rejected, "the server found the stanza malformed"},
    AckRow{401, Kind::rejected, "not allowed"},
    AckRow{403, Kind::rejected, "not allowed: blocked, or not a member"},
    AckRow{404, Kind::no_account, "no such recipient"},
    AckRow{405, Kind::rejected, "not allowed"},
    AckRow{406, Kind::rejected, "not acceptable"},
    AckRow{408, Kind::uncertain, "the server timed out"},
    AckRow{421, Kind::rejected, "stale group addressing"},
    AckRow{429, Kind::restricted, "too many messages"},
    AckRow{463, Kind::restricted, "the account may not open new chats now"},
    AckRow{475, Kind::restricted, "the account's new chats are used up"},
    AckRow{479, Kind::rejected, "the server found the stanza invalid"},
    AckRow{500, Kind::uncertain, "server error"},
    AckRow{503, Kind::uncertain, "server unavailable"},
};

std::optional<session::Restriction::Kind> restriction_of(int code) {
  switch (code) {
    case 429:
      return session::Restriction::Kind::rate_message;
    case 463:
      return session::Restriction::Kind::reachout_ack;
    case 475:
      return session::Restriction::Kind::new_chat_cap_ack;
    default:
      return std::nullopt;  // the other codes say nothing about the account
  }
}

}  // namespace

AckReading read_ack(const wire::Node& ack, const std::string& chat, Wall now) {
  AckReading reading;
  auto& outcome = reading.outcome;
  const auto t = ack.int_attr("t");
  outcome.server_time = t && *t > 0 ? Wall::from_unix(*t) : now;
  reading.refresh_lid = ack.text_attr("refresh_lid") == "true";
  // A 1:1 stanza of ours carries no phash, so the server sends one only when the sets differ.
  reading.refresh_devices = ack.has_attr("phash");
  if (!ack.has_attr("error")) return reading;

  outcome.code =
      static_cast<int>(std::clamp<std::int64_t>(ack.int_attr("error").value_or(0), 0, 9999));
  const auto row = std::find_if(kAckRows.begin(), kAckRows.end(),
                                [&](const AckRow& r) { return r.code == outcome.code; });
  outcome.kind = row == kAckRows.end() ? Kind::rejected : row->kind;
  outcome.detail = row == kAckRows.end() ? "refused by the server" : std::string(row->meaning);
  reading.rebuild_and_retry = outcome.code == 479;
  reading.refresh_devices = reading.refresh_devices || outcome.code == 479;
  reading.issue_token = outcome.code == 463;
  if (const auto kind = restriction_of(outcome.code)) {
    session::Restriction restriction;
    restriction.kind = *kind;
    restriction.code = outcome.code;
    restriction.chat = chat;
    restriction.raw = to_xml(ack);
    reading.restriction = std::move(restriction);
  }
  return reading;
}

}  // namespace posthorn::chat
