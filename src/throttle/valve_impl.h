#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "posthorn/throttle/valve.h"
#include "throttle/audit_log.h"
#include "throttle/engine.h"
#include "throttle/persist.h"
#include "throttle/policy_clock.h"
#include "throttle/recent_posts.h"
#include "throttle/report.h"
#include "throttle/typed_gap.h"

namespace posthorn::throttle {

class Valve::Impl {
 public:
  explicit Impl(Outside outside)
      : o_(std::move(outside)),
        persist_(o_.blobs),
        audit_(o_.blobs),
        timer_(o_.scheduler),
        typing_(o_.scheduler),
        alive_(std::make_shared<bool>(true)) {
    engine_.ready = [this](std::uint64_t sequence) { return !preparing_.contains(sequence); };
  }

  Result<void> start(const Settings& settings);
  void stop();

  std::optional<std::string> on_accept(const Job& job);
  void on_accept_failed(const Job& job);
  void on_job(std::uint64_t sequence, const Job& job);
  void on_diverted(std::uint64_t sequence, const Job& job) {
    recent_.note_sequence(job.id, sequence);
  }
  void on_diverted_cancelled(std::uint64_t sequence) { recent_.forget(sequence); }
  void on_prepared(std::uint64_t sequence, Result<void> result);
  bool cancel(std::uint64_t sequence);
  std::optional<JobView> view(std::uint64_t sequence);

  void on_inbound(const std::string& chat, std::string_view text, Wall at);
  void on_own_send(const std::string& chat, Wall at);
  void on_joined(const std::string& from, const std::string& into);
  void on_group(const std::string& chat, Wall member_since);
  void on_delivered() { ++counters_.delivered; }
  void on_read(const std::string& chat);
  void on_history(std::span<const PastChat> chats, Once<void(Result<void>)> kept);
  Result<ImportReport> import_regulars(std::string_view csv, const std::string& who);
  Outlook can_send(const std::string& chat, bool consent, bool urgent, milliseconds life);
  void on_account_made(Wall made);
  void on_signal(const Signal& signal);
  void set_connected(bool connected);

  void set_paused(bool paused);
  Result<void> set_settings(const Settings& settings, const std::string& who);
  Result<void> declare_in_use(std::uint32_t months, const std::string& who);
  Result<void> acknowledge(const std::string& who, const std::string& reason);
  Result<void> add_override(const Override& exception);
  Result<void> end_override(const std::string& limit, const std::string& who);
  Result<void> take(std::span<const Cost> costs);
  void give_back(Action action, std::uint32_t count);
  /// Errors: refused (a stranger).
  Result<void> may_join(const std::string& chat, Tick now);
  std::vector<OptOut> opt_outs();
  Result<void> set_opt_out(const std::string& chat, bool on, const std::string& who,
                           const std::string& reason);
  void name_opt_out(const std::string& chat, bool on);
  void factory_defaults(const std::string& who);
  std::optional<Wall> reconnect_not_before();

  /// Moves the policy clock and says what time it is.
  Moment moment();
  ThrottleStatus status() { return build_status(engine_, moment()); }
  std::vector<Metric> metrics();
  seconds offset() const { return o_.utc_offset(o_.clock.now()); }

  /// Under which a person is kept, whatever they are called here.
  ChatKey key_of(const std::string& chat) const;

  Engine engine_;
  AuditLog& audit_log() { return audit_; }

 private:
  using Step = Engine::Step;

  /// False: no chat that can be anybody's.
  bool learn(const PastChat& past, const Moment& m);
  void admit(std::uint64_t sequence, const Job& job, bool from_disk);
  /// The calendar was put right: jobs that wait expire when their own clock says so.
  void redate_jobs(Tick jumped, std::int64_t lead_before, std::int64_t lead_now);
  /// Runs the loop around decide() in a later turn, once however often it is asked for.
  void wake();
  void run();
  void sleep_until(Tick at, const Moment& now);
  void send(const Step& step);
  void hand_over(std::uint64_t sequence, const ChatKey& chat, Lane lane);
  void type_first(std::uint64_t sequence, const ChatKey& chat, Lane lane, Job job,
                  milliseconds wait);
  void pass_on(std::uint64_t sequence, Lane lane, const Job& job);
  void on_outcome(std::uint64_t sequence, Lane lane, const Job& job, const SendOutcome& outcome);
  void count_rejected(int code);
  void try_again(std::uint64_t sequence);
  void on_not_sent(std::uint64_t sequence, const std::string& cause);
  void refuse(const Step& step);
  void check(const Step& step);
  void check_group(const ChatKey& group);
  void end(std::uint64_t sequence, Fate fate);
  void put_back(std::uint64_t sequence, milliseconds after);
  /// The same for a job of which nothing has left the box: it costs nothing.
  void give_back(std::uint64_t sequence, milliseconds after, Hold why = Hold::pace);
  /// Tells a change of level, once, with its audit record.
  void publish_level(const Moment& now);
  void tell_held();
  void tell_next_held();
  void alarms();

  /// False, and logged: the disk did not take it.
  bool save();
  void record(JournalEvent event);
  void record_with_others(JournalEvent event);
  void save_journal();
  void audit(const std::string& who, const std::string& what, const std::string& before,
             const std::string& after, const std::string& reason);
  std::string chat_hash(const std::string& chat) const;
  void join_known();
  bool on_opt_out_list(const ChatKey& chat) const;
  /// Guards a callback that may come after we are gone.
  template <class F>
  auto guarded(F f) {
    return [alive = std::weak_ptr<bool>(alive_), f = std::move(f)](auto&&... args) mutable {
      if (!alive.expired()) f(std::forward<decltype(args)>(args)...);
    };
  }

  Outside o_;
  Persist persist_;
  AuditLog audit_;
  PolicyClock clock_;
  RecentPosts recent_;
  Timer timer_;
  Timer typing_;
  std::shared_ptr<bool> alive_;  // shared: callbacks ask it whether the valve is still there
  Mono save_at_;
  bool trusted_ = false;      ///< at the last moment()
  std::int64_t lead_ms_ = 0;  ///< calendar time minus ticks, at the last moment()
  bool started_ = false;
  bool woken_ = false;
  bool in_flight_ = false;
  std::uint64_t flying_ = 0;  ///< sequence of the job in flight
  Tick charged_ = 0;          ///< when the job in flight was charged
  TypedGap typed_gap_;
  std::deque<std::uint64_t> to_tell_;  ///< held jobs whose status is still to be told
  bool telling_ = false;
  bool journal_due_ = false;  ///< events noted and not written yet
  Tick ask_again_ = 0;        ///< for the restriction, once its end has passed
  bool poor_list_told_ = false;
  bool low_reply_told_ = false;
  std::set<std::string> opted_out_ids_;  ///< chatIds on the opt-out list that are user ids
  std::set<std::uint64_t> preparing_;    ///< sequences that are not ready for their turn
  struct Attempts {
    int count = 0;
    std::string cause;  ///< of the newest, where nothing left the box
  };
  std::map<std::uint64_t, Attempts> attempts_;  ///< of jobs that came back, by sequence
  struct Counters {
    std::array<std::uint64_t, 3> sent{};  ///< by lane
    std::map<std::string, std::uint64_t> refused;
    std::map<int, std::uint64_t> rejected;
    std::uint64_t uncertain = 0;
    std::uint64_t delivered = 0;
    std::uint64_t signals = 0;
  } counters_;
};

}  // namespace posthorn::throttle
