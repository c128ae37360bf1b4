#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/api/file_links.h"
#include "posthorn/base/job.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/chat/files.h"
#include "posthorn/files/store.h"

/// What the API needs from the stages beside it, in its own words; the composition root joins them
/// to the real ones. Everything happens on the loop thread. `done` may run inside the call.
namespace posthorn::api {

/// One waiting job with what the throttle says about it.
struct JobView {
  std::uint64_t sequence = 0;  ///< of the queue, going up
  Job job;
  std::string lane;         ///< "reply", "known", "first" or ""
  std::string hold_reason;  ///< "" while nothing holds it
  std::string hold_cause;   ///< not_sent: why it could not leave, for people
  std::optional<Wall> not_before;
};

/// Visits the jobs that wait, oldest first, in this turn. Errors: io; some were not visited then.
using EachJob = std::function<Result<void>(const std::function<void(const Job&)>& visit)>;

/// Where accepted messages go.
class OutboxPort {
 public:
  virtual ~OutboxPort() = default;

  /// done: on disk, so that the answer may be 200; gets the idMessage to answer with, which is an
  /// earlier job's when this one was found to be the same message posted twice.
  /// Errors: full (466), anything else (500).
  virtual void accept(Job job, Once<void(Result<std::string>)> done) = 0;
  /// Jobs that are not finished, oldest first, at most `limit`; read from disk.
  virtual void jobs(std::size_t limit, Once<void(Result<std::vector<JobView>>)> done) = 0;
  /// The oldest one behind `sequence` (0: of all); nullopt: there is none. For lists that must not
  /// be in memory as a whole.
  virtual void next_job(std::uint64_t sequence,
                        Once<void(Result<std::optional<JobView>>)> done) = 0;
  /// The job with that message id, if it waits; nullopt: it has left the queue, is just being sent,
  /// or was never in it.
  virtual void waiting(const std::string& id, Once<void(Result<std::optional<Job>>)> done) = 0;
  /// The job takes the place of the waiting one with its id, behind the others. done: on disk;
  /// false: no such job waits. Errors: full, and then the old one stays.
  virtual void replace(Job job, Once<void(Result<bool>)> done) = 0;
  /// The waiting job with that id for that chat is not sent. done: on disk; false: none waits.
  virtual void drop(const std::string& id, const std::string& chat,
                    Once<void(Result<bool>)> done) = 0;
  [[nodiscard]] virtual std::size_t count() const = 0;
  /// Drops what has not started. done: on disk; how many were dropped.
  virtual void clear(Once<void(Result<std::size_t>)> done) = 0;
};

/// Notifications that wait for the POS.
class InboxPort {
 public:
  struct Head {
    std::uint32_t receipt_id = 0;  ///< 1 .. 2^31 - 1
    std::string body;              ///< the notification's JSON
  };
  virtual ~InboxPort() = default;

  /// The oldest one that has not expired; the same until it is removed.
  [[nodiscard]] virtual std::optional<Head> head() = 0;
  [[nodiscard]] virtual std::size_t count() const = 0;
  /// Also for ids that are not the head. done: on disk; false: no such notification.
  virtual void remove(std::uint32_t receipt_id, Once<void(Result<bool>)> done) = 0;
  virtual void clear(Once<void(Result<void>)> done) = 0;
};

/// A file that somebody else's server gave.
struct FetchedFile {
  files::File file;
  std::string said_type;  ///< Content-Type; may be empty
};

/// Why an address was not fetched: what lies there is larger than WhatsApp takes. bytes: all of it,
/// or what had come of it. Errc::full; its detail is the beginning of Green-API's answer.
[[nodiscard]] Error too_large_at_url(std::uint64_t bytes);
inline constexpr std::string_view kTooLargeAtUrl = "File from url exceeded max upload size.";

/// What the methods that carry files need. Everything outlives the API.
struct FileOutside {
  files::Store& store;
  chat::Files& chat;
  FileLinks& links;
  /// Brings what lies at an http or https address into the store. Errors: full (too_large_at_url(),
  /// or no room), refused (status, or an address that may not be asked), timeout, not_found, …
  std::function<void(const std::string& url, Once<void(Result<FetchedFile>)> done)> fetch;
};

}  // namespace posthorn::api
