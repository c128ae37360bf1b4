#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/base/alive.h"
#include "posthorn/base/clock.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/session/line.h"
#include "posthorn/wire/node.h"

namespace posthorn::chat {

/// What WhatsApp says about its media hosts.
struct MediaConn {
  std::string auth;                ///< for uploads
  std::vector<std::string> hosts;  ///< "name" or "name:port", at least one, the preferred first
  seconds life{0};

  bool operator==(const MediaConn&) const = default;
};

/// <iq type="set" xmlns="w:m" to="s.whatsapp.net"><media_conn/></iq>
[[nodiscard]] wire::Node build_media_conn();
/// now: Unix seconds; a ttl may be a moment. Errors: malformed (no host).
/// Source: chapter 08 section 1.
[[nodiscard]] Result<MediaConn> parse_media_conn(const wire::Node& reply, std::int64_t now);

/// The media hosts of this connection, asked for once and again when the answer has aged.
class MediaHosts {
 public:
  MediaHosts(session::Line& line, Scheduler& scheduler, const Clock& clock)
      : line_(line), scheduler_(scheduler), clock_(clock) {}

  /// Errors: disconnected, timeout, malformed, refused.
  void get(Once<void(Result<MediaConn>)> done);
  /// The hosts where files are read when WhatsApp cannot be asked.
  [[nodiscard]] static const std::vector<std::string>& usual();
  /// They refused the auth, or the connection is new.
  void forget() { known_.reset(); }

 private:
  void on_answer(Result<wire::Node> reply);

  session::Line& line_;
  Scheduler& scheduler_;
  const Clock& clock_;
  std::optional<MediaConn> known_;
  Mono until_;
  std::vector<Once<void(Result<MediaConn>)>> waiting_;
  Alive<MediaHosts> alive_{this};
};

}  // namespace posthorn::chat
