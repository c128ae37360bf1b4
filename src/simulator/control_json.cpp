#include "simulator/control_json.h"

#include <array>

#include "simulator/node_json.h"
#include "simulator/peer_content.h"

namespace posthorn::simulator {

json::Value account_json(const AccountInfo& account) {
  json::Value value;
  value["phone"] = account.pn.user;
  value["pn"] = to_string(account.pn);
  value["lid"] = to_string(account.lid);
  value["name"] = account.name;
  return value;
}

json::Value device_json(const Device& device) {
  json::Value value;
  value["id"] = device.id;
  value["key_index"] = device.key_index;
  value["platform"] = device.platform;
  value["virtual"] = device.virtual_device != nullptr;
  value["connected"] = device.connection != nullptr;
  value["live"] = device.live;
  value["prekeys"] = json::Value::UInt64(device.keys.one_time.size());
  value["queued"] = json::Value::UInt64(device.queue.size());
  return value;
}

json::Value received_json(const Received& received) {
  json::Value value;
  value["sequence"] = json::Value::UInt64(received.sequence);
  value["id"] = received.id;
  value["chat"] = received.chat;
  value["sender"] = received.sender;
  value["device"] = received.device;
  value["from_me"] = received.from_me;
  value["kind"] = received.kind;
  value["text"] = received.text;
  value["target_id"] = received.target_id;
  value["enc_type"] = received.enc_type;
  value["protobuf"] = base64_encode(received.protobuf);
  value["at"] = json::Value::Int64(received.at.since_epoch.count());
  if (received.file) {
    value["file"]["size"] = json::Value::UInt64(received.file->size);
    value["file"]["sha256"] = received.file->sha256;
  }
  return value;
}

json::Value entry_json(const JournalEntry& entry) {
  json::Value value;
  value["sequence"] = json::Value::UInt64(entry.sequence);
  value["direction"] = entry.direction == JournalEntry::Direction::in ? "in" : "out";
  value["connection"] = json::Value::UInt64(entry.connection);
  value["device"] = entry.device;
  value["at"] = json::Value::Int64(entry.at.since_epoch.count());
  value["node"] = node_to_json(entry.node);
  return value;
}

json::Value violation_json(const Violation& violation) {
  json::Value value;
  value["connection"] = json::Value::UInt64(violation.connection);
  value["device"] = violation.device;
  value["what"] = violation.what;
  value["at"] = json::Value::Int64(violation.at.since_epoch.count());
  return value;
}

Result<PeerText> read_peer_text(const json::Value& value) {
  PeerText text;
  const auto read = [&value](const char* name) {
    return json::text_of(json::at(value, name)).value_or("");
  };
  text.to = read("to");
  text.text = read("text");
  text.id = read("id");
  text.quoted_id = read("quoted_id");
  text.quoted_text = read("quoted_text");
  text.edit_of = read("edit_of");
  text.revoke_of = read("revoke_of");
  text.reaction_to = read("reaction_to");
  text.from_device = static_cast<std::uint16_t>(json::int_at(value, "as_device").value_or(0));
  text.extended = json::bool_at(value, "extended").value_or(false);
  text.tamper = json::bool_at(value, "tamper").value_or(false);
  text.tamper_all = json::bool_at(value, "tamper_all").value_or(false);
  text.unavailable = read("unavailable");
  text.vote_in = read("vote_in");
  for (const json::Value& option : json::at(value, "options")) {
    text.options.push_back(json::text_of(option).value_or(""));
  }
  TRY(const wa::Message content, read_peer_content(value));
  text.content = to_bytes(as_bytes(content.SerializeAsString()));
  if (text.to.empty()) return fail(Errc::malformed, "to: missing");
  const bool says = !text.text.empty() || !text.revoke_of.empty() || !text.reaction_to.empty() ||
                    !text.content.empty() || !text.vote_in.empty();
  if (!says) return fail(Errc::malformed, "text: missing");
  return text;
}

Result<PeerScript> read_script(const json::Value& value) {
  if (!value.isObject()) return fail(Errc::malformed, "a script is an object");
  PeerScript script;
  if (const auto ms = json::int_at(value, "reply_after")) script.reply_after = milliseconds(*ms);
  if (const auto ms = json::int_at(value, "read_after")) script.read_after = milliseconds(*ms);
  script.reply_text = json::string_at(value, "reply_text").value_or(script.reply_text);
  script.deliver = json::bool_at(value, "deliver").value_or(true);
  script.retry = json::bool_at(value, "retry").value_or(true);
  return script;
}

Result<LinkFlaw> read_link_flaw(const json::Value& value) {
  if (value.isNull()) return LinkFlaw::none;
  const std::string word = json::text_of(value).value_or("");
  if (word == "none") return LinkFlaw::none;
  if (word == "hmac") return LinkFlaw::hmac;
  if (word == "account_signature") return LinkFlaw::account_signature;
  if (word == "other_identity") return LinkFlaw::other_identity;
  return fail(Errc::malformed, "flaw: none, hmac, account_signature, other_identity");
}

namespace {

template <class Flaw>
struct FlawWord {
  std::string_view word;
  Flaw flaw;
};

constexpr std::array<FlawWord<PasskeyFlaw>, 20> kPasskeyFlaws{{
    {"none", PasskeyFlaw::none},
    {"options_missing", PasskeyFlaw::options_missing},
    {"options_damaged", PasskeyFlaw::options_damaged},
    {"options_withheld", PasskeyFlaw::options_withheld},
    {"stranger_asks", PasskeyFlaw::stranger_asks},
    {"secret_retired", PasskeyFlaw::secret_retired},
    {"new_refs", PasskeyFlaw::new_refs},
    {"bare_code_notice", PasskeyFlaw::bare_code_notice},
    {"answer_refused", PasskeyFlaw::answer_refused},
    {"phone_first", PasskeyFlaw::phone_first},
    {"phone_twice", PasskeyFlaw::phone_twice},
    {"phone_silent", PasskeyFlaw::phone_silent},
    {"short_key", PasskeyFlaw::short_key},
    {"short_nonce", PasskeyFlaw::short_nonce},
    {"zero_key", PasskeyFlaw::zero_key},
    {"nonce_refused", PasskeyFlaw::nonce_refused},
    {"request_refused", PasskeyFlaw::request_refused},
    {"success_first", PasskeyFlaw::success_first},
    {"no_success", PasskeyFlaw::no_success},
    {"old_secret", PasskeyFlaw::old_secret},
}};

constexpr std::array<FlawWord<AssertionFlaw>, 7> kAssertionFlaws{{
    {"none", AssertionFlaw::none},
    {"challenge", AssertionFlaw::challenge},
    {"origin", AssertionFlaw::origin},
    {"rp_id", AssertionFlaw::rp_id},
    {"flags", AssertionFlaw::flags},
    {"signature", AssertionFlaw::signature},
    {"credential", AssertionFlaw::credential},
}};

template <class Flaw, std::size_t N>
Result<Flaw> flaw_of(const json::Value& value, const std::array<FlawWord<Flaw>, N>& words) {
  if (value.isNull()) return Flaw{};
  const std::string word = json::text_of(value).value_or("");
  std::string known;
  for (const auto& one : words) {
    if (one.word == word) return one.flaw;
    known += (known.empty() ? "" : ", ") + std::string(one.word);
  }
  return fail(Errc::malformed, "flaw: " + known);
}

}  // namespace

Result<std::optional<PasskeyFlaw>> read_passkey(const json::Value& value) {
  if (value.isNull() || (value.isBool() && !value.asBool())) return std::optional<PasskeyFlaw>();
  TRY(const PasskeyFlaw flaw, flaw_of(json::at(value, "flaw"), kPasskeyFlaws));
  return std::optional(flaw);
}

Result<AssertionFlaw> read_assertion_flaw(const json::Value& value) {
  return flaw_of(value, kAssertionFlaws);
}

json::Value passkey_json(const Account& account) {
  const auto& passkey = account.passkey;
  if (!passkey.credential) return {};
  json::Value value;
  value["credential_id"] = base64_encode(passkey.credential->id);
  value["private_key"] = base64_encode(pkcs8_of(*passkey.credential));
  value["user_handle"] = base64_encode(passkey.credential->user_handle);
  value["rp_id"] = "whatsapp.com";
  value["stage"] = passkey.seen.stage;
  value["code"] = passkey.seen.code;
  value["handoff_proof"] = passkey.seen.handoff_proof;
  return value;
}

Simulator::Timelock read_timelock(const json::Value& value) {
  Simulator::Timelock lock;
  lock.active = json::bool_at(value, "active").value_or(false);
  lock.enforcement_type =
      json::string_at(value, "type").value_or(lock.active ? "WEB_COMPANION_ONLY" : "DEFAULT");
  lock.ends = json::int_at(value, "ends").value_or(0);
  return lock;
}

Simulator::Cap read_cap(const json::Value& value) {
  Simulator::Cap cap;
  cap.status = json::string_at(value, "status").value_or("NONE");
  cap.total = json::int_at(value, "total").value_or(0);
  cap.used = json::int_at(value, "used").value_or(0);
  cap.cycle_start = json::int_at(value, "cycle_start").value_or(0);
  cap.cycle_end = json::int_at(value, "cycle_end").value_or(0);
  return cap;
}

}  // namespace posthorn::simulator
