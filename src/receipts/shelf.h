#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/base/alive.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"
#include "posthorn/base/worker.h"
#include "posthorn/files/disk.h"
#include "posthorn/files/lane.h"
#include "receipts/lexer.h"

namespace posthorn::receipts {

/// What is known of a job when it ends; kept in front of its bytes.
struct Record {
  std::uint64_t number = 0;
  std::string printer;
  Wall at;
  std::string token;  ///< printed with it; empty: none
  Language language = Language::escpos;
  bool cut_short = false;
};

/// Who gets it, fixed before anything is queued: the message's id makes a repeat after a power cut
/// the same message.
struct Claim {
  std::string chat;
  std::string message_id;
  std::string way;
  Wall at;
  bool queued = false;    ///< the outbox has it
  std::string file = {};  ///< made of it for the message; empty: none
};

/// Receipts on disk: "NNNNNNNNNN.job" (a line of JSON, then the bytes as they came) and
/// "NNNNNNNNNN.claim" beside it. A file has its name only when it is whole and synced. One thing
/// after the other, on the Worker's threads; what was begun is done and answered even when the
/// shelf has gone.
class Shelf {
 public:
  /// Bytes that wait for the disk, at most: what comes beyond is not kept.
  static constexpr std::size_t kMostWaiting = std::size_t{24} << 20;

  /// worker outlives the shelf.
  Shelf(std::shared_ptr<files::Disk> disk, Worker& worker)
      : disk_(std::move(disk)), lane_(std::make_shared<files::Lane>(worker)) {}
  Shelf(const Shelf&) = delete;
  Shelf& operator=(const Shelf&) = delete;

  struct Kept {
    Record record;
    std::optional<Claim> claim;
    std::uint64_t size = 0;
  };
  /// What is there, by number; half-written files and those that cannot be read go.
  void load(Once<void(Result<std::vector<Kept>>)> done);
  /// done: on disk. Errors: full (disk, or too much waits), io.
  void keep(const Record& record, Bytes raw, Once<void(Result<void>)> done);
  void claim(std::uint64_t number, const Claim& claim, Once<void(Result<void>)> done);
  /// Nobody gets it after all.
  void unclaim(std::uint64_t number);
  /// done: the job's bytes. Errors: not_found, io, malformed.
  void read(std::uint64_t number, Once<void(Result<Bytes>)> done);
  /// Both files.
  void remove(std::uint64_t number);

 private:
  template <class T>
  void add(Function<T(files::Disk&)> work, Once<void(T)> done);

  std::shared_ptr<files::Disk> disk_;  ///< shared: with the work on its way
  std::shared_ptr<files::Lane> lane_;  ///< shared: with the work on its way
  std::size_t waiting_bytes_ = 0;
  Alive<Shelf> alive_{this};
};

}  // namespace posthorn::receipts
