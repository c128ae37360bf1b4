#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "posthorn/base/random.h"
#include "posthorn/base/time.h"
#include "posthorn/signal/curve.h"
#include "posthorn/signal/protocol.h"
#include "posthorn/simulator/simulator.h"
#include "posthorn/wire/jid.h"
#include "posthorn/wire/node.h"
#include "simulator/app_state.h"
#include "simulator/passkey.h"

namespace posthorn::simulator {

class Connection;
class VirtualDevice;
struct Account;

/// Where the stanzas of a device go while it is online: a connection or a virtual device.
class Endpoint {
 public:
  virtual ~Endpoint() = default;
  virtual void deliver(const wire::Node& stanza) = 0;
};

/// What the server knows of a device's keys.
struct ServerKeys {
  struct Signed {
    std::uint32_t id = 0;
    signal::PublicKey key{};
    Bytes signature;
  };
  std::uint32_t registration_id = 0;
  signal::PublicKey identity{};
  Signed signed_pre_key;
  std::deque<signal::Bundle::OneTime> one_time;
  bool uploaded = false;
  bool low_notice_sent = false;  ///< since the last upload
  bool refill = true;            ///< virtual devices make new ones by themselves
};

/// A stanza that waits for its device, or for the device's ack.
struct Queued {
  wire::Node stanza;
  std::string tag;
  std::string id;
  bool sent = false;  ///< on the present connection
};

struct Device {
  Device(Account& owner, std::uint16_t device_id);
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device();

  Account& account;
  std::uint16_t id;
  std::uint32_t key_index = 0;
  std::string platform;
  crypto::Key32 noise_key{};
  ServerKeys keys;
  Bytes device_identity;  ///< ADVSignedDeviceIdentity as the companion returned it
  Endpoint* endpoint = nullptr;
  Connection* connection = nullptr;  ///< endpoint, when it is one
  std::unique_ptr<VirtualDevice> virtual_device;
  bool live = false;       ///< backlog drained: new stanzas go out at once
  bool available = false;  ///< said so by presence
  bool welcomed = false;   ///< got the app-state keys of the phone
  std::deque<Queued> queue;

  [[nodiscard]] wire::Jid pn() const;
  [[nodiscard]] wire::Jid lid() const;
  [[nodiscard]] wire::Jid named_like(const wire::Jid& other) const {
    return other.is_lid() ? lid() : pn();
  }
};

struct Account {
  std::string phone;
  std::string lid_user;
  std::string name;
  std::int64_t created = 0;
  signal::OwnIdentity identity;  ///< of the phone; its key signs the device list
  std::uint32_t raw_id = 0;
  std::uint32_t key_index_counter = 0;
  std::uint16_t next_device = 1;
  std::int64_t list_time = 0;  ///< of the signed key-index list
  Bytes key_index_list;
  std::map<std::uint16_t, std::unique_ptr<Device>> devices;

  std::map<std::string, std::string> privacy;
  std::set<std::string> blocked;  ///< phones
  std::string about;
  std::set<std::string> wrote_to_us;           ///< phones that sent us something
  std::set<std::string> talked_with;           ///< phones of either direction
  std::map<std::string, Bytes> tokens_issued;  ///< phone -> token that this account gave it
  Simulator::Timelock timelock;
  Simulator::Cap cap;
  bool restricted = false;
  bool lid_migrated = true;  ///< its clients know people by LID; else a LID as `to` is refused
  struct {
    int reason = 0, code = 0;
    std::int64_t expire = 0;
  } failure;
  std::map<std::string, Collection> app_state;
  bool state_snapshots = false;            ///< who begins with a collection gets it as a file
  Bytes nct_salt;                          ///< of its first texts; empty: it has none
  std::vector<OldMessage> old_messages;    ///< of before its companions, for the one that asks
  std::string history_answers = "inline";  ///< how that one is answered
  std::string media_retry = "success";  ///< what the phone says when it is to upload a file again
  struct {
    std::optional<PasskeyCredential> credential;  ///< linking asks for it
    PasskeyFlaw flaw = PasskeyFlaw::none;
    Simulator::PasskeySeen seen;
  } passkey;

  [[nodiscard]] wire::Jid pn() const { return {phone, std::string(wire::kServerUser), 0}; }
  [[nodiscard]] wire::Jid lid() const { return {lid_user, std::string(wire::kServerLid), 0}; }
  [[nodiscard]] wire::Jid named_like(const wire::Jid& other) const {
    return other.is_lid() ? lid() : pn();
  }
  [[nodiscard]] Device* device(std::uint16_t id) const;
};

/// Accounts and their devices; PN and LID name the same ones.
class Directory {
 public:
  Directory(Random& random, std::uint64_t seed) : random_(random), seed_(seed) {}

  Account& add(const NewAccount& wish, Wall now);
  Device& add_device(Account& account, std::uint16_t id);
  /// Removes the device; its endpoint must be gone.
  void remove_device(Account& account, std::uint16_t id, Wall now);

  [[nodiscard]] Account* find(const wire::Jid& jid) const;
  /// Phone digits, or a JID of either form.
  [[nodiscard]] Account* find(std::string_view phone_or_jid) const;
  [[nodiscard]] Device* find_device(const wire::Jid& jid) const;
  [[nodiscard]] const std::vector<std::unique_ptr<Account>>& all() const { return accounts_; }

  /// Signs the list of valid key indexes anew. Chapter 03 section 3.3, 09 section 5.3.
  void sign_device_list(Account& account, Wall now);

 private:
  std::string free_phone();
  std::string lid_for(std::string_view phone) const;

  Random& random_;
  std::uint64_t seed_;
  std::uint64_t next_phone_ = 1;
  std::vector<std::unique_ptr<Account>> accounts_;
  std::unordered_map<std::string, Account*> by_phone_;
  std::unordered_map<std::string, Account*> by_lid_;
};

/// "2:" and 8 base64 characters over device JIDs. Chapter 09 section 5.4.
[[nodiscard]] std::string device_hash(const std::vector<wire::Jid>& devices);
/// The server's name for a state of the account's block list.
[[nodiscard]] std::string block_list_hash(const Account& account);

}  // namespace posthorn::simulator
