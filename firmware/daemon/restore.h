#pragma once

#include <string>

#include "posthorn/base/result.h"

/// A backup takes the place of the database at the next start, before anything is open; a request
/// file says so, and is forgotten last, so that a power cut only means that it is done again.
namespace posthorn::daemon {

/// database: checked, complete and synced, in the incoming folder. Errors: io.
Result<void> request_restore(const std::string& data_dir, const std::string& database);
/// At start. True: the database is the backup's now; what was there before is gone. Errors: io.
Result<bool> finish_restore(const std::string& data_dir);

}  // namespace posthorn::daemon
