#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "daemon/refused_list.h"
#include "posthorn/base/alive.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/cloud/webhook.h"
#include "posthorn/queue/ring_file.h"
#include "posthorn/webhooks/courier.h"

namespace posthorn::daemon {

/// The inbox once more, as webhooks of the official API: a named reader of the ring, which
/// remembers over power cuts how far it has come and takes nothing away from anybody else.
class CloudMailbox final : public webhooks::Mailbox {
 public:
  static constexpr const char* kReader = "cloud-webhook";

  /// context: asked anew for each notification. Everything outlives the mailbox.
  CloudMailbox(Scheduler& scheduler, queue::RingFile& ring, RefusedList& refused,
               std::function<cloud::WebhookContext()> context)
      : scheduler_(scheduler), ring_(ring), refused_(refused), context_(std::move(context)) {}

  /// From here on; where it has been before, from there. Errors: full (too many readers).
  Result<void> open();
  /// The position is forgotten.
  void close();
  /// Runs when there is a head and there was none.
  void on_head(std::function<void()> listener) { listener_ = std::move(listener); }
  /// A notification is on disk.
  void on_stored();
  /// A webhook that is no notification of the inbox, behind those that are loaded, in place of one
  /// that was offered before and is not on its way. taken: the receiver has it; not called when it
  /// is closed or replaced before.
  void offer(std::string body, std::function<void()> taken);
  /// Somebody has looked at what was refused: it goes once more, behind what is at hand, and off
  /// the list when it is taken. Returns how many; 0 without a callback.
  std::size_t again(const std::vector<Head>& heads);

  [[nodiscard]] std::optional<Head> head(std::size_t ahead) override;
  void remove(std::uint32_t receipt_id, Once<void(Result<bool>)> done) override;
  void set_aside(const Head& head, const Refusal& refusal, Once<void(Result<bool>)> done) override;

 private:
  struct Loaded {
    queue::Sequence sequence = 0;  ///< of the inbox; 0: offered, or from the refused ones
    std::string body;
    std::uint32_t receipt_id = 0;
    std::function<void()> taken = {};  ///< of what was offered
  };
  void load();
  void on_read(const queue::RingFile::Reading& reading);

  Scheduler& scheduler_;
  queue::RingFile& ring_;
  RefusedList& refused_;
  std::function<cloud::WebhookContext()> context_;
  std::function<void()> listener_;
  std::deque<Loaded> loaded_;
  std::uint32_t offered_ = 0;  ///< so many were
  queue::Sequence read_ = 0;   ///< up to here it is loaded or has no form
  bool open_ = false;
  bool loading_ = false;
  Alive<CloudMailbox> alive_{this};
};

}  // namespace posthorn::daemon
