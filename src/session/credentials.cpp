#include "session/credentials.h"

#include <algorithm>
#include <array>

#include "posthorn/base/json.h"

namespace posthorn::session {
namespace {

constexpr std::string_view kCredentialsBlob = "session.credentials";
constexpr std::string_view kStandstillBlob = "session.standstill";
constexpr std::string_view kRefusalsBlob = "session.refusals";

std::string text_at(const json::Value& object, const char* key) {
  return json::string_at(object, key).value_or("");
}

Result<Bytes> bytes_at(const json::Value& object, const char* key, std::size_t expected = 0) {
  const auto bytes = base64_decode(text_at(object, key));
  if (!bytes || (expected != 0 && bytes->size() != expected))
    return fail(Errc::malformed, std::string("stored credentials: ") + key);
  return *bytes;
}

Result<wire::Jid> jid_at(const json::Value& object, const char* key) {
  const std::string text = text_at(object, key);
  if (text.empty()) return wire::Jid{};
  return wire::parse_jid(text);
}

std::int64_t number_at(const json::Value& object, const char* key) {
  return json::int_at(object, key).value_or(0);
}

json::Value to_json(const Credentials& c) {
  json::Value out;
  out["noise"] = base64_encode(c.noise_private);
  out["adv_secret"] = base64_encode(c.adv_secret);
  if (c.linked()) {
    out["pn"] = wire::to_string(c.identity.pn);
    if (!c.identity.lid.empty()) out["lid"] = wire::to_string(c.identity.lid);
    out["device_identity"] = base64_encode(c.identity.device_identity);
    out["account_key"] = base64_encode(c.identity.account_key);
    out["push_name"] = c.identity.push_name;
    if (c.identity.lid_migrated) out["lid_migrated"] = *c.identity.lid_migrated;
    out["platform"] = c.platform;
    out["business_name"] = c.business_name;
  }
  out["login_counter"] = c.login_counter;
  out["linked_before"] = c.linked_before;
  out["logged_in_once"] = c.logged_in_once;
  out["server_has_prekeys"] = c.server_has_prekeys;
  out["routing_info"] = base64_encode(c.routing_info);
  out["props_hash"] = c.props_hash;
  out["digest_checked_at"] = json::Value::Int64{c.digest_checked_at};
  out["prekey_rotated_at"] = json::Value::Int64{c.prekey_rotated_at};
  out["server_key"] = base64_encode(c.server_key);
  out["server_key_until"] = json::Value::Int64{c.server_key_until};
  return out;
}

Result<Credentials> from_json(const json::Value& in) {
  Credentials c;
  TRY(const Bytes noise, bytes_at(in, "noise", c.noise_private.size()));
  std::ranges::copy(noise, c.noise_private.begin());
  TRY(c.adv_secret, bytes_at(in, "adv_secret", 32));
  TRY(c.identity.pn, jid_at(in, "pn"));
  TRY(c.identity.lid, jid_at(in, "lid"));
  TRY(c.identity.device_identity, bytes_at(in, "device_identity"));
  TRY(c.identity.account_key, bytes_at(in, "account_key"));
  c.identity.push_name = text_at(in, "push_name");
  c.identity.lid_migrated = json::bool_at(in, "lid_migrated");
  c.platform = text_at(in, "platform");
  c.business_name = text_at(in, "business_name");
  c.login_counter = static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(number_at(in, "login_counter"), 0, 0x7FFF'FFFF));
  c.linked_before = json::bool_at(in, "linked_before").value_or(false);
  c.logged_in_once = json::bool_at(in, "logged_in_once").value_or(false);
  c.server_has_prekeys = json::bool_at(in, "server_has_prekeys").value_or(false);
  TRY(c.routing_info, bytes_at(in, "routing_info"));
  c.props_hash = text_at(in, "props_hash");
  c.digest_checked_at = number_at(in, "digest_checked_at");
  c.prekey_rotated_at = number_at(in, "prekey_rotated_at");
  TRY(c.server_key, bytes_at(in, "server_key"));
  c.server_key_until = number_at(in, "server_key_until");
  return c;
}

// Stored: do not rename.
constexpr std::array kStandingStates{State::paused, State::logged_out, State::blocked,
                                     State::replaced};

std::optional<State> standing_state(std::string_view name) {
  const auto at =
      std::ranges::find_if(kStandingStates, [&](State state) { return to_string(state) == name; });
  if (at == kStandingStates.end()) return std::nullopt;
  return *at;
}

}  // namespace

void CredentialStore::forget() {
  const bool linked_before = current_.linked_before || current_.linked();
  current_ = {};
  current_.linked_before = linked_before;
  random_.fill(current_.noise_private);
  current_.adv_secret = random_.bytes(32);
}

Result<void> CredentialStore::load() {
  TRY(const auto blob, blobs_.load(kCredentialsBlob));
  if (!blob) {
    forget();
    return save();
  }
  TRY(const auto value, json::parse(as_text(*blob)));
  TRY(current_, from_json(value));
  return {};
}

Result<void> CredentialStore::save() {
  return blobs_.save(kCredentialsBlob, as_bytes(json::write(to_json(current_))));
}

Result<std::optional<Standstill>> CredentialStore::load_standstill() {
  TRY(const auto blob, blobs_.load(kStandstillBlob));
  if (!blob || blob->empty()) return std::optional<Standstill>{};
  TRY(const auto value, json::parse(as_text(*blob)));
  const auto state = standing_state(text_at(value, "state"));
  if (!state) return std::optional<Standstill>{};
  Standstill out;
  out.state = *state;
  out.code = static_cast<int>(std::clamp<std::int64_t>(number_at(value, "code"), 0, 99'999));
  out.cause = text_at(value, "cause");
  out.what_to_do = text_at(value, "what_to_do");
  out.version = text_at(value, "version");
  if (const auto until = json::int_at(value, "until")) out.until = Wall::from_unix(*until);
  out.attempts = static_cast<int>(std::clamp<std::int64_t>(number_at(value, "attempts"), 0, 1000));
  return std::optional{out};
}

Result<void> CredentialStore::save_standstill(const std::optional<Standstill>& standstill) {
  if (!standstill) return blobs_.save(kStandstillBlob, {});
  json::Value out;
  out["state"] = std::string(to_string(standstill->state));
  out["code"] = standstill->code;
  out["cause"] = standstill->cause;
  out["what_to_do"] = standstill->what_to_do;
  out["attempts"] = standstill->attempts;
  out["version"] = standstill->version;
  if (standstill->until) out["until"] = json::Value::Int64{standstill->until->unix_seconds()};
  return blobs_.save(kStandstillBlob, as_bytes(json::write(out)));
}

Result<void> CredentialStore::keep_stanza(Wall at, const wire::Node& stanza) {
  TRY(const auto blob, blobs_.load(kRefusalsBlob));
  json::Value kept(Json::arrayValue);
  if (blob) {
    if (auto value = json::parse(as_text(*blob)); value && value->isArray()) kept = *value;
  }
  json::Value entry;
  entry["at"] = json::Value::Int64{at.unix_seconds()};
  entry["stanza"] = wire::to_xml(stanza).substr(0, kStanzaBytes);
  kept.append(entry);
  json::Value newest(Json::arrayValue);
  const auto count = kept.size();
  const auto skip = count > kKeptStanzas ? count - static_cast<unsigned>(kKeptStanzas) : 0U;
  for (unsigned i = skip; i < count; ++i) newest.append(kept[i]);
  return blobs_.save(kRefusalsBlob, as_bytes(json::write(newest)));
}

}  // namespace posthorn::session
