#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "chat/lane/context.h"
#include "chat/send/peer_messages.h"
#include "posthorn/base/result.h"
#include "posthorn/store/sync_store.h"
#include "posthorn/wire/app_state.h"
#include "posthorn/wire/wa.pb.h"

namespace posthorn::chat {

/// The keys under which the account's devices share their state. The phone makes them and hands
/// them out; one that is missing is asked for, once a day. Source: chapter 11 section 2.
class Keyring {
 public:
  static constexpr hours kAskAgain{24};

  /// All outlive this.
  Keyring(const MessageContext& context, store::SyncStore& store, PeerMessages& peers)
      : context_(context), store_(store), peers_(peers) {}

  /// A share that came; inside the lane's transaction. true: at least one key is new.
  Result<bool> take(const wa::Message::AppStateSyncKeyShare& share);
  /// nullopt: we do not have it.
  [[nodiscard]] Result<std::optional<wire::SyncKeys>> find(ByteView id);
  struct Active {
    Bytes id;
    wire::SyncKeys keys;
  };
  /// The one for what we write: highest epoch, then lowest device. nullopt: none came yet.
  [[nodiscard]] Result<std::optional<Active>> active();
  [[nodiscard]] Result<std::vector<store::SyncStore::Key>> all() { return store_.keys(); }
  /// Asks all devices of ours, unless that was done within a day.
  Result<void> ask(ByteView id);
  /// Another device of ours asks for keys.
  Result<void> answer(const wire::Jid& device, const wa::Message::AppStateSyncKeyRequest& request);
  void forget() { expanded_.clear(); }

 private:
  const MessageContext& context_;
  store::SyncStore& store_;
  PeerMessages& peers_;
  std::map<Bytes, wire::SyncKeys> expanded_;
};

/// Which of two key ids is the newer: 2 bytes device, 4 bytes epoch, big-endian; an id of another
/// length is older than any.
[[nodiscard]] bool is_newer_key(ByteView id, ByteView than);

}  // namespace posthorn::chat
