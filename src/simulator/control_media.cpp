// The verbs about files and the media host.
#include <algorithm>

#include "posthorn/base/crypto.h"
#include "simulator/control.h"
#include "simulator/control_replies.h"
#include "simulator/world.h"

namespace posthorn::simulator {
namespace {

/// "size": so many bytes of a pattern, for files that are too long to write down.
Bytes pattern(std::int64_t size) {
  Bytes out(static_cast<std::size_t>(std::clamp<std::int64_t>(size, 0, 200'000'000)));
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::byte>((31 * i + (i >> 8U)) & 0xFFU);
  }
  return out;
}

std::uint32_t number(const json::Value& value, const char* name) {
  const auto found = json::int_at(value, name).value_or(0);
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(found, 0, 1'000'000));
}

Result<PeerFile> read_peer_file(const json::Value& value) {
  const auto text = [&value](const char* name) {
    return json::text_of(json::at(value, name)).value_or("");
  };
  PeerFile file;
  file.to = text("to");
  if (file.to.empty()) return fail(Errc::malformed, "to: missing");
  if (!text("kind").empty()) file.kind = text("kind");
  file.mime = text("mime");
  file.name = text("name");
  file.caption = text("caption");
  file.id = text("id");
  file.from_device = static_cast<std::uint16_t>(number(value, "as_device"));
  file.seconds = number(value, "seconds");
  file.width = number(value, "width");
  file.height = number(value, "height");
  file.thumbnail = base64_decode(text("thumbnail")).value_or(Bytes());
  file.view_once = json::bool_at(value, "view_once").value_or(false);
  file.lies = json::bool_at(value, "lies").value_or(false);
  const auto bytes = base64_decode(text("bytes"));
  if (!bytes) return fail(Errc::malformed, "bytes: not base64");
  file.bytes = bytes->empty() ? pattern(json::int_at(value, "size").value_or(0)) : *bytes;
  return file;
}

Result<MediaRule> read_rule(const json::Value& value) {
  MediaRule rule;
  const std::string on = json::string_at(value, "on").value_or("download");
  if (on != "download" && on != "upload") return fail(Errc::malformed, "on: upload or download");
  rule.on = on == "upload" ? MediaRule::On::upload : MediaRule::On::download;
  rule.skip = static_cast<int>(number(value, "skip"));
  rule.count = json::at(value, "count").isNull() ? 1 : static_cast<int>(number(value, "count"));
  rule.status = static_cast<int>(number(value, "status"));
  if (const auto bytes = json::int_at(value, "cut_after")) {
    rule.cut_after = static_cast<std::uint64_t>(std::max<std::int64_t>(*bytes, 0));
  }
  rule.corrupt = json::bool_at(value, "corrupt").value_or(false);
  return rule;
}

}  // namespace

void Control::send_file(const Request& request, Done done) {
  const auto file = read_peer_file(request.body);
  if (!file) return done(refusal(file.error()));
  const auto id = simulator_.peer_send(request.parts[2], *file);
  if (!id) return done(refusal(id.error()));
  json::Value body;
  body["id"] = *id;
  body["sha256"] = hex_encode(crypto::sha256(file->bytes));
  done(ok(body));
}

void Control::show_media(const Request&, Done done) {
  json::Value body;
  body["host"] = world_.media.host;
  body["files"] = json::Value::UInt64(world_.media.count());
  body["uploads"] = json::Value::UInt64(world_.media.uploads());
  body["downloads"] = json::Value::UInt64(world_.media.downloads());
  done(ok(body));
}

void Control::change_media(const Request& request, Done done) {
  const std::string verb = json::string_at(request.body, "verb").value_or("");
  if (verb == "expire") {
    world_.media.expire_all();
  } else if (verb == "clear_rules") {
    world_.media.clear_rules();
  } else if (verb == "rule") {
    const auto rule = read_rule(request.body);
    if (!rule) return done(refusal(rule.error()));
    world_.media.add_rule(*rule);
  } else if (verb == "retry") {
    const auto set =
        simulator_.set_media_retry(json::text_of(json::at(request.body, "account")).value_or(""),
                                   json::string_at(request.body, "answer").value_or("success"));
    if (!set) return done(refusal(set.error()));
  } else {
    return done(refusal(400, "verb: expire, rule, clear_rules, retry"));
  }
  show_media(request, std::move(done));
}

}  // namespace posthorn::simulator
