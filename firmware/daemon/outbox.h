#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "posthorn/api/ports.h"
#include "posthorn/base/alive.h"
#include "posthorn/files/store.h"
#include "posthorn/queue/ring_file.h"
#include "posthorn/throttle/valve.h"

namespace posthorn::daemon {

/// Another way out for jobs, beside the valve. A job is with one of the two.
class Diversion {
 public:
  virtual ~Diversion() = default;
  /// True: it takes this new job.
  virtual bool on_job(std::uint64_t sequence, const Job& job) = 0;
  /// True: it had taken this one before the restart.
  virtual bool take_up(std::uint64_t sequence, const Job& job) = 0;
  /// False: it has no such job, or is just sending it.
  virtual bool cancel(std::uint64_t sequence) = 0;
  /// Why a job of its waits; nullopt: it has no such job.
  [[nodiscard]] virtual std::optional<std::string> waits_for(std::uint64_t sequence) const = 0;
};

/// The outbox ring between its two neighbours: the API puts jobs in, the throttle takes them out.
class Outbox final : public api::OutboxPort, public throttle::Outbox {
 public:
  /// files: may be null; then no job brings one.
  explicit Outbox(queue::RingFile& ring, files::Store* files = nullptr)
      : ring_(ring), files_(files) {}

  /// The valve needs the outbox at construction, the outbox the valve afterwards.
  void join(throttle::Valve& valve) { valve_ = &valve; }
  /// Before the valve starts; outlives the outbox, or is taken away with null.
  void divert(Diversion* diversion) { diversion_ = diversion; }

  /// What the queue takes (and has at the start), and what leaves it unsent.
  struct Told {
    std::function<void(const Job&)> taken, replaced, dropped;
    std::function<void()> cleared;
  };
  void on_change(Told told) { told_ = std::move(told); }

  // For the API.
  void accept(Job job, Once<void(Result<std::string>)> done) override;
  void jobs(std::size_t limit, Once<void(Result<std::vector<api::JobView>>)> done) override;
  void next_job(std::uint64_t sequence,
                Once<void(Result<std::optional<api::JobView>>)> done) override;
  void waiting(const std::string& id, Once<void(Result<std::optional<Job>>)> done) override;
  void replace(Job job, Once<void(Result<bool>)> done) override;
  void drop(const std::string& id, const std::string& chat, Once<void(Result<bool>)> done) override;
  [[nodiscard]] std::size_t count() const override;
  void clear(Once<void(Result<std::size_t>)> done) override;

  // For the throttle.
  void for_each_pending(
      const std::function<void(std::uint64_t sequence, const Job& job)>& visit) override;
  void read(std::uint64_t sequence, Once<void(Result<Job>)> done) override;
  Result<void> ack(std::uint64_t sequence) override;

 private:
  struct Accepting;
  struct Listing;
  void list_next(std::shared_ptr<Listing> listing);
  /// The waiting job with that id behind `after`.
  void find(std::string id, std::uint64_t after,
            Once<void(Result<std::optional<api::JobView>>)> done);
  [[nodiscard]] api::JobView view_of(std::uint64_t sequence, Job job) const;

  /// The ring has taken a job, or could not. ref: its file, held since it was accepted.
  void on_appended(const Result<queue::Sequence>& sequence, const Job& job, const std::string& ref);
  /// To whoever sends it.
  void hand_over(std::uint64_t sequence, const Job& job);
  [[nodiscard]] bool cancel(std::uint64_t sequence);

  /// The file of a job stays on the box until the job has ended.
  void hold_file(std::uint64_t sequence, const Job& job);
  void release_file(std::uint64_t sequence);

  queue::RingFile& ring_;
  files::Store* files_;
  std::map<std::uint64_t, std::string> held_;                    ///< files, by sequence
  std::map<std::string, std::shared_ptr<Accepting>> accepting_;  ///< on their way to disk, by id
  throttle::Valve* valve_ = nullptr;
  Told told_;
  Diversion* diversion_ = nullptr;
  Alive<Outbox> alive_{this};
};

}  // namespace posthorn::daemon
