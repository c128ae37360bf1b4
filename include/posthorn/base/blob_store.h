#pragma once

#include <optional>
#include <string_view>

#include "posthorn/base/bytes.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"

namespace posthorn {

/// Small named values that survive power loss: settings, throttle state, webhook cursor.
/// The store module has the real one; tests keep a map.
class BlobStore {
 public:
  virtual ~BlobStore() = default;

  /// nullopt: never saved.
  [[nodiscard]] virtual Result<std::optional<Bytes>> load(std::string_view name) = 0;
  /// Visible to load() at once; on disk after the next durable().
  virtual Result<void> save(std::string_view name, ByteView value) = 0;
  /// Runs done on the loop when everything saved so far has reached the disk (calls are grouped).
  virtual void durable(Once<void(Result<void>)> done) = 0;
};

}  // namespace posthorn
