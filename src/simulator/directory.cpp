#include "simulator/directory.h"

#include <algorithm>

#include "posthorn/wire/wa.pb.h"
#include "simulator/virtual_device.h"

namespace posthorn::simulator {

namespace {

constexpr std::uint64_t kFirstPhone = 550'000'000'0000ULL;

std::string digits_of(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c >= '0' && c <= '9') out.push_back(c);
  }
  return out;
}

}  // namespace

Device::Device(Account& owner, std::uint16_t device_id) : account(owner), id(device_id) {}
Device::~Device() = default;

wire::Jid Device::pn() const { return account.pn().with_device(id); }
wire::Jid Device::lid() const { return account.lid().with_device(id); }

Device* Account::device(std::uint16_t id) const {
  const auto it = devices.find(id);
  return it == devices.end() ? nullptr : it->second.get();
}

std::string Directory::free_phone() {
  std::string phone;
  do {
    phone = std::to_string(kFirstPhone + next_phone_++);
  } while (by_phone_.contains(phone));
  return phone;
}

std::string Directory::lid_for(std::string_view phone) const {
  const auto hash =
      crypto::sha256(as_bytes("lid " + std::to_string(seed_) + " " + std::string(phone)));
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i)
    number = number << 8 | std::to_integer<std::uint64_t>(hash[i]);
  return std::to_string(100'000'000'000'000ULL + number % 900'000'000'000'000ULL);
}

Account& Directory::add(const NewAccount& wish, Wall now) {
  auto owned = std::make_unique<Account>();
  Account& account = *owned;
  account.phone = digits_of(wish.phone);
  if (account.phone.empty()) account.phone = free_phone();
  account.lid_user = lid_for(account.phone);
  account.name = wish.name;
  if (account.name.empty()) {
    account.name = "Phone " + account.phone.substr(account.phone.size() -
                                                   std::min<std::size_t>(4, account.phone.size()));
  }
  account.created = now.unix_seconds();
  account.identity.key = signal::make_key_pair(random_);
  account.identity.registration_id = static_cast<std::uint32_t>(random_.between(1, 16380));
  account.raw_id = static_cast<std::uint32_t>(random_.between(1, 0x7FFFFFFF));
  account.about = "Hey there! I am using WhatsApp.";
  for (const char* name :
       {"readreceipts", "last", "online", "profile", "status", "groupadd", "calladd", "messages"}) {
    account.privacy[name] = "all";
  }
  account.privacy["defense"] = "off";
  by_phone_[account.phone] = &account;
  by_lid_[account.lid_user] = &account;
  accounts_.push_back(std::move(owned));
  add_device(account, 0);
  sign_device_list(account, now);
  return account;
}

Device& Directory::add_device(Account& account, std::uint16_t id) {
  auto& slot = account.devices[id];
  slot = std::make_unique<Device>(account, id);
  return *slot;
}

void Directory::remove_device(Account& account, std::uint16_t id, Wall now) {
  account.devices.erase(id);
  sign_device_list(account, now);
}

Account* Directory::find(const wire::Jid& jid) const {
  const auto& names = jid.is_lid() || jid.server == wire::kServerHostedLid ? by_lid_ : by_phone_;
  if (!jid.is_person() && jid.server != wire::kServerLegacyUser &&
      jid.server != wire::kServerHosted && jid.server != wire::kServerHostedLid) {
    return nullptr;
  }
  const auto it = names.find(jid.user);
  return it == names.end() ? nullptr : it->second;
}

Account* Directory::find(std::string_view phone_or_jid) const {
  if (phone_or_jid.find('@') != std::string_view::npos) {
    const auto jid = wire::parse_jid(phone_or_jid);
    return jid ? find(*jid) : nullptr;
  }
  const auto it = by_phone_.find(digits_of(phone_or_jid));
  return it == by_phone_.end() ? nullptr : it->second;
}

Device* Directory::find_device(const wire::Jid& jid) const {
  Account* account = find(jid);
  return account == nullptr ? nullptr : account->device(jid.device);
}

void Directory::sign_device_list(Account& account, Wall now) {
  // Never an older time than before: clients ignore lists that go back.
  account.list_time = std::max(account.list_time + 1, now.unix_seconds());
  wa::ADVKeyIndexList list;
  list.set_rawid(account.raw_id);
  list.set_timestamp(static_cast<std::uint64_t>(account.list_time));
  list.set_currentindex(account.key_index_counter);
  list.add_validindexes(0);
  for (const auto& [id, device] : account.devices) {
    if (id != 0) list.add_validindexes(device->key_index);
  }
  const std::string details = list.SerializeAsString();
  wa::ADVSignedKeyIndexList signed_list;
  signed_list.set_details(details);
  const Bytes prefix{std::byte{6}, std::byte{2}};
  const auto signature =
      signal::sign(account.identity.key.private_key, concat({prefix, as_bytes(details)}), random_);
  signed_list.set_accountsignature(std::string(as_text(signature)));
  signed_list.set_accountsignaturekey(std::string(as_text(account.identity.key.public_key)));
  account.key_index_list = to_bytes(signed_list.SerializeAsString());
}

std::string device_hash(const std::vector<wire::Jid>& devices) {
  std::vector<std::string> names;
  names.reserve(devices.size());
  for (const auto& jid : devices) {
    const auto server = jid.server == wire::kServerLegacyUser ? wire::kServerUser : jid.server;
    names.push_back(jid.user + ".0:" + std::to_string(jid.device) + "@" + std::string(server));
  }
  std::sort(names.begin(), names.end());
  std::string joined;
  for (const auto& name : names) joined += name;
  const auto hash = crypto::sha256(as_bytes(joined));
  return "2:" + base64_encode(ByteView(hash).first(6));
}

std::string block_list_hash(const Account& account) {
  std::string all;
  for (const auto& phone : account.blocked) all += phone + ",";
  return base64_encode(ByteView(crypto::sha256(as_bytes(all))).first(9));
}

}  // namespace posthorn::simulator
