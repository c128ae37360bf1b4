#include "chat/files/hosts.h"

#include <algorithm>

#include "posthorn/wire/jid.h"

namespace posthorn::chat {
namespace {

using wire::Node;

constexpr milliseconds kTimeout{30'000};
constexpr std::size_t kMostHosts = 4;
constexpr std::int64_t kMoment = 1'000'000'000;  // from here on a ttl is a date
constexpr seconds kBeforeItEnds{30};
constexpr seconds kShortest{30};
constexpr seconds kLongest{24 * 3600};
constexpr std::int64_t kNotSaid = 300;

std::int64_t life_of(const Node& conn, const char* name, std::int64_t now, std::int64_t otherwise) {
  const auto said = conn.int_attr(name);
  if (!said || *said <= 0) return otherwise;
  return *said >= kMoment ? *said - now : *said;
}

/// A name is put into a URL: nothing but names, digits and a port.
bool is_host(std::string_view name) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.:";
  return !name.empty() && name.size() <= 255 &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

}  // namespace

Node build_media_conn() {
  return Node(
      "iq",
      {{"type", "set"}, {"xmlns", "w:m"}, {"to", wire::Jid{"", std::string(wire::kServerUser), 0}}},
      std::vector{Node("media_conn")});
}

Result<MediaConn> parse_media_conn(const Node& reply, std::int64_t now) {
  const Node* conn = reply.child("media_conn");
  if (conn == nullptr) return fail(Errc::malformed, "media_conn: absent");
  MediaConn out;
  out.auth = conn->text_attr("auth");
  const std::int64_t ttl = life_of(*conn, "ttl", now, kNotSaid);
  out.life = seconds(std::min(ttl, life_of(*conn, "auth_ttl", now, ttl)));
  std::vector<std::string> fallback;
  for (const Node& host : conn->children()) {
    const std::string name = host.text_attr("hostname");
    if (host.tag != "host" || !is_host(name)) continue;
    if (out.hosts.size() + fallback.size() >= kMostHosts) break;
    (host.text_attr("type") == "fallback" ? fallback : out.hosts).push_back(name);
  }
  out.hosts.insert(out.hosts.end(), fallback.begin(), fallback.end());
  if (out.hosts.empty()) return fail(Errc::malformed, "media_conn: no host");
  return out;
}

const std::vector<std::string>& MediaHosts::usual() {
  static const std::vector<std::string> kHosts{"mmg.whatsapp.net", "mmg-fallback.whatsapp.net"};
  return kHosts;
}

void MediaHosts::get(Once<void(Result<MediaConn>)> done) {
  if (known_ && scheduler_.now() < until_) return done(*known_);
  if (!line_.online()) return done(fail(Errc::disconnected, "not connected to WhatsApp"));
  waiting_.push_back(std::move(done));
  if (waiting_.size() > 1) return;
  line_.ask(build_media_conn(), kTimeout,
            alive_.bind([this](Result<Node> reply) { on_answer(std::move(reply)); }));
}

void MediaHosts::on_answer(Result<Node> reply) {
  auto waiting = std::move(waiting_);
  waiting_.clear();
  auto conn = reply ? parse_media_conn(*reply, clock_.now().unix_seconds())
                    : Result<MediaConn>(fail(reply.error(), "media hosts"));
  if (conn) {
    known_ = *conn;
    until_ = scheduler_.now() + std::clamp(conn->life - kBeforeItEnds, kShortest, kLongest);
  }
  for (auto& done : waiting) done(conn);
}

}  // namespace posthorn::chat
