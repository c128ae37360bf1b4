#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "posthorn/queue/ring_file.h"
#include "support/fakes.h"
#include "support/mem_disk.h"

namespace posthorn::powercut {

using queue::Entry;
using queue::RingFile;
using queue::Sequence;
using queue::Worth;
using test::MemDisk;

/// What a message of this number looks like: length, content and attributes all follow from it, so
/// that any wrong byte handed out is seen.
struct Sent {
  std::uint64_t id = 0;
  std::uint32_t length = 8;

  [[nodiscard]] Bytes payload() const;
  [[nodiscard]] Worth worth() const { return id % 3 == 0 ? Worth::expendable : Worth::normal; }
  [[nodiscard]] Wall accepted_at() const {
    return {milliseconds(static_cast<std::int64_t>(1'790'000'000'000 + id)), id % 2 == 0};
  }
};

/// What must, may and must not be in a ring after a power cut at this moment.
class Oracle {
 public:
  void on_offered(const Sent& sent);
  void on_confirmed(std::uint64_t id, Sequence sequence);
  void on_failed(std::uint64_t id, Errc code);
  /// By the application, or dropped by the ring to make room.
  void on_acked(Sequence sequence);
  /// Everything that was acknowledged when the ring was asked is on disk by now.
  void on_acks_durable(std::uint64_t acks_issued);
  [[nodiscard]] std::uint64_t acks_issued() const { return acks_issued_; }
  /// The named reader has done with everything up to there: durable as an acknowledgement is.
  void on_reader_added() { advances_.emplace_back(++acks_issued_, 0); }
  void on_advanced(Sequence position) { advances_.emplace_back(++acks_issued_, position); }
  /// What a named reader got is what was confirmed, and nothing is missing but what it was told of.
  [[nodiscard]] std::string check_reading(Sequence since, const RingFile::Reading& reading) const;

  /// Compares with what an opened ring has. Returns what is wrong, empty when nothing is.
  [[nodiscard]] std::string check(RingFile& ring) const;
  /// The same, and what is there now is the truth from here on: the box has started again.
  [[nodiscard]] std::string adopt(RingFile& ring);
  /// The ring in use shows exactly what was confirmed and not acknowledged.
  [[nodiscard]] std::string compare_live(const RingFile& ring) const;

  [[nodiscard]] const std::map<Sequence, Sent>& pending() const { return pending_; }
  [[nodiscard]] std::size_t offered() const { return offered_.size(); }

 private:
  struct Acked {
    Sent sent;
    std::uint64_t order = 0;
  };
  [[nodiscard]] std::string adopt_reader(const RingFile& ring);
  [[nodiscard]] std::string check_one(const Entry& entry, ByteView payload, Sent& found) const;

  std::map<std::uint64_t, Sent> offered_;  // by id
  std::map<std::uint64_t, Sent> failed_;   // by id: may still be there until the next success
  std::map<Sequence, Sent> pending_;
  std::map<Sequence, Acked> acked_;
  std::map<Sequence, Sent> confirmed_;                        // the newest, done or not
  std::vector<std::pair<std::uint64_t, Sequence>> advances_;  // order, position; not durable yet
  bool reader_durable_ = false;
  Sequence reader_position_ = 0;  // durable
  std::uint64_t acks_issued_ = 0;
  Sequence last_sequence_ = 0;
};

}  // namespace posthorn::powercut
