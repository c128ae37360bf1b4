#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "posthorn/base/content.h"
#include "posthorn/cloud/ledger.h"

namespace posthorn::cloud {

/// Files under ids of digits, as the official API names them; the newest 4096 or so.
class MediaIds {
 public:
  struct Media {
    std::string ref;  ///< files::Store
    std::string mime, name;
    std::uint64_t size = 0;
    bool operator==(const Media&) const = default;
  };

  explicit MediaIds(BlobStore& blobs);

  /// An id of 16 digits, on disk after the next durable(). salt: what it is the file of; the same
  /// file, type and salt have the same id.
  Result<std::string> add(const Media& media, std::string_view salt);
  [[nodiscard]] std::optional<Media> find(const std::string& id) const;
  Result<void> remove(const std::string& id) { return ledger_.erase(id); }

 private:
  Ledger ledger_;
};

}  // namespace posthorn::cloud
