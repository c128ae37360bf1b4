#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "posthorn/base/result.h"

namespace posthorn::wire {

/// The servers a JID can name. Stored as text, never as numbers.
inline constexpr std::string_view kServerUser = "s.whatsapp.net";
inline constexpr std::string_view kServerLid = "lid";
inline constexpr std::string_view kServerGroup = "g.us";
inline constexpr std::string_view kServerBroadcast = "broadcast";
inline constexpr std::string_view kServerNewsletter = "newsletter";
inline constexpr std::string_view kServerHosted = "hosted";
inline constexpr std::string_view kServerHostedLid = "hosted.lid";
inline constexpr std::string_view kServerLegacyUser = "c.us";

/// A WhatsApp address: a person, one device of a person, a group, or the server itself (no user).
/// PN form is user@s.whatsapp.net, LID form user@lid; device 0 is the phone and is not written.
/// Source: protocol chapter 02 (JIDs), 05 section 5.
struct Jid {
  std::string user;
  std::string server;
  std::uint16_t device = 0;

  [[nodiscard]] bool is_pn() const { return server == kServerUser; }
  [[nodiscard]] bool is_lid() const { return server == kServerLid; }
  [[nodiscard]] bool is_person() const { return is_pn() || is_lid(); }
  [[nodiscard]] bool is_group() const { return server == kServerGroup; }
  [[nodiscard]] bool empty() const { return user.empty() && server.empty(); }
  /// The same person without the device.
  [[nodiscard]] Jid bare() const { return {user, server, 0}; }
  [[nodiscard]] Jid with_device(std::uint16_t d) const { return {user, server, d}; }

  auto operator<=>(const Jid&) const = default;
};

/// "4915550001234:7@s.whatsapp.net"; device 0 is left out; a JID without a user is its server
/// alone.
[[nodiscard]] std::string to_string(const Jid& jid);

/// Reads that form; also "user.agent:device@server" (the agent is dropped, except that agents 1
/// of the user server mean lid) and a bare server. Errors: malformed.
[[nodiscard]] Result<Jid> parse_jid(std::string_view text);

}  // namespace posthorn::wire
