#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "posthorn/base/blob_store.h"
#include "posthorn/base/config.h"
#include "posthorn/base/random.h"
#include "posthorn/base/result.h"

namespace posthorn::daemon {

/// Where it is kept.
inline constexpr std::string_view kAccessBlob = "api/access";

/// How the API is reached. Made on first start, kept from then on, unless the configuration says
/// it.
struct Access {
  std::uint64_t id_instance = 0;
  std::string token;       ///< the till's: send and receive
  std::string care_token;  ///< the technician's: backup, restore, update, reset
  bool fresh = false;      ///< made just now: worth showing to whoever sets the box up
};
[[nodiscard]] Result<Access> load_access(BlobStore& blobs, const ApiConfig& config, Random& random);

/// Keeps a new token in place of the one in `blobs`, and returns it. Errors: io.
[[nodiscard]] Result<std::string> renew_token(BlobStore& blobs, Random& random);

/// Writes "access.json" (mode 0600) into the data directory, so that posthornctl on the box needs
/// no arguments. Errors: io.
Result<void> write_access_file(const std::string& data_dir, const std::string& url,
                               const Access& access);

}  // namespace posthorn::daemon
