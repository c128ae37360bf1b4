#pragma once

#include <cstdint>
#include <string>

#include "posthorn/base/result.h"

namespace posthorn::store {

/// Copies a store's database as it is now, without a WAL, to a new file of mode 0600: keys, link,
/// settings, names, the throttle's memory; neither what people wrote, wherever it is kept, nor
/// Signal sessions.
/// journal: the journal of what was said goes along when it is asked for.
/// at_most: bytes of the copy. It needs no other room: no memory, no temporary files.
/// May run on a Worker's thread while the store is open. Errors: io, full (disk, or at_most),
/// malformed (damaged).
enum class WithJournal : bool { no, yes };
Result<void> snapshot(const std::string& from, const std::string& to,
                      WithJournal journal = WithJournal::no, std::uint64_t at_most = UINT64_MAX);

/// Looks whether the file is a database of ours that this release can use, and makes it fit for
/// another life: the ratchets in it may have moved on since, and a ratchet that steps back would
/// use message keys twice, so all sessions go; both sides make new ones by themselves. Errors:
/// malformed (damaged, or no database of ours), unsupported (of a newer release), io.
Result<void> prepare_restored(const std::string& path);

}  // namespace posthorn::store
