#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "posthorn/api/api.h"
#include "posthorn/queue/ring_file.h"
#include "posthorn/throttle/valve.h"

namespace posthorn::daemon {

/// Notifications for whoever reads beside the POS: reading here takes nothing out of the inbox and
/// holds nothing up.
///
/// GET watchEvents?after=N&wait=SECONDS answers {"last": M, "lost": K, "events": [{"number": M,
/// "event": {…}}, …]}, oldest first, what comes after N; it waits up to `wait` (0 .. 25 s) while
/// there is nothing. Numbers rise and survive restarts. At most about kAnswerBytes at once: ask
/// again with after=last.
///
/// Without a name that is among the newest queue::RingFile::kLatest. With `reader=NAME` (a-z, 0-9,
/// "-") the box remembers how far that reader has come: `after` says that it has done with
/// everything up to there, and without `after` it goes on where it was, also after a power cut. It
/// finds what the inbox's file still holds; `lost` counts what it missed among them.
/// `behind=N` is its rule: it skips what is more than N back (0: nothing).
///
/// GET getReaders: [{"reader", "position", "behind", "lost", "mostBehind"}, …]
/// POST removeReader {"reader": NAME}: {"result": true}
class EventTail {
 public:
  static constexpr std::size_t kAnswerBytes = std::size_t{256} << 10;

  EventTail(Scheduler& scheduler, queue::RingFile& ring) : scheduler_(scheduler), ring_(ring) {}
  ~EventTail() { *alive_ = false; }
  EventTail(const EventTail&) = delete;
  EventTail& operator=(const EventTail&) = delete;

  /// A notification is on disk.
  void on_stored();
  [[nodiscard]] std::vector<api::Route> routes();
  void add_metrics(std::vector<throttle::Metric>& out) const;
  /// Answers whoever still waits.
  void stop();

 private:
  struct Waiting {
    api::Call call;
    std::string reader;
    std::uint64_t after = 0;
    Mono until;
  };
  void watch(api::Call call);
  void look(Waiting one);
  void on_read(Waiting one, Result<queue::RingFile::Reading> reading);
  void answer_due();

  Scheduler& scheduler_;
  queue::RingFile& ring_;
  std::deque<Waiting> waiting_;
  std::size_t looking_ = 0;
  bool stopped_ = false;
  Timer timer_{scheduler_};
  /// Shared with answers of the ring that may come when this is gone.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace posthorn::daemon
