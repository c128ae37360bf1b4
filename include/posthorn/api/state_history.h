#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "posthorn/base/blob_store.h"
#include "posthorn/base/time.h"

namespace posthorn::api {

/// Which states the instance has been in, for getStateInstanceHistory; kept over restarts.
class StateHistory {
 public:
  static constexpr std::size_t kMost = 100;

  struct Change {
    std::string state;  ///< as getStateInstance named it
    Wall at;
    std::string phone;  ///< digits of the account; empty: none was linked

    bool operator==(const Change&) const = default;
  };

  /// blobs outlives this. A damaged blob is reported in the log and gives an empty history.
  explicit StateHistory(BlobStore& blobs);

  /// The same state and phone as the newest one are no change.
  void add(Change change);
  /// The newest first, at most so many.
  [[nodiscard]] std::vector<Change> newest(std::size_t count) const;

 private:
  BlobStore& blobs_;
  std::vector<Change> changes_;  ///< oldest first
};

}  // namespace posthorn::api
