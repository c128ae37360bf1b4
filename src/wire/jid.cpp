#include "posthorn/wire/jid.h"

#include <charconv>

namespace posthorn::wire {

namespace {

/// The agent that the old form "user.1:device@s.whatsapp.net" uses for LID.
constexpr std::uint8_t kAgentLid = 1;

template <class Number>
bool read_number(std::string_view digits, Number& out) {
  if (digits.empty()) return false;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return error == std::errc() && end == digits.data() + digits.size();
}

Error bad_jid(std::string_view what) { return {Errc::malformed, "JID: " + std::string(what)}; }

}  // namespace

std::string to_string(const Jid& jid) {
  if (jid.user.empty() && jid.device == 0) return jid.server;
  std::string out = jid.user;
  if (jid.device != 0) {
    out += ':';
    out += std::to_string(jid.device);
  }
  out += '@';
  out += jid.server;
  return out;
}

Result<Jid> parse_jid(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos) {
    const bool bare_server = text == kServerUser || text == kServerGroup || text == kServerLid ||
                             text == kServerBroadcast || text == kServerNewsletter ||
                             text == kServerLegacyUser;
    if (!bare_server) return tl::unexpected(bad_jid("no server"));
    return Jid{{}, std::string(text), 0};
  }
  Jid jid;
  jid.server = text.substr(at + 1);
  if (jid.server.empty()) return tl::unexpected(bad_jid("no server"));

  std::string_view user = text.substr(0, at);
  const std::size_t colon = user.find(':');
  if (colon != std::string_view::npos) {
    if (!read_number(user.substr(colon + 1), jid.device)) {
      return tl::unexpected(bad_jid("device is not a number up to 65535"));
    }
    user = user.substr(0, colon);
    if (user.empty()) return tl::unexpected(bad_jid("device without a user"));
  }
  const std::size_t dot = user.find('.');
  if (dot != std::string_view::npos) {
    std::uint8_t agent = 0;
    if (!read_number(user.substr(dot + 1), agent)) {
      return tl::unexpected(bad_jid("agent is not a number up to 255"));
    }
    user = user.substr(0, dot);
    if (agent == kAgentLid && jid.server == kServerUser) jid.server = kServerLid;
  }
  jid.user = user;
  return jid;
}

}  // namespace posthorn::wire
