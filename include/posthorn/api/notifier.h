#pragma once

#include <functional>
#include <string>

#include "posthorn/api/instance_state.h"
#include "posthorn/api/notification.h"
#include "posthorn/api/settings.h"
#include "posthorn/api/state_history.h"
#include "posthorn/base/clock.h"
#include "posthorn/base/once.h"
#include "posthorn/base/recent_map.h"

namespace posthorn::api {

/// What the inbox needs to know to choose when it is full: statuses go first.
enum class NotificationKind : std::uint8_t { message, status, state };

/// One notification on its way to the inbox.
struct InboxItem {
  std::string body;  ///< JSON, UTF-8, not longer than Outside::limit_bytes
  NotificationKind kind = NotificationKind::message;
  std::string chat;  ///< whose room it takes; empty: nobody's
};

/// Turns what happens into notifications and hands them to the inbox: the "notify" arrow.
/// Remembers the statuses of recent messages, so that none is told twice (a receipt comes once per
/// device of the customer) and none takes a message back: they only go forward.
class Notifier {
 public:
  struct Outside {
    Scheduler& scheduler;
    const Clock& clock;
    BlobStore& blobs;  ///< keeps the state that was told last, so that a restart is no news
    const SettingsStore& settings;
    std::function<Instance()> instance;
    /// Stores one notification; stored runs when it is on disk.
    std::function<void(InboxItem item, Once<void(Result<void>)> stored)> store;
    std::size_t limit_bytes = std::size_t{256} << 10;  ///< what the inbox takes of one
    QuoteOf quote_of = {};                             ///< may be empty
    /// The till's own number of a message of ours; empty: it gave none. May be empty.
    std::function<std::string(const std::string& chat, const std::string& id)> external_id_of = {};
    /// A status of a till's message was told for the first time; one that was read without having
    /// arrived has arrived first. May be empty.
    std::function<void(MessageStatus status)> on_status = {};
    /// As the owner's address book has that person; empty: it does not. May be empty.
    std::function<std::string(const std::string& chat)> contact_name_of = {};
    /// What a chat is called, chat::Contacts::chat_name(). May be empty.
    std::function<std::string(const std::string& chat)> chat_name_of = {};
  };
  /// Messages whose statuses are remembered.
  static constexpr std::size_t kRemembered = 4096;

  explicit Notifier(Outside outside);
  ~Notifier() { *alive_ = false; }
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  /// stored runs at once when the event becomes no notification.
  void on_event(const session::Event& event, Once<void(Result<void>)> stored);
  void on_event(const chat::Event& event, Once<void(Result<void>)> stored);
  void on_throttle(Status::Throttle throttle) { state_.on_throttle(throttle); }
  /// A notification that somebody else has built; what comes of it is told in the log only.
  void tell(const json::Value& notification);

  /// The job left the queue: outgoingAPIMessageReceived (unless the message never went out), then
  /// outgoingMessageStatus, unless a receipt was faster and said more. at: 1970 counts as now.
  /// stored: both are on disk.
  void on_job(const Job& job, MessageStatus status, const std::string& description, Wall at,
              Once<void(Result<void>)> stored);

  /// failed or noAccount of a message that had been taken: the official API says so only later,
  /// and "sent" is no news after it. stored: it is on disk. Nothing is told of one that has
  /// arrived.
  void on_late_failure(const StatusReport& report, Once<void(Result<void>)> stored);

  /// At the start, oldest first: a notification that the inbox still holds or held. Statuses that
  /// were told before a restart are not told again.
  void remember(std::string_view notification);

  [[nodiscard]] const InstanceState& state() const { return state_; }
  [[nodiscard]] const StateHistory& history() const { return history_; }
  /// Messages of kinds that are not known here, since the start.
  [[nodiscard]] std::uint64_t skipped() const { return skipped_; }

 private:
  void on_state(InstanceState::Value value);
  void on_receipt(const chat::Receipt& receipt, Once<void(Result<void>)> stored);
  void emit(const std::optional<json::Value>& notification, NotificationKind kind,
            Once<void(Result<void>)> stored);
  [[nodiscard]] std::string external_id_of(const std::string& chat, const std::string& id) const;
  void name_people(json::Value& notification, bool incoming) const;
  void emit_status(const StatusReport& report, Once<void(Result<void>)> stored, bool late = false);
  void count(MessageStatus status, std::uint8_t before) const;
  /// True once for each status of a message, and only while it says more than those before.
  [[nodiscard]] bool is_news(const std::string& id, MessageStatus status, bool late);

  Outside outside_;
  InstanceState state_;
  StateHistory history_;
  std::string told_;      ///< stateInstance as told last
  bool settled_ = false;  ///< a state other than "starting" was reached since the start
  struct Known {
    std::uint8_t statuses = 0;  ///< a bit each
    bool shown = false;         ///< outgoingAPIMessageReceived was told
  };
  RecentMap<std::string, Known> known_{kRemembered};
  std::uint64_t skipped_ = 0;
  /// Shared with callbacks that may come after the notifier is gone.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace posthorn::api
