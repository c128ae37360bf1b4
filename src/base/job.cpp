#include "posthorn/base/job.h"

#include <algorithm>
#include <cctype>

#include "posthorn/base/crypto.h"
#include "posthorn/base/json.h"
#include "posthorn/base/random.h"

namespace posthorn {

std::string make_message_id(Random& random, Wall now, std::string_view own_user) {
  Bytes input;
  for (int shift = 56; shift >= 0; shift -= 8) {
    input.push_back(static_cast<std::byte>(now.unix_seconds() >> shift));
  }
  append(input, as_bytes(own_user));
  append(input, as_bytes("@c.us"));
  append(input, random.bytes(16));
  const crypto::Sha256 digest = crypto::sha256(input);
  std::string id = "3EB0" + hex_encode(ByteView(digest).first(9));
  std::transform(id.begin(), id.end(), id.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return id;
}

Bytes encode_job(const Job& job) {
  json::Value out;
  out["id"] = job.id;
  out["chat"] = job.chat;
  out["kind"] = static_cast<int>(job.kind);
  out["text"] = job.text;
  out["at"] = static_cast<::Json::Int64>(job.accepted_at.since_epoch.count());
  out["until"] = static_cast<::Json::Int64>(job.expires_at.since_epoch.count());
  if (!job.quoted_id.empty()) out["quoted"] = job.quoted_id;
  if (!job.link_preview) out["preview"] = false;
  if (job.urgent) out["urgent"] = true;
  if (job.typing.count() != 0) out["typing"] = static_cast<::Json::Int64>(job.typing.count());
  if (!job.consent.empty()) out["consent"] = job.consent;
  if (!job.idempotency_key.empty()) out["key"] = job.idempotency_key;
  if (job.accepted_at.trusted) out["trusted"] = true;
  return to_bytes(json::write(out));
}

Result<Job> decode_job(ByteView record) {
  TRY(const json::Value in, json::parse(as_text(record)));
  const auto id = json::string_at(in, "id");
  const auto chat = json::string_at(in, "chat");
  const auto kind = json::int_at(in, "kind");
  if (!id || !chat || !kind) return fail(Errc::malformed, "job: id, chat or kind missing");
  if (*kind != static_cast<int>(JobKind::text)) {
    return fail(Errc::unsupported, "job: kind " + std::to_string(*kind) + " is not known here");
  }
  Job job;
  job.id = *id;
  job.chat = *chat;
  job.text = json::string_at(in, "text").value_or("");
  const bool trusted = json::bool_at(in, "trusted").value_or(false);
  job.accepted_at = {milliseconds(json::int_at(in, "at").value_or(0)), trusted};
  job.expires_at = {milliseconds(json::int_at(in, "until").value_or(0)), trusted};
  job.quoted_id = json::string_at(in, "quoted").value_or("");
  job.link_preview = json::bool_at(in, "preview").value_or(true);
  job.urgent = json::bool_at(in, "urgent").value_or(false);
  job.typing = milliseconds(
      std::clamp<std::int64_t>(json::int_at(in, "typing").value_or(0), 0, kLongestTyping.count()));
  job.consent = json::string_at(in, "consent").value_or("");
  job.idempotency_key = json::string_at(in, "key").value_or("");
  return job;
}

}  // namespace posthorn
