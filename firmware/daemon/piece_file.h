#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/base/worker.h"

namespace posthorn::daemon {

/// A large file that comes or goes in pieces of one request each, so that neither side ever holds
/// more of it in memory, and a broken connection costs one piece. One at a time.
class PieceFile {
 public:
  /// room_left: bytes that must stay free on the disk.
  PieceFile(Worker& worker, std::string path, std::uint64_t limit, std::uint64_t room_left);
  PieceFile(const PieceFile&) = delete;
  PieceFile& operator=(const PieceFile&) = delete;

  /// offset: what was received so far, or 0 to begin anew. done: what is there now.
  /// Errors: malformed (another offset; the error names the right one), full (limit or disk), busy
  /// (the piece before is still being written), io.
  void add(std::uint64_t offset, std::string piece, Once<void(Result<std::uint64_t>)> done);
  /// done: up to `size` bytes from there; empty at the end. Errors: not_found, io.
  void read(std::uint64_t offset, std::size_t size, Once<void(Result<std::string>)> done);

  [[nodiscard]] std::uint64_t received() const { return *received_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// The file was moved or is no longer wanted.
  void forget();

 private:
  Worker& worker_;
  std::string path_;
  std::uint64_t limit_;
  std::uint64_t room_left_;
  // Shared with the work under way, which may end after this object.
  std::shared_ptr<std::uint64_t> received_ = std::make_shared<std::uint64_t>(0);
  std::shared_ptr<bool> busy_ = std::make_shared<bool>(false);
};

}  // namespace posthorn::daemon
