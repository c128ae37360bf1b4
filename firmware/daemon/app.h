#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daemon/access.h"
#include "daemon/both_numbers.h"
#include "daemon/charged_groups.h"
#include "daemon/cloud_side.h"
#include "daemon/event_tail.h"
#include "daemon/file_fetcher.h"
#include "daemon/fleet_desk.h"
#include "daemon/hour_counts.h"
#include "daemon/inbox.h"
#include "daemon/inbox_mailbox.h"
#include "daemon/metrics.h"
#include "daemon/number_checks.h"
#include "daemon/official_side.h"
#include "daemon/outbox.h"
#include "daemon/receipt_desk.h"
#include "daemon/refused_list.h"
#include "daemon/throttle_config.h"
#include "daemon/timed_pause.h"
#include "posthorn/api/api.h"
#include "posthorn/api/file_links.h"
#include "posthorn/api/notifier.h"
#include "posthorn/api/recorder.h"
#include "posthorn/base/clock.h"
#include "posthorn/base/config.h"
#include "posthorn/base/status.h"
#include "posthorn/chat/chat.h"
#include "posthorn/files/store.h"
#include "posthorn/journal/journal.h"
#include "posthorn/net/http_client.h"
#include "posthorn/queue/ring_file.h"
#include "posthorn/session/session.h"
#include "posthorn/store/store.h"
#include "posthorn/throttle/valve.h"
#include "posthorn/webhooks/courier.h"

namespace posthorn::daemon {

/// The box without its edges: the four arrows of ARCHITECTURE.md, joined. It has no sockets, files
/// or clocks of its own, so a test runs the very same composition for fourteen days in seconds
/// (tests/scenario); appliance.cpp gives it the real ones.
class App final : private throttle::Listener {
 public:
  struct Outside {
    Scheduler& scheduler;
    Clock& clock;
    Random& random;
    Worker& worker;
    Dialer& dialer;
    net::HttpClient& http;
    store::Store& store;
    queue::RingFile& outbox_ring;
    queue::RingFile& inbox_ring;
    /// Seconds the shop's clock is ahead of UTC at that moment.
    std::function<seconds(Wall)> utc_offset;
    /// How the box is called on the network.
    std::vector<std::string> host_names = {};
    /// Something that the LED shows has changed; may be empty.
    std::function<void()> on_change = {};
    /// Null: no files are carried.
    files::Store* files = nullptr;
    /// Of the page in the browser; none: only /plain.
    std::span<const api::PageFile> page_files = {};
    /// To printers, and where what they print is kept; null: tills cannot print.
    Dialer* printers = nullptr;
    std::shared_ptr<files::Disk> receipts = nullptr;
  };

  /// Everything in `outside` outlives the box.
  App(const Config& config, const Access& access, Outside outside);
  App(const App&) = delete;
  App& operator=(const App&) = delete;
  ~App() override;

  /// Builds in dependency order and loads what was kept; nothing connects yet.
  /// Errors: io, malformed (configuration).
  Result<void> build();
  /// Connects to WhatsApp.
  void connect() { session_->start(); }
  /// In reverse order of build(); answers what is still open with `cancelled`.
  void stop();

  [[nodiscard]] api::Api& api() { return *api_; }
  [[nodiscard]] throttle::Valve& valve() { return *valve_; }
  [[nodiscard]] session::Session& session() { return *session_; }
  /// Null: no printer is configured.
  [[nodiscard]] ReceiptDesk* receipts() { return receipts_.get(); }
  [[nodiscard]] Status status() const;
  /// As Prometheus reads it.
  [[nodiscard]] std::string metrics() const;
  /// Shown instead of the link's own advice until the box is linked; empty: nothing.
  void advise_until_linked(std::string what_to_do) { advice_ = std::move(what_to_do); }

 private:
  [[nodiscard]] bool ended_cleanly() const;
  /// As far as the store remembers.
  [[nodiscard]] bool was_sent(const std::string& chat, const std::string& id);
  Result<std::vector<std::string>> told_messages();
  Result<std::vector<Job>> unsure_jobs();
  Result<void> build_send(std::span<const std::string> told);
  void build_notify();
  Result<void> open_journal();
  void build_journal();
  [[nodiscard]] api::Instance instance() const;
  [[nodiscard]] std::optional<Quote> quote_of(const Job& job);
  [[nodiscard]] json::Value activity() const;
  [[nodiscard]] std::string present_state() const;
  [[nodiscard]] std::optional<chat::FilesOutside> files_outside() const;
  [[nodiscard]] std::optional<api::FileOutside> file_methods();
  [[nodiscard]] api::Api::Outside api_outside();
  [[nodiscard]] Result<std::function<void()>> charge_status();
  /// Whether the job's file lies at WhatsApp's host; else it is brought there first.
  bool prepare(std::uint64_t sequence, const Job& job);
  bool prepare_preview(std::uint64_t sequence, const Job& job);
  void build_ask();
  Result<void> build_cloud();
  Result<void> build_official();
  Result<void> build_print();

  // notify: net -> wire -> session -> chat -> here -> inbox -> webhook or long poll
  void on_event(const session::Event& event, Once<void(Result<void>)> stored);
  void on_event(const chat::Event& event, Once<void(Result<void>)> stored);
  void notify(const chat::Event& event, Once<void(Result<void>)> stored);
  void tell_of_message(const chat::Message& message);
  Once<void(Result<void>)> fetch_after(const chat::Message& message,
                                       Once<void(Result<void>)> stored);
  void tell_of_link(bool online);
  void on_settings(const api::Settings& settings);

  // What the throttle tells.
  void on_fate(const throttle::Fate& fate, Once<void()> settled) override;
  void on_level(const throttle::LevelChange& change) override;
  void ask_restriction() override;
  void confirm_opt_out(const std::string& chat, const std::string& text) override;
  void tell_operator(const std::string& sentence) override;

  Config config_;
  Access access_;
  Outside out_;
  api::SettingsStore settings_;
  SettingChanges setting_changes_;
  RefusedList refused_;
  std::unique_ptr<api::FileLinks> links_;      ///< null without files
  std::unique_ptr<FileFetcher> file_fetcher_;  ///< the same
  std::unique_ptr<journal::Journal> journal_;  ///< null: none is kept
  std::unique_ptr<api::Recorder> recorder_;    ///< the same
  std::deque<std::string> latest_;  ///< notifications of before the start, until build_journal()
  std::vector<Job> ended_;          ///< jobs that the queue had done with then, likewise
  std::unique_ptr<session::Session> session_;
  std::unique_ptr<chat::Chat> chat_;
  std::unique_ptr<FirstContactCheck> checker_;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<throttle::Valve> valve_;
  std::unique_ptr<Inbox> inbox_;
  std::unique_ptr<api::Notifier> notifier_;
  std::unique_ptr<ChargedPeople> people_;
  std::unique_ptr<ChargedGroups> groups_;
  std::unique_ptr<api::Api> api_;
  std::unique_ptr<InboxMailbox> mailbox_;
  std::unique_ptr<webhooks::Courier> courier_;
  std::unique_ptr<BothNumbers> both_;
  std::unique_ptr<CloudSide> cloud_;
  std::unique_ptr<OfficialSide> official_;
  std::unique_ptr<ReceiptDesk> receipts_;  ///< null without printers
  Counters counters_;
  HourCounts hours_;
  std::optional<Wall> last_contact_;  ///< when the line to WhatsApp last came up or went
  TimedPause pause_;
  FleetDesk fleet_;
  EventTail tail_;
  std::string advice_;
  Alive<App> alive_{this};
};

}  // namespace posthorn::daemon
