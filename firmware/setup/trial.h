#pragma once

#include <cstdint>
#include <string>

#include "setup/settings.h"

/// Network settings on trial: a change asked for over the API holds for good only when somebody has
/// confirmed it. Until then the settings of before stand beside the kept ones, so a power cut in
/// the middle leads back to them.
namespace posthorn::setup {

/// How long a change waits to be confirmed.
inline constexpr int kTrialSeconds = 90;
/// What the daemon asks root for: files in its folder of requests.
inline constexpr const char* kChangeRequest = "network-change";
inline constexpr const char* kConfirmRequest = "network-confirm";
/// CLOCK_BOOTTIME, which no correction of the time moves, in seconds.
[[nodiscard]] std::int64_t since_boot();

/// The keys that may be changed so.
[[nodiscard]] bool is_tried(std::string_view key);

/// Keeps `wanted` in place of `before`, which stays beside it. state, run: root's folders on the
/// data partition and in memory. Errors: io.
Result<void> begin_trial(const std::string& state, const std::string& run, const Settings& before,
                         const Settings& wanted);
/// The settings hold for good. Errors: io.
Result<void> settle_trial(const std::string& state, const std::string& run);
/// Those of before hold again; false: there was no trial. Errors: io.
Result<bool> give_up_trial(const std::string& state, const std::string& run);
/// A trial of before this start of the system: nobody has confirmed it.
[[nodiscard]] bool trial_was_cut(const std::string& state, const std::string& run);

/// What became of the last change, for the daemon: run/network-status.json.
struct TrialStatus {
  std::string state;         ///< "waiting", "kept", "back", "refused"
  std::string detail = {};   ///< a sentence for people
  std::int64_t until_s = 0;  ///< of CLOCK_BOOTTIME, while it waits
};
Result<void> tell_trial(const std::string& run, const TrialStatus& status);

/// What holds, for the daemon: run/network.json, with no secret in it. on_card: the keys of
/// posthorn.txt, which win at every start. Its being there says that the network is ours to set.
Result<void> tell_network(const std::string& run, const Settings& settings, const Parsed& on_card);
/// The keys that posthorn.txt has, out of that file; nullopt: the network is not ours to set.
[[nodiscard]] std::optional<std::vector<std::string>> keys_on_card(const std::string& run);

}  // namespace posthorn::setup
