#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chat/content/parse.h"
#include "chat/lane/context.h"
#include "chat/receive/additions.h"
#include "chat/receive/envelope.h"
#include "posthorn/base/result.h"
#include "posthorn/chat/events.h"
#include "posthorn/signal/protocol.h"
#include "posthorn/store/message_store.h"
#include "posthorn/wire/node.h"
#include "posthorn/wire/wa.pb.h"

namespace posthorn::chat {

/// A message that could not be read and is asked for again (chapter 06 section 8).
struct FailedMessage {
  wire::Node stanza;
  int reason = 0;  ///< of <retry error="…">
  /// No session, one made from a prekey that is gone (chapter 05 section 9.6), or one that has lost
  /// too much: keys go along at once, and the sender begins anew.
  bool without_session = false;
  bool hide_failure = false;  ///< no event when it is given up
};

/// What one <message> leads to. Nothing of it is done yet.
struct Reception {
  bool after_commit = false;  ///< come again when the running batch is committed; the rest is empty
  std::optional<Message> event;
  std::vector<std::uint64_t> keys;        ///< seen_keys_of; empty: no message with a name
  std::optional<std::uint64_t> seen_key;  ///< it needs not come again
  std::optional<store::MessageStore::Received> received;
  std::optional<store::MediaStore::Received> file;
  std::optional<store::PollStore::Poll> poll;  ///< somebody's, whose votes may come
  std::optional<store::PollStore::Vote> vote;
  std::optional<std::pair<std::string, store::TimerStore::ChatTimer>> timer;  ///< of which chat
  std::string push_name_user;  ///< whose push name changed; empty: nobody's
  std::string push_name;
  std::vector<wire::Node> replies;  ///< to be written when all of the above is on disk
  std::optional<FailedMessage> failed;
  std::uint32_t retry_count = 0;              ///< of the request for it; filled in by who asks
  bool ask_phone = false;                     ///< the server does not have it for this device
  bool awaited = false;                       ///< is on its way: noted with the commit, by who asks
  std::vector<std::uint64_t> ended;           ///< of `keys`: waited for no longer, by who asks
  std::optional<wire::Jid> changed_identity;  ///< the sender has new keys
  std::vector<std::pair<wire::Jid, wire::Jid>> names;  ///< to be learned with the commit
  /// What a device of our own says to this one, and which: keys, history.
  std::optional<wa::Message::ProtocolMessage> from_own_device;
  wire::Jid own_device;
};

/// Reads messages: who, decrypt, unwrap, interpret. Changes keys (through `protocol`, which works
/// on staged keys) and the name map, nothing else.
class Receiver {
 public:
  /// Both outlive this.
  Receiver(const MessageContext& context, signal::Protocol& protocol)
      : context_(context), protocol_(protocol) {}

  /// batch_open: staged changes wait for their commit. Errors: io and the like, never because of
  /// what the stanza says; the connection is dropped then.
  [[nodiscard]] Result<Reception> receive(const wire::Node& stanza, bool batch_open);
  /// The phone's copy of the message of that stanza: nothing is answered any more. No seen_key: it
  /// was read already, or cannot be.
  [[nodiscard]] Result<Reception> receive_copy(const wire::Node& stanza,
                                               const wa::WebMessageInfo& info);

 private:
  struct Work;
  Result<void> learn_names(const Envelope& envelope);
  Result<bool> has_news(const Envelope& envelope);
  Result<void> read_parts(Work& work);
  Result<void> read_part(Work& work, const EncPart& part);
  static void ask_again(Work& work, signal::DecryptError why, bool hide_failure);
  Result<signal::DecryptResult> decrypt(const Envelope& envelope, const EncPart& part);
  Result<void> read_plaintext(Work& work, ByteView padded);
  Result<void> take_distribution(const Work& work, const wa::Message& message);
  Result<void> interpret(Work& work, const Unwrapped& opened);
  void take_protocol(Work& work, const wa::Message::ProtocolMessage& protocol);
  void take_lid_migration(Work& work, const wa::LIDMigrationMappingSyncMessage& message);
  Result<void> interpret_story(Work& work, const wa::Message& message);
  Result<void> interpret_content(Work& work, const wa::Message& message, bool view_once_around);
  Result<void> read_unavailable(Work& work);
  Result<void> note_timer(Work& work, const wa::Message& message);
  Result<void> set_timer(Work& work, store::TimerStore::ChatTimer timer);
  Result<void> interpret_vote(Work& work, const wa::Message::PollUpdateMessage& update);
  Result<Message> build_event(Work& work, Parsed parsed);
  Result<void> fill_quote(const Envelope& envelope, bool by_sender, Quote& quote);
  void remember_file(Work& work, const store::MessageStore::Received& message);
  Result<void> remember(Work& work, const wa::Message& message, bool view_once);
  /// Who asks that an earlier message be changed; nobody: who has no right to.
  enum class Changer : std::uint8_t { nobody, author, admin };
  Result<Changer> changer_of(const Envelope& envelope, const Parsed& parsed);
  Result<bool> is_own_message(const Envelope& envelope, const std::string& id);
  Result<bool> is_group_admin(const Envelope& envelope);
  Result<std::string> sender_name(Work& work);
  Result<std::string> chat_name(Work& work, const std::string& user);
  [[nodiscard]] bool was_seen(const std::vector<std::uint64_t>& keys) const;
  [[nodiscard]] wire::Node thanks_for(const Work& work) const;
  void finish(Work& work);

  const MessageContext& context_;
  signal::Protocol& protocol_;
  Additions additions_{context_};
};

/// The names under which a message is recognised when it comes again: first the one that it is kept
/// under, then those from before a LID or a number was learned.
[[nodiscard]] Result<std::vector<std::uint64_t>> seen_keys_of(Names& names,
                                                              const Envelope& envelope);

}  // namespace posthorn::chat
