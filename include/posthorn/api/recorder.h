#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "posthorn/api/notification.h"
#include "posthorn/chat/events.h"
#include "posthorn/journal/journal.h"

namespace posthorn::api {

/// Writes the journal: whatever is said, whether the settings want a notification of it or not. The
/// notifier's neighbour: the root tells both.
class Recorder {
 public:
  struct Outside {
    journal::Journal& journal;
    /// The one name of whom a chatId is (base/identities.h).
    std::function<std::string(const std::string& chat)> account_of;
    QuoteOf quote_of = {};  ///< may be empty
  };

  explicit Recorder(Outside outside) : outside_(std::move(outside)) {}
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// Before its notification goes to the inbox; written with flush() when that is stored.
  void on_event(const chat::Event& event);
  void flush() { (void)outside_.journal.flush(); }

  /// The queue has it on disk, or has found it there at the start.
  void on_job(const Job& job);
  /// It waits on with another text.
  void on_replaced(const Job& job);
  /// It was taken back before it was sent.
  void on_dropped(const Job& job);
  void on_cleared();
  /// at: 1970 counts as when it was accepted.
  void on_fate(const Job& job, MessageStatus status, Wall at);

  /// At the start, oldest first: a notification that the inbox holds or held. What a power cut has
  /// taken from the journal is written again.
  void catch_up(std::string_view notification);
  /// The same, before the notifications, for a job that the queue has done with: it was sent,
  /// unless they or the journal know better.
  void catch_up(const Job& done);
  /// Once at the start, when every job of the queue was told: what waits in the journal and not in
  /// the queue has gone. was_sent: as far as it is remembered.
  void settle(const std::function<bool(const std::string& chat, const std::string& id)>& was_sent);

  /// The till's own number of a message of ours; empty: it gave none.
  [[nodiscard]] std::string external_id_of(const std::string& chat, const std::string& id);

 private:
  void add_job(const Job& job, journal::Status status);
  void on_message(const chat::Message& message);
  void on_receipt(const chat::Receipt& receipt);
  void on_call(const chat::Call& call);
  void catch_up_message(const json::Value& notification, bool incoming);
  /// Who changes a message of before.
  struct Author {
    bool ours = false;
    std::string chat;    ///< their chatId; empty: not said
    bool admin = false;  ///< of the group, who deletes what others wrote
  };
  void change_original(const std::string& chat, const Author& author, const Content& content);
  [[nodiscard]] std::string key_of(const std::string& chat) const {
    return outside_.account_of ? outside_.account_of(chat) : chat;
  }
  void know_external(const Job& job);

  Outside outside_;
  std::unordered_set<std::string> waiting_;  ///< ids of jobs, until settle()
  std::unordered_set<std::string> done_;     ///< of those that the queue has done with, likewise
  bool settled_ = false;
  /// Jobs that the journal has for certain: what becomes of them soon need not describe them again.
  std::unordered_set<std::string> added_;
  /// Of messages whose till has numbers, the newest; the journal knows the others.
  std::unordered_map<std::string, std::string> external_;
  std::deque<std::string> external_order_;
  std::optional<bool> any_external_;
  std::deque<std::pair<std::string, chat::Call::Status>> calls_;  ///< the newest
};

[[nodiscard]] journal::Status journal_status(MessageStatus status);

}  // namespace posthorn::api
