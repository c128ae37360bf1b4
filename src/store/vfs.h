#pragma once

namespace posthorn::store {

/// SQLite's VFS for our files. One process owns them (owner_lock.h), so its locks and the WAL's
/// index stay in this process's memory: no system calls for locks, a tenth of a message's cost, and
/// no `-shm` file on the flash. Other programs, SQLite's own shell too, are told "database is
/// locked" while we run. `wish`: nullptr, or the name of a test's VFS.
inline const char* vfs_name(const char* wish) { return wish != nullptr ? wish : "unix-excl"; }

}  // namespace posthorn::store
