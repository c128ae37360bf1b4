#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/blob_store.h"
#include "posthorn/base/clock.h"
#include "posthorn/base/identities.h"
#include "posthorn/base/job.h"
#include "posthorn/base/random.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/throttle/regulars.h"
#include "posthorn/throttle/sender.h"
#include "posthorn/throttle/settings.h"
#include "posthorn/throttle/signal.h"
#include "posthorn/throttle/status.h"

namespace posthorn::throttle {

/// What the valve needs of the outbox ring: a later turn of the loop may sync what ack() wrote.
class Outbox {
 public:
  virtual ~Outbox() = default;

  /// Every record that is not acknowledged, oldest first.
  virtual void for_each_pending(
      const std::function<void(std::uint64_t sequence, const Job& job)>& visit) = 0;
  /// From disk, so the answer comes in a later turn of the loop.
  /// Errors: not_found (acknowledged or never there), malformed (damaged record), io.
  virtual void read(std::uint64_t sequence, Once<void(Result<Job>)> done) = 0;
  /// The job has reached its end.
  virtual Result<void> ack(std::uint64_t sequence) = 0;
};

/// What became of a job, as far as it is known now.
struct Fate {
  enum class Kind : std::uint8_t {
    sent,        ///< final
    failed,      ///< final; `refusal` or `code` says why
    no_account,  ///< final
    held,        ///< not final: kept because of a restriction (status "yellowCard")
  };
  Kind kind = Kind::sent;
  std::uint64_t sequence = 0;
  Job job;
  std::optional<Refusal> refusal;  ///< set when the throttle itself said no
  int code = 0;                    ///< the server's ack error
  std::string description;  ///< for people, e.g. "no_capacity: earliest 2026-03-02T09:15:04Z"
  std::optional<Wall> not_before;  ///< no_capacity: the earliest possible time; held: if known
  Wall time;                       ///< sent: the server's time of the message
};

struct LevelChange {
  Level from = Level::green;
  Level to = Level::green;
  std::string signal;  ///< the cause, e.g. "reachout_ack", or "resumed"
  std::optional<Wall> until;
};

/// What the valve tells its owner. Called on the loop; may call back into the valve.
class Listener {
 public:
  virtual ~Listener() = default;

  /// settled: run by the owner when what it made of a final fate (a notification) is on disk, for
  /// `held` at once. Only then is the outbox record acknowledged, so that after a power cut the
  /// notification may come twice but is never missing.
  virtual void on_fate(const Fate& fate, Once<void()> settled) = 0;
  /// Exactly once per change, within the turn of the loop in which the signal came.
  virtual void on_level(const LevelChange& change) = 0;
  /// Please ask the account for its restriction (read-only query); the answer comes as a Signal.
  virtual void ask_restriction() = 0;
  /// A chat has just opted out: please post this one confirmation to it as an ordinary job.
  virtual void confirm_opt_out(const std::string& chat, const std::string& text) = 0;
  /// One sentence for the operator's page, e.g. that the list of numbers is poor.
  virtual void tell_operator(const std::string& sentence) = 0;
};

/// Other things that cost standing (policy section 9).
enum class Action : std::uint8_t {
  create_group,
  add_group_member,
  post_status,
  change_profile,
  look_up,
};
[[nodiscard]] std::string_view to_string(Action action);
/// One thing to be charged.
struct Cost {
  Action action = Action::look_up;
  std::string member_chat;  ///< add_group_member: who; else empty
};

/// An operator's exception from one limit.
struct Override {
  /// "openings", "minute", "minute_reply", "hour", "day", "budget_30d": doubled. "campaign":
  /// `campaign_text` may go to more than 30 new chats. "yellow_hold": ends a fourth yellow's hold.
  std::string limit;
  std::string campaign_text;
  milliseconds lasts{hours(24)};  ///< at most 24 h
  std::string who;
  std::string reason;  ///< at least 10 characters
};

/// Moves jobs from the outbox to the sender, one at a time, when the policy's decide() says so, and
/// keeps what it learned over power cuts (charge before send). Everything on the loop thread.
class Valve {
 public:
  struct Outside {
    Scheduler& scheduler;
    Clock& clock;
    Random& random;    ///< seeds the jitter and salts the audit log, on first start
    BlobStore& blobs;  ///< names begin with "throttle/"
    Outbox& outbox;
    Sender& sender;
    NumberChecker& checker;
    Listener& listener;
    /// Seconds the shop's clock is ahead of UTC at that moment (quiet hours); see local_offset().
    std::function<seconds(Wall)> utc_offset;
    /// Whose name is whose: limits, lanes and opt-outs are a person's. May be null: then every chat
    /// id is somebody else.
    Identities* identities = nullptr;
    /// Begins what a job needs before its turn, which costs the account nothing (the upload of a
    /// file). True: it is ready, or needs nothing; else on_prepared() tells when it is. May be
    /// empty: then every job is ready.
    std::function<bool(std::uint64_t sequence, const Job& job)> prepare = {};
  };

  /// Everything in `outside` outlives the valve. Nothing happens before start().
  explicit Valve(Outside outside);
  Valve(const Valve&) = delete;
  Valve& operator=(const Valve&) = delete;
  ~Valve();

  /// Loads the state and takes in the outbox's pending jobs. Errors: io. Damaged state costs only
  /// the damaged page and is logged.
  Result<void> start(const Settings& settings);
  /// Saves what is not saved yet. A job in flight stays in the outbox and is handed over again,
  /// with the same id, after the next start.
  void stop();

  // Jobs --------------------------------------------------------------------------------------

  /// Before a POST is queued: the id of the same message for the same chat posted within the
  /// double-post time; then queue nothing and answer with that id. Otherwise the job is remembered.
  [[nodiscard]] std::optional<std::string> on_accept(const Job& job);
  /// The job that on_accept() let through could not be queued: posting it again is no double post.
  void on_accept_failed(const Job& job);
  /// After the outbox record is written. May refuse at once: the fate then comes in a later turn.
  void on_job(std::uint64_t sequence, const Job& job);
  /// Instead: somebody else sends this one; posting it again is a double post all the same.
  void on_diverted(std::uint64_t sequence, const Job& job);
  /// That one was taken out again: posting it is no double post.
  void on_diverted_cancelled(std::uint64_t sequence);
  /// What Outside::prepare began is done. An error ends the job as failed, with its detail.
  void on_prepared(std::uint64_t sequence, Result<void> result);
  /// Forgets a job without a fate (clearMessagesQueue, a deleted or rewritten job); the caller
  /// acknowledges the record. False: unknown, or just being sent.
  bool cancel(std::uint64_t sequence);
  /// nullopt: unknown.
  [[nodiscard]] std::optional<JobView> view(std::uint64_t sequence) const;
  [[nodiscard]] std::size_t waiting() const;

  // News --------------------------------------------------------------------------------------

  /// at: the message's time; text: for stop and start words, empty for media.
  void on_inbound(const std::string& chat, std::string_view text, Wall at);
  /// A message typed on the phone or sent by another linked device.
  void on_own_send(const std::string& chat, Wall at);
  /// Two names have turned out to be one person's (Identities::on_joined).
  void on_joined(const std::string& from, const std::string& into);
  /// When we joined a group, as far as the session knows.
  void on_group(const std::string& chat, Wall member_since);
  /// The first delivery receipt of a message of ours.
  void on_delivered(const std::string& message_id);
  /// The customer of this chat has opened a message of ours.
  void on_read(const std::string& chat);
  /// A piece of the phone's history (some thousand chats at most), in any order; what came before
  /// may come again. kept: it is on disk, and the piece may be confirmed.
  void on_history(std::span<const PastChat> chats, Once<void(Result<void>)> kept);
  /// When the account was made, as each login tells. Counts once, for numbers that nobody declared.
  void on_account_made(Wall made);
  void on_signal(const Signal& signal);
  /// Online means: logged in and the backlog is drained.
  void on_connected();
  void on_disconnected();

  // Operator ----------------------------------------------------------------------------------

  /// Stops handing over until resume(); not kept over a restart.
  void pause();
  void resume();
  /// Errors: refused (out of range).
  Result<void> set_delay(milliseconds delay);
  /// All at once. Errors: refused (out of range; nothing is changed).
  Result<void> set_settings(const Settings& settings, const std::string& who);
  [[nodiscard]] const Settings& settings() const;
  /// "This number has been in daily use for N months", once. Errors: refused (declared before).
  Result<void> declare_in_use(std::uint32_t months, const std::string& who);
  /// Needed to resume from red, black and a fourth yellow. Errors: refused (nothing to
  /// acknowledge).
  Result<void> acknowledge(const std::string& who, const std::string& reason);
  /// Errors: refused (reason too short, longer than 24 h, unknown limit, cannot be overridden).
  Result<void> add_override(const Override& exception);
  Result<void> end_override(const std::string& limit, const std::string& who);

  /// A piece of a shop's own list of people who have written to it before, whole lines of
  /// "number[,YYYY-MM-DD]". They become regulars whose number is still checked once and who count
  /// in the day's total until they write. Errors: refused (nobody says who imports it).
  Result<ImportReport> import_regulars(std::string_view csv, const std::string& who);

  /// What would become of a message posted now, behind everything that waits. consent, urgent: as
  /// on the send request; life: how long it may wait, which counts for first messages: they are
  /// refused when they cannot go in it. Nothing is asked or counted.
  [[nodiscard]] Outlook can_send(const std::string& chat, bool consent, bool urgent,
                                 milliseconds life);

  /// Is one more of these within the budget? Charges it when it is. chat_known: for members.
  /// Errors: busy ("2 of 2 in 24 h; next at …"), refused (a stranger cannot be added to a group).
  Result<void> take(Action action, const std::string& member_chat = {});
  /// The same for several at once: all of them are within their budgets, or none is charged.
  Result<void> take(std::span<const Cost> costs);
  /// What was charged has not come to pass, and WhatsApp has seen nothing of it.
  void give_back(Action action, std::uint32_t count = 1);

  [[nodiscard]] std::vector<OptOut> opt_outs() const;
  [[nodiscard]] bool opted_out(const std::string& chat) const;
  /// reason: at least 1 character. Errors: malformed (no chat id), full.
  Result<void> add_opt_out(const std::string& chat, const std::string& who,
                           const std::string& reason);
  /// Errors: not_found.
  Result<void> remove_opt_out(const std::string& chat, const std::string& who,
                              const std::string& reason);
  /// What a customer wrote to another number of the shop's: a stop or start word in it counts here
  /// too, nothing else. The other number gives no confirmation.
  void heard_elsewhere(const std::string& chat, std::string_view text);
  /// Forgets what was learned, keeps the opt-out list and the audit log.
  void factory_defaults(const std::string& who);

  // Watching ----------------------------------------------------------------------------------

  [[nodiscard]] Level level() const;
  [[nodiscard]] ThrottleStatus status() const;
  [[nodiscard]] std::string sentence() const;  ///< describe(status(), now's offset)
  [[nodiscard]] std::vector<Metric> metrics() const;
  /// The newest `limit` records, oldest first. Errors: io.
  [[nodiscard]] Result<std::vector<AuditRecord>> audit(std::size_t limit) const;
  /// The link must not be tried again before this (402: expiry + 1 h).
  [[nodiscard]] std::optional<Wall> reconnect_not_before() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// The system's own idea of local time (TZ of the process), for Outside::utc_offset.
[[nodiscard]] seconds local_offset(Wall at);

/// "Reply YES to get receipts here": what a till may use as its opening text (policy 5.4), and the
/// link and QR text that make the customer write first.
[[nodiscard]] std::string write_first_link(std::string_view own_phone, std::string_view text);

}  // namespace posthorn::throttle
