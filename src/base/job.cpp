#include "posthorn/base/job.h"

#include <algorithm>
#include <cctype>

#include "base/content_stored.h"
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
  for (const std::string& chat : job.audience) out["audience"].append(chat);
  store_content(job.content, out);
  out["at"] = static_cast<::Json::Int64>(job.accepted_at.since_epoch.count());
  out["until"] = static_cast<::Json::Int64>(job.expires_at.since_epoch.count());
  if (job.urgent) out["urgent"] = true;
  if (job.typing.count() != 0) out["typing"] = static_cast<::Json::Int64>(job.typing.count());
  if (job.typing_type == Typing::recording) out["recording"] = true;
  if (!job.consent.empty()) out["consent"] = job.consent;
  if (!job.transport.empty()) out["transport"] = job.transport;
  if (!job.idempotency_key.empty()) out["key"] = job.idempotency_key;
  if (!job.body_digest.empty()) out["digest"] = job.body_digest;
  if (!job.method.empty()) out["method"] = job.method;
  if (!job.external_id.empty()) out["external"] = job.external_id;
  if (!job.posted.empty()) out["posted"] = job.posted;
  if (job.accepted_at.trusted) out["trusted"] = true;
  return to_bytes(json::write(out));
}

Result<Job> decode_job(ByteView record) {
  TRY(const json::Value in, json::parse(as_text(record)));
  const auto id = json::string_at(in, "id");
  const auto chat = json::string_at(in, "chat");
  if (!id || !chat) return fail(Errc::malformed, "job: id or chat missing");
  auto content = restore_content(in);
  if (!content) return fail(content.error(), "job");
  Job job;
  job.content = std::move(*content);
  job.id = *id;
  job.chat = *chat;
  for (const json::Value& one : json::at(in, "audience")) {
    job.audience.push_back(json::text_of(one).value_or(""));
  }
  const bool trusted = json::bool_at(in, "trusted").value_or(false);
  job.accepted_at = {milliseconds(json::int_at(in, "at").value_or(0)), trusted};
  job.expires_at = {milliseconds(json::int_at(in, "until").value_or(0)), trusted};
  job.urgent = json::bool_at(in, "urgent").value_or(false);
  job.typing = milliseconds(
      std::clamp<std::int64_t>(json::int_at(in, "typing").value_or(0), 0, kLongestTyping.count()));
  if (json::bool_at(in, "recording").value_or(false)) job.typing_type = Typing::recording;
  job.consent = json::string_at(in, "consent").value_or("");
  job.transport = json::string_at(in, "transport").value_or("");
  job.idempotency_key = json::string_at(in, "key").value_or("");
  job.body_digest = json::string_at(in, "digest").value_or("");
  job.method = json::string_at(in, "method").value_or("");
  job.external_id = json::string_at(in, "external").value_or("");
  job.posted = json::string_at(in, "posted").value_or("");
  return job;
}

}  // namespace posthorn
