#pragma once

#include <span>
#include <vector>

#include "chat/lane/context.h"
#include "chat/lane/lane.h"
#include "chat/people/bundles.h"
#include "chat/people/devices.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/signal/protocol.h"

namespace posthorn::chat {

/// Builds the Signal sessions that a send needs.
class SessionBuilder {
 public:
  /// Whether the device lists that were gone by still hold. stale: the server knows a device no
  /// longer (406), its user's list is dropped, and who asks for it again gets the right one.
  enum class Lists : bool { current, stale };

  /// All outlive this.
  SessionBuilder(const MessageContext& context, ReceiveLane& lane, signal::Protocol& protocol,
                 Devices& devices)
      : context_(context), lane_(lane), protocol_(protocol), devices_(devices) {}

  /// Asks for the keys of those devices that we have no session with, or of all of them when the
  /// reason is a changed identity. Devices without usable keys are left out, not an error.
  /// done: the sessions there are are in the store. Errors: timeout, disconnected, io.
  void ensure(std::vector<wire::Jid> devices, FetchReason reason, Once<void(Result<Lists>)> done);

  /// A bundle that came in a retry receipt or from the server; inside ReceiveLane::exclusive.
  /// A companion's needs the account's word (<device-identity>), by the key of its phone.
  /// Errors: crypto (wrong signature, no such word, no key to check it with), io.
  Result<void> process(const wire::Jid& device, const KeyBundle& bundle);

 private:
  struct Work;
  void fetch_next(Work work);
  void on_reply(Work work, std::vector<wire::Jid> asked, Result<wire::Node> reply);
  void on_refused(Work work, std::vector<wire::Jid> asked, const Error& error);
  void take(Work work, std::vector<FetchedBundle> fetched);
  Result<void> check_proof(const wire::Jid& companion, const KeyBundle& bundle);
  void process_next(Work work, std::vector<FetchedBundle> fetched);
  Result<void> process_all(std::span<const FetchedBundle> fetched);

  const MessageContext& context_;
  ReceiveLane& lane_;
  signal::Protocol& protocol_;
  Devices& devices_;
};

}  // namespace posthorn::chat
