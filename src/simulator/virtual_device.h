#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "posthorn/base/recent_map.h"
#include "posthorn/signal/memory_key_store.h"
#include "posthorn/signal/protocol.h"
#include "posthorn/simulator/simulator.h"
#include "posthorn/wire/wa.pb.h"
#include "simulator/directory.h"

namespace posthorn::simulator {

class World;
struct Group;

/// A device without a socket: the phone of an account, or a scripted customer's. It reaches others
/// only through the relay and holds real Signal sessions.
class VirtualDevice final : public Endpoint {
 public:
  /// Publishes its keys on the server side of `device` at once.
  VirtualDevice(World& world, Device& device, const signal::OwnIdentity& identity);

  /// Handled in a later turn, as if it had come over a line.
  void deliver(const wire::Node& stanza) override;

  /// Sends a text, edit, revoke or other content to all devices of `to` and to our own others.
  /// Gives the id.
  Result<std::string> send(Account& to, const PeerText& text);
  Result<std::string> send(Account& to, const PeerFile& file);
  /// nullptr: this device has sent no such message.
  [[nodiscard]] const wa::Message* sent(const std::string& id) const;
  /// The same to a group.
  Result<std::string> send(Group& group, const PeerText& text);
  /// To one other device of the own account (category peer).
  void send_peer(Device& to, const wa::Message& message);
  Result<void> read(const std::string& message_id);
  void lose_sessions();
  void refill_prekeys();

  PeerScript script;

 private:
  static constexpr std::size_t kKept = 20'000;  ///< messages sent, messages heard

  struct Sent {
    wa::Message message;
    std::string to_phone;  ///< of a group: its JID
    std::string edit;
    bool tamper = false;
  };
  struct Seen {
    wire::Jid from;  ///< as the stanza named it
    std::string chat_phone;
    std::optional<wire::Jid> participant;  ///< the author, in a group
  };

  /// What a stanza says in the open about its message.
  struct Style {
    std::string type;
    std::string edit = {};       ///< empty: none
    std::string mediatype = {};  ///< of what is more than text; empty: none
    std::string polltype = {};   ///< of polls and votes; empty: none
    bool hide = false;
    bool tamper = false;
    bool tamper_all = false;
    std::string unavailable = {};  ///< PeerText::unavailable
  };

  Result<std::string> send(Account& to, const std::string& id, const wa::Message& message,
                           const Style& style);
  [[nodiscard]] std::string id_or_new(const std::string& id);
  void handle(const wire::Node& stanza);
  void on_message(const wire::Node& message);
  void on_retry(const wire::Node& receipt);
  void on_group_retry(const wire::Node& receipt, Device& asker, const Sent& sent);
  /// Which part of a message could not be read.
  [[nodiscard]] tl::expected<Bytes, signal::DecryptError> open(const wire::Node& message,
                                                               const Device& sender,
                                                               const wire::Node& enc);
  void take_sender_key(const wire::Node& message, const Device& sender, const wa::Message& content);
  [[nodiscard]] std::optional<wa::Message> sender_key_message(const Group& group);
  void on_notification(const wire::Node& notification);
  void acknowledge(const wire::Node& stanza);
  void receipt(const wire::Node& message, const char* type);
  void ask_again(const wire::Node& message, signal::DecryptError why);
  void check_device_identity(const Device& sender, const wire::Node& message);
  void keep(const wire::Node& message, const Device& sender, const wa::Message& content,
            const std::string& enc_type, ByteView plain);
  void react(const Received& received, const wire::Jid& from);
  std::optional<wire::Node> encrypt(Device& to, const wa::Message& message);
  [[nodiscard]] signal::Address address_of(const Device& device) const;
  void transmit(const wire::Node& stanza);
  /// prekey: somebody meets us in it, so our device identity goes along.
  void transmit(wire::Node stanza, std::vector<wire::Node> children, bool prekey);
  [[nodiscard]] Result<wa::Message> build(const Account& to, const PeerText& text) const;
  [[nodiscard]] Result<wa::Message> build_vote(const Account& to, const PeerText& text) const;
  void check_look(const wire::Node& message, const Device& sender, const wa::Message& content);
  /// A companion of ours did not get these messages, or could not read them.
  void answer_placeholders(const Device& asker, const std::string& question_id,
                           const wa::Message::PeerDataOperationRequestMessage& question);

  World& world_;
  Device& device_;
  signal::MemoryKeyStore store_;
  signal::Protocol protocol_;
  RecentMap<std::string, Sent> sent_{kKept};
  RecentMap<std::string, Seen> seen_{kKept};
  std::map<std::string, std::set<std::string>> key_holders_;  ///< of our sender key, by group
  std::map<std::string, int> retries_;                        ///< asked, by message id
};

}  // namespace posthorn::simulator
