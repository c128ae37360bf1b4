#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "posthorn/chat/chat.h"
#include "posthorn/chat/files.h"
#include "posthorn/signal/memory_key_store.h"
#include "posthorn/signal/protocol.h"
#include "posthorn/store/store.h"
#include "posthorn/wire/wa.pb.h"
#include "support/fakes.h"

namespace posthorn::chat::chat_test {

/// A device that is not ours: real Signal keys in memory, hand-written stanzas.
class PeerDevice {
 public:
  PeerDevice(wire::Jid jid, std::uint64_t seed);

  /// Its entry in the answer to a prekey query, with a fresh one-time key.
  wire::Node bundle_entry();
  /// Learns our keys, as it would from the server.
  void learn(const signal::Bundle& box, const wire::Jid& box_device);
  /// <enc> for our box around that message.
  wire::Node encrypt(const wa::Message& message, const wire::Jid& box_device);
  wire::Node encrypt_bytes(ByteView plain, const wire::Jid& box_device);
  /// The content of an <enc> from our box.
  std::optional<wa::Message> decrypt(const wire::Node& enc, const wire::Jid& box_device);
  /// The account's word for a companion's key, by this phone (chapter 03).
  Bytes vouch_for(PeerDevice& companion);

  wire::Jid jid;
  posthorn::test::SeededRandom random;
  signal::MemoryKeyStore keys;
  signal::Protocol protocol;
  Bytes proof;  ///< ADVSignedDeviceIdentity of a companion; empty: none comes with its keys
};

/// The connection half and the server, as far as message handling sees them.
class FakeLine final : public session::Line {
 public:
  explicit FakeLine(Scheduler& scheduler) : scheduler_(scheduler) {}

  bool online() const override { return is_online; }
  const session::Identity& identity() const override { return self; }
  void write(wire::Node stanza) override;
  void ask(wire::Node iq, milliseconds timeout, Once<void(Result<wire::Node>)> done) override;
  void await_ack(const std::string& id, milliseconds timeout,
                 Once<void(Result<wire::Node>)> done) override;
  void restrict(session::Restriction restriction) override;
  /// What chat tells; not of the line, but there is one place to look at.
  void take(Event event, Once<void(Result<void>)> stored);
  void drop(Error why) override;
  ~FakeLine() override;

  /// Everything written since the last call.
  std::vector<wire::Node> take_written();
  void ack(const std::string& id, std::vector<wire::Attr> extra = {});
  void fail_acks(Errc code);

  session::Identity self;
  bool is_online = true;
  std::vector<wire::Node> written;
  std::vector<wire::Node> asked;
  std::function<Result<wire::Node>(const wire::Node&)> answer;
  std::vector<Event> events;
  std::vector<session::Restriction> restrictions;
  std::vector<Error> dropped;
  /// What becomes of the next events: stored at once, later by hand, or not at all.
  enum class Sink { stores, holds, fails } sink = Sink::stores;
  std::vector<Once<void(Result<void>)>> held;

 private:
  Scheduler& scheduler_;
  std::map<std::string, Once<void(Result<wire::Node>)>> acks_;
};

/// Our box with a real store in a temporary folder, a phone of its own, and one customer with a
/// phone and a companion.
class Rig {
 public:
  explicit Rig(std::uint64_t seed = 1);
  ~Rig();

  void start();
  /// The program ends and starts again on the same store.
  void restart();
  void turn() { scheduler.run_posted(); }

  /// A <message> to our box from that device.
  wire::Node stanza_from(PeerDevice& device, const std::string& id, wire::Node enc);
  wire::Node text_from(PeerDevice& device, const std::string& id, const std::string& text);
  /// Builds the session of a device towards our box.
  void introduce(PeerDevice& device);
  signal::Bundle box_bundle();

  /// The <item>s of the server's block list from now on, and its word that it has changed.
  void set_blocked(std::vector<wire::Node> items);

  throttle::SendOutcome send(Job job);
  void start_send(Job job);
  Job job(const std::string& id, const std::string& text) const;
  /// The <enc> for that device in a <message> of ours.
  static const wire::Node* enc_for(const wire::Node& message, const wire::Jid& device);
  std::vector<Message> messages() const;
  std::vector<Receipt> receipts() const;
  std::vector<wire::Node> written_of(std::string_view tag);

  Result<wire::Node> answer(const wire::Node& iq);
  std::vector<PeerDevice*> devices_of(const wire::Jid& user);

  posthorn::test::FakeScheduler scheduler;
  posthorn::test::InlineWorker worker{scheduler};
  posthorn::test::SeededRandom random;
  Clock clock{scheduler, Wall::from_unix(1'790'000'000, true)};
  std::filesystem::path folder;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<signal::Protocol> protocol;
  FakeLine line{scheduler};
  std::unique_ptr<Chat> box;
  session::Listener& listener() { return box->listener(); }
  std::vector<std::string> told;  ///< in the inbox ring, for the next start()
  std::vector<Job> unsure;        ///< in the outbox ring, for the start() after a power cut

  wire::Jid box_jid{"100000000000001", "lid", 7};
  wire::Jid customer_pn{"4915550002222", "s.whatsapp.net", 0};
  wire::Jid customer_lid{"200000000000002", "lid", 0};
  PeerDevice phone{{"100000000000001", "lid", 0}, 11};
  PeerDevice customer{{"200000000000002", "lid", 0}, 12};
  PeerDevice laptop{{"200000000000002", "lid", 5}, 13};
  std::vector<PeerDevice*> customer_devices{&customer, &laptop};  ///< that the server knows
  std::vector<PeerDevice*> others;                                ///< phones of further people
  std::vector<wire::Node> blocked;        ///< <item>s of the owner's block list
  std::optional<FilesOutside> files;      ///< for the next start(); nullopt: no file is carried
  std::set<std::string> without_account;  ///< numbers that usync does not know
  bool give_lids = true;
  bool lists_under_lids_only = false;  ///< a moved account has no device list under its number
  std::map<std::string, wire::Jid> leads_to;  ///< the account that usync names for a number
  std::optional<throttle::SendOutcome> outcome;
};

wa::Message text_message(const std::string& text);

}  // namespace posthorn::chat::chat_test
