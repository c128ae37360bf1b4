#pragma once

#include <string>

#include "setup/settings.h"

/// Settings on disk, and writing so that a power cut leaves the old or the new.
namespace posthorn::setup {

/// Under a name of its own, synced, renamed. Errors: io.
Result<void> write_durably(const std::string& path, const std::string& text, unsigned mode);
/// Over the old bytes, so that they are gone, and synced: for secrets on the FAT partition.
/// Errors: io.
Result<void> overwrite(const std::string& path, const std::string& text);
/// Errors: not_found, io.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t at_most);

/// state: root's folder on the data partition, "/var/lib/posthorn-system".
[[nodiscard]] Settings load_kept(const std::string& state);
/// Writes nothing when nothing changed. Errors: io.
Result<void> save_kept(const std::string& state, const Settings& settings);

enum class Forget : unsigned char { network, everything };
/// True: something was there and is gone. Errors: io.
Result<bool> forget_kept(const std::string& state, Forget what);

}  // namespace posthorn::setup
