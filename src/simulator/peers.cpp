#include "simulator/peers.h"

#include <algorithm>

#include "posthorn/wire/names.h"
#include "simulator/peer_files.h"
#include "simulator/stanzas.h"
#include "simulator/virtual_device.h"
#include "simulator/world.h"

namespace posthorn::simulator {

namespace names = wire::names;
using wire::Node;

namespace {
constexpr std::size_t kInboxEntries = 50'000;
}

Result<Account*> Peers::known(std::string_view account) const {
  Account* found = world_.directory.find(account);
  if (found == nullptr) return fail(Errc::not_found, "no account " + std::string(account));
  return found;
}

void Peers::attach(Device& device, const signal::OwnIdentity& identity) {
  device.virtual_device = std::make_unique<VirtualDevice>(world_, device, identity);
  device.endpoint = device.virtual_device.get();
  device.live = true;
  device.welcomed = true;
}

Account& Peers::add_account(const NewAccount& wish) {
  Account& account = world_.directory.add(wish, world_.now());
  attach(*account.device(0), account.identity);
  return account;
}

void Peers::refill(Device& device) {
  if (device.virtual_device != nullptr) device.virtual_device->refill_prekeys();
}

void Peers::welcome(Device& companion) {
  companion.welcomed = true;
  VirtualDevice* phone = companion.account.device(0)->virtual_device.get();
  if (phone == nullptr) return;
  wa::Message message;
  auto& protocol = *message.mutable_protocolmessage();
  protocol.set_type(wa::Message::ProtocolMessage::APP_STATE_SYNC_KEY_SHARE);
  auto& key = *protocol.mutable_appstatesynckeyshare()->add_keys();
  // One key per account, the same for every companion: derived, not drawn.
  const Bytes id{std::byte{0}, std::byte{0}, std::byte{0},
                 std::byte{0}, std::byte{0}, std::byte{1}};
  key.mutable_keyid()->set_keyid(to_string(id));
  auto& data = *key.mutable_keydata();
  data.set_keydata(to_string(crypto::hkdf_sha256(companion.account.identity.key.private_key, {},
                                                 as_bytes("app state key"), 32)));
  data.mutable_fingerprint()->set_rawid(companion.account.raw_id);
  data.mutable_fingerprint()->set_currentindex(companion.account.key_index_counter);
  for (const auto& [number, device] : companion.account.devices) {
    data.mutable_fingerprint()->add_deviceindexes(device->key_index);
  }
  data.set_timestamp(world_.now().since_epoch.count());
  phone->send_peer(companion, message);
}

Result<std::string> Peers::send(std::string_view name, const PeerText& text) {
  TRY(Account * account, known(name));
  TRY(Account * to, known(text.to));
  Device* device = account->device(text.from_device);
  if (device == nullptr || device->virtual_device == nullptr) {
    return fail(Errc::not_found, "no virtual device with that number");
  }
  return device->virtual_device->send(*to, text);
}

Result<std::string> Peers::send(std::string_view name, const PeerFile& file) {
  TRY(Account * account, known(name));
  TRY(Account * to, known(file.to));
  Device* device = account->device(file.from_device);
  if (device == nullptr || device->virtual_device == nullptr) {
    return fail(Errc::not_found, "no virtual device with that number");
  }
  return device->virtual_device->send(*to, file);
}

void Peers::upload_again(Device& asker, const Node& receipt) {
  const std::string answer = asker.account.media_retry;
  const std::string id = receipt.text_attr("id");
  const Node* rmr = receipt.child("rmr");
  if (rmr == nullptr || receipt.child("encrypt") == nullptr) {
    return world_.violation(asker, "server-error receipt without rmr or encrypt");
  }
  if (answer == "silence" || asker.endpoint == nullptr) return;
  Node notification(
      "notification",
      {{"type", "mediaretry"}, {"id", id}, {"from", asker.account.pn()}, {"t", world_.now_text()}});
  Node error("error", {{"code", "2"}});
  notification.content = std::vector{std::move(error), *rmr};
  // The phone opens the request with the key of the message, which its sender's device has here.
  for (const auto& account : world_.directory.all()) {
    for (const auto& [number, device] : account->devices) {
      const wa::Message* message =
          device->virtual_device == nullptr ? nullptr : device->virtual_device->sent(id);
      if (message == nullptr || answer == "not_found") continue;
      const PeerFilePlace place = file_place(*message);
      auto sealed = answer_media_retry(
          place, receipt, id,
          answer == "success" ? world_.media.put_again(place.direct_path) : std::string(),
          world_.random);
      if (!sealed) {
        return world_.violation(asker, "server-error receipt that the phone cannot open");
      }
      notification.content = std::vector{std::move(*sealed), *rmr};
    }
  }
  asker.endpoint->deliver(notification);
}

Result<void> Peers::read(std::string_view name, std::string_view message_id) {
  TRY(Account * account, known(name));
  return account->device(0)->virtual_device->read(std::string(message_id));
}

Result<void> Peers::set_script(std::string_view name, const PeerScript& script) {
  TRY(Account * account, known(name));
  for (const auto& [id, device] : account->devices) {
    if (device->virtual_device != nullptr) device->virtual_device->script = script;
  }
  return {};
}

Result<void> Peers::lose_session(std::string_view name) {
  TRY(Account * account, known(name));
  for (const auto& [id, device] : account->devices) {
    if (device->virtual_device != nullptr) device->virtual_device->lose_sessions();
  }
  return {};
}

Result<void> Peers::reregister(std::string_view name) {
  TRY(Account * account, known(name));
  for (auto it = account->devices.begin(); it != account->devices.end();) {
    Device& device = *(it++)->second;
    if (device.id != 0) world_.unlink(device);
  }
  account->identity.key = signal::make_key_pair(world_.random);
  account->identity.registration_id = static_cast<std::uint32_t>(world_.random.between(1, 16380));
  ++account->raw_id;
  const PeerScript script = account->device(0)->virtual_device->script;
  attach(*account->device(0), account->identity);
  account->device(0)->virtual_device->script = script;
  account->key_index_counter = 0;
  world_.directory.sign_device_list(*account, world_.now());
  for (const auto& phone : account->talked_with) {
    const Account* contact = world_.directory.find(phone);
    if (contact == nullptr) continue;
    for (const auto& [id, device] : contact->devices) {
      world_.relay.deliver(*device, Node(names::kNotification,
                                         {{"type", names::kEncrypt},
                                          {"from", account->pn()},
                                          {"lid", account->lid()},
                                          {"id", world_.next_id()},
                                          {"t", world_.now_text()}},
                                         std::vector{Node(names::kIdentity)}));
    }
  }
  return {};
}

Result<std::uint16_t> Peers::add_companion(std::string_view name) {
  TRY(Account * account, known(name));
  Device& device = world_.directory.add_device(*account, account->next_device++);
  device.key_index = ++account->key_index_counter;
  device.platform = "virtual";
  signal::OwnIdentity identity;
  identity.key = signal::make_key_pair(world_.random);
  identity.registration_id = static_cast<std::uint32_t>(world_.random.between(1, 16380));
  attach(device, identity);

  wa::ADVDeviceIdentity inner;
  inner.set_rawid(account->raw_id);
  inner.set_timestamp(static_cast<std::uint64_t>(world_.now().unix_seconds()));
  inner.set_keyindex(device.key_index);
  wa::ADVSignedDeviceIdentity signed_identity;
  signed_identity.set_details(inner.SerializeAsString());
  const auto details = as_bytes(signed_identity.details());
  const auto& account_key = account->identity.key;
  const auto cover = [&](std::uint8_t second) {
    return concat(
        {Bytes{std::byte{6}, static_cast<std::byte>(second)}, details, identity.key.public_key});
  };
  signed_identity.set_accountsignature(
      std::string(as_text(signal::sign(account_key.private_key, cover(0), world_.random))));
  Bytes device_covered = cover(1);
  append(device_covered, account_key.public_key);
  signed_identity.set_devicesignature(
      std::string(as_text(signal::sign(identity.key.private_key, device_covered, world_.random))));
  device.device_identity = to_bytes(signed_identity.SerializeAsString());

  world_.directory.sign_device_list(*account, world_.now());
  world_.announce_devices(*account, names::kAdd, device.id, device.key_index);
  return device.id;
}

Result<void> Peers::remove_companion(std::string_view name, std::uint16_t number) {
  TRY(Account * account, known(name));
  Device* device = account->device(number);
  if (device == nullptr || number == 0) return fail(Errc::not_found, "no such companion");
  world_.unlink(*device);
  return {};
}

Result<void> Peers::drain_prekeys(std::string_view name) {
  TRY(Account * account, known(name));
  for (const auto& [id, device] : account->devices) {
    device->keys.one_time.clear();
    device->keys.refill = false;
  }
  return {};
}

Result<void> Peers::set_online(std::string_view name, bool online) {
  TRY(Account * account, known(name));
  for (const auto& [id, device] : account->devices) {
    if (device->virtual_device == nullptr) continue;
    const bool was_online = device->endpoint != nullptr;
    if (was_online == online) continue;
    device->endpoint = online ? device->virtual_device.get() : nullptr;
    if (online) {
      world_.relay.on_login(*device, false);
    } else {
      world_.relay.on_gone(*device);
    }
  }
  return {};
}

void Peers::keep(Account& account, Received received) {
  received.sequence = next_sequence_++;
  auto& inbox = inboxes_[&account];
  if (inbox.size() == kInboxEntries) inbox.pop_front();
  inbox.push_back(std::move(received));
  if (watcher_) watcher_();
}

std::vector<Received> Peers::inbox(const Account& account, std::uint64_t after) const {
  std::vector<Received> out;
  const auto it = inboxes_.find(&account);
  if (it == inboxes_.end()) return out;
  const auto& entries = it->second;
  const auto first = std::ranges::upper_bound(entries, after, {}, &Received::sequence);
  out.assign(first, entries.end());
  return out;
}

void Peers::clear() { inboxes_.clear(); }

}  // namespace posthorn::simulator
