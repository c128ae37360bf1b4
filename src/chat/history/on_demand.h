#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chat/history/history.h"
#include "chat/history/payload.h"
#include "chat/lane/blob_source.h"
#include "chat/lane/context.h"
#include "chat/send/peer_messages.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/chat/phone_history.h"
#include "posthorn/wire/wa.pb.h"

namespace posthorn::chat {

/// Older messages of one chat, as the phone gives them when it is asked. They are handed on and not
/// kept; what nobody asked for is not read. Source: chapter 12 section 1.6.
class OnDemandHistory final : public PhoneHistory {
 public:
  /// Questions that may be open.
  static constexpr std::size_t kMostOpen = 4;
  /// For the phone to answer, and again for its file to come.
  static constexpr seconds kPatience{60};

  /// All outlive this.
  OnDemandHistory(const MessageContext& context, PeerMessages& peers, BlobSource& blobs,
                  const History& history)
      : context_(context), peers_(peers), blobs_(blobs), history_(history) {}
  OnDemandHistory(const OnDemandHistory&) = delete;
  OnDemandHistory& operator=(const OnDemandHistory&) = delete;
  ~OnDemandHistory() override { fail_all({Errc::cancelled, "the box ends"}); }

  void older(const std::string& chat, const KnownMessage& than, std::uint32_t count,
             Once<void(Result<std::vector<PastMessage>>)> done) override;
  [[nodiscard]] int progress() override { return history_.progress(); }

  /// A notification of our own account, of type on_demand, or that says that nothing will come.
  void take(const std::string& message_id, const HistoryNotification& news);
  void on_offline() {
    fail_all({Errc::disconnected, "the connection to WhatsApp broke while the phone was asked"});
  }

 private:
  /// A question that the phone has not answered.
  struct Open {
    explicit Open(Scheduler& scheduler) : timer(scheduler) {}

    wire::Jid chat;  ///< under the name that it is kept under here
    KnownMessage than;
    std::uint32_t count = 0;
    Once<void(Result<std::vector<PastMessage>>)> done;
    bool answered = false;  ///< and what it said is being read
    Timer timer;
  };
  using OpenOnes = std::map<std::string, std::unique_ptr<Open>>;

  Result<wa::Message> build_request(const Open& open);
  void finish(const std::string& id, Result<std::vector<PastMessage>> result);
  void fail_all(const Error& why);
  [[nodiscard]] OpenOnes::iterator find(const HistoryNotification& news);
  void read(const std::string& id, const std::string& message_id, const HistoryNotification& news);
  Result<std::vector<PastMessage>> messages_of(const Open& open, const std::vector<Bytes>& rows);
  Result<std::optional<PastMessage>> message_of(const Open& open, const wa::WebMessageInfo& row);
  Result<void> name_people(const Open& open, const wa::WebMessageInfo& row, Message& message);
  Result<void> forget_unknown_file(Content& content);
  void write_receipt(const std::string& message_id);

  const MessageContext& context_;
  PeerMessages& peers_;
  BlobSource& blobs_;
  const History& history_;
  OpenOnes open_;  ///< by the id of the message that asks
};

}  // namespace posthorn::chat
