#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/json.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"

/// hawkBit's Direct Device Integration, version 1: polling over HTTP with JSON. Pure.
/// Source: Eclipse hawkBit documentation, DDI API (root resource, deploymentBase, feedback,
/// cancelAction, configData), read November 2026.
namespace posthorn::fleet {

struct DdiPoll {
  seconds sleep{300};  ///< 1 s .. 24 h
  std::string deployment;
  std::string cancel;
  std::string config_data;
};
/// Errors: malformed.
[[nodiscard]] Result<DdiPoll> parse_poll(std::string_view text);

struct DdiDeployment {
  std::string id;
  bool forced = false;         ///< update: "forced": at once
  bool skipped = false;        ///< download or update: "skip": not now
  bool window_closed = false;  ///< maintenanceWindow: "unavailable"
  std::string url;
  std::string sha256;
  std::uint64_t size = 0;
  std::string name;  ///< chunk's name and version, for people
};
/// The one .raucb among the artifacts; without a url where there is none, more than one, or one
/// without size and SHA-256: that update cannot be done, and the server is told so. Errors:
/// malformed.
[[nodiscard]] Result<DdiDeployment> parse_deployment(std::string_view text);

/// The action that is to be cancelled; its stopId. Errors: malformed.
[[nodiscard]] Result<std::string> parse_cancel(std::string_view text);

/// execution: "proceeding", "closed", "canceled", "rejected", …; finished: "none", "success",
/// "failure".
[[nodiscard]] std::string feedback_text(const std::string& id, std::string_view execution,
                                        std::string_view finished, const std::string& detail);

}  // namespace posthorn::fleet
