#pragma once

#include "posthorn/simulator/simulator.h"
#include "simulator/directory.h"

/// Values of the control interface <-> JSON.
namespace posthorn::simulator {

[[nodiscard]] json::Value account_json(const AccountInfo& account);
[[nodiscard]] json::Value device_json(const Device& device);
[[nodiscard]] json::Value received_json(const Received& received);
[[nodiscard]] json::Value entry_json(const JournalEntry& entry);
[[nodiscard]] json::Value violation_json(const Violation& violation);

/// {to, text, as_device?, id?, quoted_id?, quoted_text?, edit_of?, revoke_of?, reaction_to?,
/// extended?, tamper?, tamper_all?, unavailable?}. Errors: malformed.
[[nodiscard]] Result<PeerText> read_peer_text(const json::Value& value);
/// {reply_after?, reply_text?, read_after?, deliver?, retry?}, times in ms. Errors: malformed.
[[nodiscard]] Result<PeerScript> read_script(const json::Value& value);
/// null, "none", "hmac", "account_signature", "other_identity". Errors: malformed.
[[nodiscard]] Result<LinkFlaw> read_link_flaw(const json::Value& value);
/// false and null: no passkey; true: one; {flaw: WORD}: one with that flaw. Errors: malformed.
[[nodiscard]] Result<std::optional<PasskeyFlaw>> read_passkey(const json::Value& value);
/// null, or the word. Errors: malformed, with the words that there are.
[[nodiscard]] Result<AssertionFlaw> read_assertion_flaw(const json::Value& value);
/// {credential_id, private_key, user_handle, rp_id, stage, code, handoff_proof}; null: no passkey.
[[nodiscard]] json::Value passkey_json(const Account& account);
[[nodiscard]] Simulator::Timelock read_timelock(const json::Value& value);
[[nodiscard]] Simulator::Cap read_cap(const json::Value& value);

}  // namespace posthorn::simulator
