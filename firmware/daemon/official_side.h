#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/file_fetcher.h"
#include "daemon/outbox.h"
#include "daemon/throttle_api.h"
#include "posthorn/api/api.h"
#include "posthorn/api/notifier.h"
#include "posthorn/api/settings.h"
#include "posthorn/chat/earlier.h"
#include "posthorn/cloud/hearing.h"
#include "posthorn/cloud/ledger.h"
#include "posthorn/cloud/official_account.h"
#include "posthorn/cloud/official_reads.h"
#include "posthorn/cloud/transport.h"
#include "posthorn/cloud/user_ids.h"
#include "posthorn/throttle/valve.h"

namespace posthorn::daemon {

/// Reads the secrets of [cloud]. Errors: io (a file that is named cannot be read), with its key.
[[nodiscard]] Result<cloud::Secrets> read_secrets(const CloudConfig& config);

/// The official number beside the linked account: which of the two a job takes, what comes back of
/// what went out there, and what people write there. With the methods
///   GET  getOfficialStatus  Transport::status_json(), "mode", "phoneNumberId", "heard" (webhooks)
///   POST resumeOfficial     (careToken) a person has seen to what stopped it
///   POST testOfficial       asks Meta about the number: {"result": true, …} or why not
class OfficialSide final : public Diversion {
 public:
  struct Outside {
    Scheduler& scheduler;
    const Clock& clock;
    BlobStore& blobs;
    net::HttpClient& http;
    queue::RingFile& outbox_ring;
    Outbox& outbox;
    throttle::Valve& valve;
    api::Notifier& notifier;
    std::function<Status()> status;
    std::function<seconds(Wall)> utc_offset;
    files::Store* files = nullptr;
    std::string proxy = {};
    /// Where the till gets a file of a message; may be empty.
    std::function<void(Content& content)> fill_in = {};
    /// Whether what comes is marked as read; null: it is not.
    const api::SettingsStore* settings = nullptr;
  };

  OfficialSide(const CloudConfig& config, cloud::Secrets secrets, Outside outside);
  OfficialSide(const OfficialSide&) = delete;
  OfficialSide& operator=(const OfficialSide&) = delete;
  ~OfficialSide() override;

  // What the outbox asks.
  bool on_job(std::uint64_t sequence, const Job& job) override;
  bool take_up(std::uint64_t sequence, const Job& job) override;
  bool cancel(std::uint64_t sequence) override;
  [[nodiscard]] std::optional<std::string> waits_for(std::uint64_t sequence) const override;

  /// What it would make of a message that is posted now.
  [[nodiscard]] OfficialOutlook outlook(const Job& job) const;

  /// After the outbox has been read.
  void start();
  void stop();
  [[nodiscard]] std::vector<api::Route> routes();
  /// A webhook of Meta's; done: the HTTP status, 200 when all of it is on disk.
  void hear(const std::string& body, const std::string& signature, Once<void(int status)> done);

  // What answers name (official_side_answers.cpp). chat: a chatId of the person, whichever.
  /// A message that went by the official number or came to it; nullopt: it remembers none.
  [[nodiscard]] std::optional<chat::EarlierMessage> earlier(const std::string& chat,
                                                            const std::string& message_id) const;
  /// They wrote to the linked account.
  void on_inbound_elsewhere(const std::string& chat, Wall at);
  /// Their newest message came to the official number, and the window that it opened still is.
  [[nodiscard]] bool wrote_last(const std::string& chat) const;
  [[nodiscard]] bool has_unread(const std::string& chat) const;
  /// As OfficialReads::mark(). Errors: also malformed (no such number any more), disconnected (a
  /// person must see to what has stopped it).
  void mark_read(const std::string& chat, const std::string& wamid, cloud::Typing typing,
                 Once<void(Result<std::size_t>)> done);
  /// "DE.1a2b@bsuid" of a user id that a webhook has named; nullopt: nobody is known by it.
  [[nodiscard]] std::optional<std::string> chat_of_user_id(const std::string& user_id) const;

 private:
  /// Answers when all that it was given to has answered.
  struct Gather;
  [[nodiscard]] cloud::Transport::Outside transport_outside();
  [[nodiscard]] std::string sentence(const json::Value& shown) const;
  [[nodiscard]] json::Value status_json() const;
  [[nodiscard]] bool only_official(const Job& job) const;
  [[nodiscard]] Transport wish_of(const Job& job) const;
  [[nodiscard]] bool quotes_official(const Job& job) const;
  void name_targets(Content& content, const std::string& chat) const;
  void mark_on_arrival(const chat::Message& message);
  void mark_on_reply(const std::string& chat);
  void on_joined(const std::string& from, const std::string& into);
  void take_overflow();
  [[nodiscard]] cloud::RouteFacts facts_of(const Job& job, const throttle::JobView* view) const;
  void on_fate(const cloud::Transport::Fate& fate);
  [[nodiscard]] std::optional<Wall> hold(const Job& job) const;
  void on_status(const cloud::HeardStatus& status, Once<void(Result<void>)> stored);
  void on_message(cloud::HeardMessage heard, Once<void(Result<void>)> stored);
  void fetch_file(const cloud::HeardMessage& heard, Once<void(Result<void>)> stored);
  void tell(chat::Message message, Once<void(Result<void>)> stored);
  void look_again();
  void ask_relay();
  void on_relay(const net::HttpResponse& answer);
  /// before: how far it had come when the items were asked for.
  void take_items(std::shared_ptr<json::Value> items, unsigned index, std::uint64_t before);
  void test(api::Call call);

  CloudConfig config_;
  cloud::Secrets secrets_;
  Outside out_;
  cloud::UserIds user_ids_;
  cloud::OfficialAccount account_;
  cloud::OfficialReads reads_;
  cloud::Transport transport_;
  std::set<std::uint64_t> overflow_;  ///< jobs that nobody else may send, until there is room
  /// wamids of messages that were told: chatId, and " me" of what was typed on its phone.
  cloud::Ledger heard_;
  std::set<std::string> fetching_;        ///< wamids of messages whose files are on their way
  std::unique_ptr<FileFetcher> fetcher_;  ///< null without files
  std::uint64_t webhooks_ = 0, refused_ = 0;
  std::uint64_t relay_after_ = 0;
  std::string relay_said_;
  Timer relay_timer_;
  Timer look_timer_;
  /// Behind a chatId in heard_.
  static constexpr const char* kTypedThere = " me";
  Alive<OfficialSide> alive_{this};
};

}  // namespace posthorn::daemon
