#pragma once

#include <string>
#include <utility>

#include "posthorn/base/result.h"

namespace posthorn::store {

/// Keeps a second process off the database while this object lives: two of them would each turn
/// the same ratchets and use keys twice. The lock is on a file of its own, "PATH.lock", since
/// closing a handle of the database would drop SQLite's locks, and ends with the process.
class OwnerLock {
 public:
  /// Errors: busy (another process has it), io.
  static Result<OwnerLock> take(const std::string& path);
  OwnerLock() = default;
  OwnerLock(OwnerLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnerLock& operator=(OwnerLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~OwnerLock();

 private:
  explicit OwnerLock(int fd) : fd_(fd) {}

  int fd_ = -1;
};

}  // namespace posthorn::store
