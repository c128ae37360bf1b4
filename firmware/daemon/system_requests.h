#pragma once

#include <string>
#include <string_view>

#include "posthorn/base/result.h"

/// What the daemon asks root to do: a file in a folder, whose name is the whole request. The other
/// end is firmware/system/request.cpp.
namespace posthorn::daemon {

inline constexpr std::string_view kRequestsFolder = "requests";
/// Where files grow that will become a request or a download; emptied at each start.
inline constexpr std::string_view kIncomingFolder = "incoming";

/// What ask_for_update() puts there; root renames it before it says a word.
inline constexpr std::string_view kUpdateRequest = "update.raucb";

/// request: "network-reset", "network-confirm", "reset-settings", "reset-everything", "reboot".
/// Errors: io.
Result<void> ask_system(const std::string& data_dir, std::string_view request);
/// The same for the one whose content counts, "network-change": it is there whole or not at all.
/// Errors: io.
Result<void> ask_system_with(const std::string& data_dir, std::string_view request,
                             std::string_view content);
/// The same with a file that is complete and synced: it is moved there as "update.raucb".
Result<void> ask_for_update(const std::string& data_dir, const std::string& bundle);

/// A small file of ours, on the disk when this returns. Errors: io.
Result<void> write_durably(const std::string& path, std::string_view text);
/// A rename or a new name in it survives a power cut from now on.
void sync_folder(const std::string& folder);

}  // namespace posthorn::daemon
