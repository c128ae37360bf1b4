#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "posthorn/base/alive.h"
#include "posthorn/base/blob_store.h"
#include "posthorn/base/clock.h"
#include "posthorn/base/job.h"
#include "posthorn/base/json.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/cloud/ledger.h"
#include "posthorn/cloud/prices.h"
#include "posthorn/cloud/standing.h"
#include "posthorn/cloud/way.h"
#include "posthorn/files/store.h"
#include "posthorn/net/http_client.h"

namespace posthorn::cloud {

/// What is read from files once, never logged, never shown.
struct Secrets {
  std::string token;
  std::string app_secret;
  std::string relay_token;
};

/// Sends jobs by the official API, one POST at a time, and keeps what it must know to send none
/// twice: before a POST leaves, the job is "in flight" on disk. There is no message id of the
/// client's at Meta; where the answer is lost the job is asked about by its status webhook for a
/// minute, and then told as unknown, never sent again by itself (unless the setting says so).
///
/// A job is on disk in the outbox all the while; what this keeps is its state by id: "assigned",
/// "flight", "sent WAMID", "ended". Those of the newest thousands stay, because the outbox's own
/// acknowledgement may be lost with the power and bring a job back that has ended. It is read at
/// every start, also without an official number: a job that may have been sent by one is never
/// given to anybody else.
/// Source: Meta's reference of the messages endpoint and of its errors, 2026.
class Transport {
 public:
  enum class End : std::uint8_t { sent, failed, no_account };
  struct Fate {
    std::uint64_t sequence = 0;
    Job job;
    End end = End::sent;
    std::string description;
    Wall time;
  };
  struct Outside {
    Scheduler& scheduler;
    const Clock& clock;
    BlobStore& blobs;
    net::HttpClient& http;
    /// A job has ended: its owner tells of it, and then takes it out of the outbox.
    std::function<void(const Fate& fate)> on_fate;
    /// May it go now? A time: not before; may be empty.
    std::function<std::optional<Wall>(const Job& job)> hold = {};
    /// They do not want to be written to: true ends the job as failed; may be empty.
    std::function<bool(const std::string& chat)> opted_out = {};
    /// They said so to Meta; may be empty.
    std::function<void(const std::string& chat)> on_opt_out = {};
    files::Store* files = nullptr;  ///< null: no files
    std::string proxy = {};
    /// The chatId that names the same person now: a number, or a newer user id; may be empty.
    std::function<std::string(const std::string& chat)> newest_name = {};
    /// The one chatId of that person, under which windows and holds are kept; may be empty.
    std::function<std::string(const std::string& chat)> kept_as = {};
    /// Why a template cannot be used, "" when it can; may be empty.
    std::function<std::string(const std::string& name, const std::string& language)>
        trouble_with_template = {};
  };

  /// Jobs that wait here at most. More stay with the linked account; those that nobody else may
  /// send are kept by whoever assigns them, until there is room.
  static constexpr std::size_t kWaiting = 1000;

  Transport(const CloudConfig& config, Secrets secrets, Outside outside);
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  ~Transport();

  /// There is an official number.
  [[nodiscard]] bool is_set_up() const { return !config_.phone_number_id.empty(); }
  /// Set up, and not stopped by an error that a person must see to.
  [[nodiscard]] bool works() const { return is_set_up() && standing_.stopped_by().empty(); }
  /// They wrote within the last 24 hours; never where no webhooks come.
  [[nodiscard]] bool window_open(const std::string& chat) const;
  /// The way this job would take. What it needs to be asked for is in choose_way().
  [[nodiscard]] Way way_of(const Job& job) const;
  /// There is a way, and Meta does not hold back what is sent to them.
  [[nodiscard]] bool can_send(const Job& job) const;
  /// Why it could not be sent now; "": it can.
  [[nodiscard]] std::string why_not(const Job& job) const;

  /// There is room for one more.
  [[nodiscard]] bool has_room() const { return waiting_.size() + lost_.size() < kWaiting; }
  /// Takes the job. False: too many wait.
  bool assign(std::uint64_t sequence, const Job& job);
  /// At the start, for each job of the outbox: true when it is one of ours. only_here: nobody else
  /// may send it. What has only been assigned is let go when there is no official number any more.
  bool take_up(std::uint64_t sequence, const Job& job, bool only_here);
  /// Forgets it and its state: whoever sends it from now on, it is not ours at the next start.
  /// False: not here, just being sent, or sent.
  bool cancel(std::uint64_t sequence);
  /// Why it waits, for showMessagesQueue; nullopt: not here.
  [[nodiscard]] std::optional<std::string> waits_for(std::uint64_t sequence) const;
  /// Begins to send; after the last take_up().
  void start();
  void stop();
  /// A person has seen to what stopped it.
  void resume();

  /// A status webhook names the job: it was sent. For those whose answer was lost.
  void on_known_sent(const std::string& job_id, const std::string& wamid);
  /// They wrote: the window of 24 hours is open from then.
  void on_inbound(const std::string& chat, std::int64_t unix_seconds);
  /// What was kept of `from` is about `into` now: one person.
  void on_joined(const std::string& from, const std::string& into);
  /// A status says that a message of ours failed. True: it goes once more, another way or again;
  /// false: that was its end. Before its own answer has come nothing goes once more.
  bool on_failed(const std::string& job_id, const std::string& chat, int code,
                 const std::string& details);
  struct Known {
    std::string id;    ///< idMessage
    std::string chat;  ///< chatId
  };
  /// The message of ours behind a wamid, of the newest thousands.
  [[nodiscard]] std::optional<Known> known(const std::string& wamid) const;
  /// What the official number calls a message: the id itself when a wamid, else that of one of ours
  /// by idMessage; "": it knows none.
  [[nodiscard]] std::string wamid_of(const std::string& message_id) const;
  /// A job of ours, by idMessage: its status may overtake the answer that brings the wamid.
  [[nodiscard]] bool is_ours(const std::string& job_id) const {
    return !job_id.empty() && states_.find(job_id).has_value();
  }

  [[nodiscard]] Prices& prices() { return prices_; }
  /// {"works", "stoppedBy", "waiting", "sent", "failed", "unknown", "pausedUntil", "windows", …}
  [[nodiscard]] json::Value status_json() const;

 private:
  struct Waiting {
    std::uint64_t sequence = 0;
    Job job;
    Mono not_before{};  ///< held back alone; its chat may wait as a whole (chat_not_before_)
    int tries = 0;
    bool again = false;          ///< it has left the outbox, and goes once more
    bool uploaded_anew = false;  ///< its file was not there any more, once
    bool answer_lost = false;    ///< in flight when the power was cut, or the answer never came
    std::string was;             ///< how it had ended before a restart; empty: it had not
  };
  void wake();
  void next();
  void work_on(Waiting one);
  void upload_file(Waiting one, const content::File& file);
  void post(Waiting one, const std::string& media_id);
  void transmit(Waiting one, json::Value body);
  void on_answer(Waiting one, Result<net::HttpResponse> answer);
  void on_accepted(Waiting one, const std::string& wamid);
  void on_refused(Waiting one, const net::HttpResponse& answer);
  void react(Waiting one, Reaction reaction, const std::string& said);
  void note(Reaction reaction, const std::string& chat, const std::string& said);
  [[nodiscard]] bool once_more(const std::string& job_id, bool upload_anew);
  [[nodiscard]] std::optional<milliseconds> pair_pace(const std::string& chat);
  [[nodiscard]] Result<json::Value> body_of(const Job& job, const std::string& media_id, Way way);
  /// since: a fact of windows_.
  [[nodiscard]] bool is_open(const std::string& since) const;
  [[nodiscard]] std::size_t open_windows() const;
  void give_up(std::uint64_t sequence, const std::string& why);
  void on_lost(Waiting one, const std::string& why);
  /// put_back(), and it counts as a try.
  void retry(Waiting one, milliseconds after);
  void send_again(const std::string& record, bool answer_lost);
  void put_back(Waiting one, milliseconds after);
  void line_up(Waiting one);
  void end(Waiting one, End how, std::string description);
  void keep_state(const std::string& id, const std::string& state);
  [[nodiscard]] std::string kept_as(const std::string& chat) const {
    return out_.kept_as ? out_.kept_as(chat) : chat;
  }
  /// Under which windows_ has this person.
  [[nodiscard]] std::string window_of(const std::string& chat) const {
    return of_number(kept_as(chat));
  }
  [[nodiscard]] bool direct_send_works() const;
  /// Windows and uploads are one number's.
  [[nodiscard]] std::string of_number(const std::string& key) const {
    return config_.phone_number_id + "/" + key;
  }
  [[nodiscard]] net::HttpRequest request(const char* method, const std::string& path) const;
  [[nodiscard]] bool hears() const { return config_.mode != CloudConfig::Mode::send_only; }

  CloudConfig config_;
  Secrets secrets_;
  Outside out_;
  Ledger states_;   ///< by idMessage
  Ledger wamids_;   ///< wamid: "idMessage chatId"
  Ledger windows_;  ///< number and chatId: unix seconds of their newest word
  Ledger uploads_;  ///< number and SHA-256: "media id, unix seconds"
  Ledger kept_;     ///< by idMessage: short jobs that may have to go once more, newest 512
  Ledger again_;    ///< the same: those that go once more
  Prices prices_;
  Standing standing_;
  std::unordered_map<std::string, std::string> found_;  ///< states at the start
  std::deque<Waiting> waiting_;                         ///< by sequence
  std::map<std::uint64_t, Waiting> lost_;               ///< asked about by webhook, by sequence
  std::map<std::string, Mono> chat_not_before_;         ///< of chats in which one is tried again
  std::map<std::string, Mono> pair_due_;  ///< when all that went to a chat has been paid for
  std::optional<std::uint64_t> flying_;
  /// Of jobs that have left the outbox and go once more.
  std::uint64_t next_again_ = std::uint64_t{1} << 63U;
  bool running_ = false;
  std::uint64_t sent_ = 0, failed_ = 0, unknown_ = 0;
  Timer timer_;
  std::map<std::uint64_t, std::unique_ptr<Timer>> lost_timers_;
  Alive<Transport> alive_{this};
};

}  // namespace posthorn::cloud
