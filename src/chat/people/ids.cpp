#include "chat/people/ids.h"

#include <algorithm>

#include "posthorn/base/job.h"

namespace posthorn::chat {
namespace {

using wire::Jid;

constexpr std::size_t kMaxUser = 32;

bool is_digits(const std::string& user) {
  return !user.empty() && user.size() <= kMaxUser &&
         std::all_of(user.begin(), user.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Jid user_jid(std::string user, std::string_view server) {
  return {std::move(user), std::string(server), 0};
}

}  // namespace

Result<Jid> parse_chat_id(const std::string& chat) {
  if (chat == kStoryChat) return user_jid("status", wire::kServerBroadcast);
  const auto at = chat.find('@');
  if (at == std::string::npos) return fail(Errc::malformed, "chat id without @");
  std::string user = chat.substr(0, at);
  const std::string server = chat.substr(at + 1);
  if (server == wire::kServerGroup) {
    const auto group_char = [](char c) { return (c >= '0' && c <= '9') || c == '-'; };
    if (user.empty() || !std::all_of(user.begin(), user.end(), group_char)) {
      return fail(Errc::malformed, "group id");
    }
    return user_jid(std::move(user), wire::kServerGroup);
  }
  if (!is_digits(user)) return fail(Errc::malformed, "chat id is not a number");
  if (server == wire::kServerLid) return user_jid(std::move(user), wire::kServerLid);
  if (server == wire::kServerLegacyUser || server == wire::kServerUser) {
    return user_jid(std::move(user), wire::kServerUser);
  }
  return fail(Errc::malformed, "chat id ends in neither @c.us, @g.us nor @lid");
}

signal::Address address_of(const Jid& device) {
  return signal::make_address(device.user, device.server, device.device);
}

bool is_own_user(const session::Identity& self, const Jid& jid) {
  const auto same = [&](const Jid& own) {
    return !own.user.empty() && own.user == jid.user && own.server == jid.server;
  };
  return same(self.pn) || same(self.lid);
}

Jid from_hosted(Jid jid) {
  if (jid.server == wire::kServerHosted) jid.server = std::string(wire::kServerUser);
  if (jid.server == wire::kServerHostedLid) jid.server = std::string(wire::kServerLid);
  if (jid.server == wire::kServerLegacyUser) jid.server = std::string(wire::kServerUser);
  return jid;
}

}  // namespace posthorn::chat
