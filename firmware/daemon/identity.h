#pragma once

#include <string>

#include "posthorn/base/blob_store.h"

namespace posthorn::daemon {

/// What tills know the box by (its id and token, its HTTPS key and authority) is in the database
/// and, the same, in files beside it: a database that was damaged and set aside takes neither
/// token nor trust from any till. The database's word counts, so that a restored backup is whole.
class Identity final : public BlobStore {
 public:
  /// folder: made when the first value is saved. store: outlives this.
  Identity(BlobStore& store, std::string folder) : store_(store), folder_(std::move(folder)) {}

  /// Values are JSON. The database's, which the file then gets if it had another; the file's where
  /// the database has none or one that cannot be read.
  [[nodiscard]] Result<std::optional<Bytes>> load(std::string_view name) override;
  Result<void> save(std::string_view name, ByteView value) override;
  void durable(Once<void(Result<void>)> done) override { store_.durable(std::move(done)); }

 private:
  BlobStore& store_;
  std::string folder_;
};

/// For a reset, after which the box makes a new one. The database forgets it by itself.
void forget_identity(const std::string& folder, std::string_view name);

}  // namespace posthorn::daemon
