#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/base/clock.h"
#include "posthorn/base/result.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/base/time.h"
#include "posthorn/store/database.h"

namespace posthorn::journal {

/// What has become of a message of ours. Stored: do not renumber.
enum class Status : std::uint8_t {
  none = 0,  ///< of what came in
  pending = 1,
  sent = 2,
  delivered = 3,
  read = 4,
  failed = 5,
  no_account = 6,
  not_in_group = 7,
  yellow_card = 8,
};

/// Stored: do not renumber.
enum class What : std::uint8_t { message = 0, call = 1 };
enum class Direction : std::uint8_t { incoming = 0, outgoing = 1 };

/// One message or call as it is kept.
struct Entry {
  std::int64_t number = 0;  ///< of the journal, going up; 0: not kept yet
  std::string id;           ///< the message's, the call's; with `chat` it is one entry
  std::string chat;         ///< under the one name of that person (base/identities.h)
  Wall at;                  ///< whole seconds
  What what = What::message;
  Direction direction = Direction::incoming;
  bool by_api = false;  ///< posted by the till
  Status status = Status::none;
  std::string external_id;  ///< the till's own number of it; may be empty
  std::string body;         ///< the writer's, UTF-8
  bool deleted = false;
  std::optional<std::string> edited;  ///< the text that it says now

  bool operator==(const Entry&) const = default;
};

/// Which entries, the newest first.
struct Query {
  std::optional<std::string> chat;
  std::string not_chat;  ///< empty: none is left out
  std::optional<Direction> direction;
  What what = What::message;
  std::optional<Wall> since;
  std::string external_id;  ///< empty: any
};

/// Where a walk has come to; the default is before the first.
struct Position {
  std::int64_t at = INT64_MAX;  ///< Unix seconds
  std::int64_t number = INT64_MAX;
};

/// What was said, for a while: newest first by chat, by time, by id.
///
/// Changes are taken at once, kept in memory and written together: by flush(), which whoever stores
/// the notification of a message calls when it is stored, or five seconds later. They go into the
/// store's database, so that the sync of the store's own commit that follows covers them and the
/// journal needs none of its own. What a power cut takes before that is written again from the
/// rings, where it was first: add() of what is there already changes nothing.
///
/// Bounded by days and bytes; one chat may fill a quarter, so that nobody writes the others out of
/// it. Reads flush first. All on the loop thread. Errors of reads: io, full, malformed (damaged).
class Journal {
 public:
  struct Options {
    hours keep{30 * 24};
    std::uint64_t limit_bytes = 64ULL << 20;
  };
  /// Bytes that a body may have; a longer one is refused.
  static constexpr std::size_t kBodyMost = std::size_t{64} << 10;

  /// Everything given outlives the journal. Errors: io, full, malformed, unsupported.
  [[nodiscard]] static Result<std::unique_ptr<Journal>> open(store::Database& database,
                                                             Scheduler& scheduler,
                                                             const Clock& clock, Options options);
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  /// Flushes.
  ~Journal();

  /// An entry with that chat and id stays as it is.
  void add(Entry entry);
  /// Statuses go forward only: what was read was delivered, and what arrived did not fail. at: from
  /// now on its time, with a status that is news.
  void set_status(const std::string& chat, const std::string& id, Status status,
                  std::optional<Wall> at = {});
  /// How a call ended, for example.
  void set_body(const std::string& chat, const std::string& id, std::string body);
  /// Whether whoever wants to change that entry may. Pure: it may run when its maker has gone.
  using May = std::function<bool(const Entry& target)>;
  void edit(const std::string& chat, const std::string& id, std::string text, May may);
  /// What is left of a body when its message is deleted. Pure.
  using Reduce = std::string (*)(const std::string& body);
  /// For everyone: what it said is gone, that it was there stays.
  void mark_deleted(const std::string& chat, const std::string& id, Reduce reduce, May may);
  /// It never was: a job that was taken back before it was sent.
  void forget(const std::string& chat, const std::string& id);
  /// The same for all that wait.
  void forget_pending();
  /// Two names have turned out to be one person's.
  void join(const std::string& from, const std::string& into);
  /// The account that is linked now: another one's journal is not its to read.
  void belong_to(const std::string& account);

  /// Errors: io, full; what could not be written stays in memory, the newest kWaitingMost of it.
  Result<void> flush();

  [[nodiscard]] Result<std::optional<Entry>> find(const std::string& chat, const std::string& id);
  /// In whatever chat; of several the newest.
  [[nodiscard]] Result<std::optional<Entry>> find(const std::string& id);
  /// At most `count` behind `position`, which moves on. Fewer: there are no more.
  [[nodiscard]] Result<std::vector<Entry>> next(const Query& query, Position& position,
                                                std::size_t count);
  /// The oldest messages of a chat that WhatsApp has too, the oldest first, at most `count`: what
  /// waits or was never sent is not among them.
  [[nodiscard]] Result<std::vector<Entry>> oldest(const std::string& chat, std::size_t count);
  [[nodiscard]] Result<bool> knows(const std::string& chat);
  /// find() without the changes of the last seconds: for whoever looks at every message.
  [[nodiscard]] Result<std::optional<Entry>> find_written(const std::string& chat,
                                                          const std::string& id);
  /// Whether any entry has a number of the till.
  [[nodiscard]] Result<bool> any_external();
  /// Outgoing ones that wait, for a look at the start whether they still do; at most `count`.
  [[nodiscard]] Result<std::vector<Entry>> pending(std::size_t count);

  /// As they are counted against the limit.
  [[nodiscard]] std::uint64_t bytes() const;
  /// Changes that no disk took, since the start.
  [[nodiscard]] std::uint64_t lost() const;

 private:
  class Impl;
  explicit Journal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Whether that status is news after the other one.
[[nodiscard]] bool follows(Status next, Status before);

}  // namespace posthorn::journal
