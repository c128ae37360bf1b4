#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "posthorn/base/blob_store.h"
#include "posthorn/base/config.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/throttle/settings.h"

namespace posthorn::daemon {

/// The [throttle] section as the throttle's own settings. Errors: malformed, with file, line, key
/// and what is allowed.
[[nodiscard]] Result<throttle::Settings> throttle_settings(const ThrottleConfig& config);

/// What operators changed through setThrottleSettings. Kept over restarts, and stronger than
/// posthorn.toml because it is the later word; taking a change back makes the file's value count
/// again.
class SettingChanges {
 public:
  /// Name to new value; nullopt: back to posthorn.toml.
  using Changes = std::map<std::string, std::optional<std::int64_t>>;
  static constexpr std::string_view kBlobName = "settings/throttle";

  explicit SettingChanges(BlobStore& blobs) : blobs_(blobs) {}

  /// configured: of posthorn.toml. A kept change that this release does not take (another range) is
  /// left out and logged. Errors: io.
  Result<throttle::Settings> load(const throttle::Settings& configured);
  /// What the settings become with these changes. delay_ms has one owner, setSettings, and stays as
  /// it is in `now`. Errors: not_found, refused, with what is allowed.
  [[nodiscard]] Result<throttle::Settings> preview(const Changes& changes,
                                                   const throttle::Settings& now) const;
  /// Keeps them; done: they are on disk.
  void keep(const Changes& changes, Once<void(Result<void>)> done);

 private:
  BlobStore& blobs_;
  throttle::Settings configured_;
  std::map<std::string, std::int64_t> kept_;
};

}  // namespace posthorn::daemon
