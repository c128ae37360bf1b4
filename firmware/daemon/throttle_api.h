#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/throttle_config.h"
#include "daemon/timed_pause.h"
#include "posthorn/api/api.h"
#include "posthorn/throttle/valve.h"

namespace posthorn::daemon {

/// What the official number would make of a message that is posted now.
struct OfficialOutlook {
  bool set_up = false;
  bool takes_it = false;  ///< else the linked account does, and nothing below counts
  bool opted_out = false;
  std::string refusal;           ///< why it would fail at once; "": it would not
  bool stopped = false;          ///< it waits for a person (getOfficialStatus)
  std::optional<Wall> earliest;  ///< it waits for the morning; absent: it goes at once
};
using AskOfficial = std::function<OfficialOutlook(const Job& job)>;

/// The throttle over the API (ours, not Green-API's), all under /waInstance{id}/{method}/{token}:
///
/// - GET getThrottleStatus: state, windows, and one sentence for people
/// - GET getThrottleAudit?count=100: the newest audit records, oldest first
/// - POST acknowledgeThrottle (care) {who, reason}: ends red, black and a fourth yellow
/// - POST addThrottleOverride (care) {limit, who, reason, hours?, campaignText?}
/// - POST endThrottleOverride (care) {limit, who}
/// - POST pauseSending {who, minutes?}, resumeSending {who}: nothing is handed to WhatsApp
///   meanwhile; not kept over a restart of the daemon; without minutes until it is told to go on
/// - GET getThrottleSettings: every setting with its value and range
/// - POST setThrottleSettings (care) {who, NAME: VALUE, …}: inside the policy's ranges; null: as
///   in posthorn.toml again
/// - POST canSend {chatId, consent?, urgent?, transport?, expiresIn?}: lane, earliest time and
///   reason of a plain text that is posted now; nothing is sent, asked or counted. All as on a
///   send, which refuses the same. expiresIn counts for first messages, which are refused when they
///   cannot go in it. Where the official number would take it: lane "official"
/// - POST declareNumberInUse (care) {months, who}: once in the box's life
/// - POST importRegulars (care) {csv, who}: whole lines of "number[,YYYY-MM-DD]" in pieces of up to
///   500 kB; answers how many were added, known before and not taken, with the first 20 reasons
/// - GET getOptOuts
/// - POST addOptOut {chatId, who, reason}
/// - POST removeOptOut (care) {chatId, who, reason}
///
/// "(care)" needs the technician's right. Errors: 400 with what is wrong and what is allowed.
/// valve, changes and pause outlive the API. job_life: of what is posted without expiresIn.
/// official: may be empty: no official number was ever set up.
[[nodiscard]] std::vector<api::Route> throttle_routes(throttle::Valve& valve,
                                                      SettingChanges& changes, TimedPause& pause,
                                                      hours job_life, AskOfficial official = {});

/// The getThrottleStatus answer.
[[nodiscard]] json::Value throttle_status_json(const throttle::Valve& valve);

/// The newest records of the audit log, oldest first, as getThrottleAudit shows them. Errors: io.
inline constexpr std::size_t kAuditMost = 1000;
[[nodiscard]] Result<json::Value> throttle_audit_json(const throttle::Valve& valve,
                                                      std::size_t count);

/// Prometheus text format 0.0.4.
[[nodiscard]] std::string metrics_text(const std::vector<throttle::Metric>& metrics);

}  // namespace posthorn::daemon
