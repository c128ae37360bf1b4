#pragma once

#include <string>

#include "posthorn/base/blob_store.h"
#include "posthorn/base/once.h"
#include "posthorn/base/random.h"
#include "posthorn/base/result.h"

namespace posthorn::cloud {

/// Who the box is to software for the official API, and whom it tells; one blob, made on first use.
struct BoxIdentity {
  std::string phone_number_id;  ///< 15 digits
  std::string waba_id;          ///< 15 digits
  std::string app_secret;       ///< 32 hex digits; signs webhooks
  std::string verify_token;     ///< what a receiver is asked with
  std::string callback_url;     ///< "": nobody is told
};

/// Errors: io.
[[nodiscard]] Result<BoxIdentity> load_identity(BlobStore& blobs, Random& random);
[[nodiscard]] Result<void> save_identity(BlobStore& blobs, const BoxIdentity& identity);

}  // namespace posthorn::cloud
