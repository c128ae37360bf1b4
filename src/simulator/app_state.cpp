#include "simulator/app_state.h"

#include <algorithm>
#include <array>
#include <utility>

#include "posthorn/base/json.h"
#include "posthorn/base/media_cipher.h"
#include "posthorn/wire/fields.h"
#include "posthorn/wire/names.h"
#include "simulator/world.h"

namespace posthorn::simulator {

namespace names = wire::names;
using wire::FieldWriter;
using wire::Node;
using wire::SyncOperation;

namespace {

constexpr std::array kKnown{"critical_block", "critical_unblock_low", "regular_high", "regular",
                            "regular_low"};
constexpr std::size_t kPage = 10;

std::string json_array(const std::vector<std::string>& texts) {
  json::Value array(::Json::arrayValue);
  for (const auto& text : texts) array.append(text);
  return json::write(array);
}

/// Sums over and keeps one record; value and index of a set are what the phone shows.
void apply(Collection& collection, const wire::SyncRecord& record, const wire::SyncEntry& entry) {
  const Bytes index = to_bytes(record.index_mac);
  const auto known = collection.entries.find(index);
  if (known != collection.entries.end()) {
    collection.hash.subtract(known->second.value_mac);
    collection.entries.erase(known);
  }
  if (record.operation == SyncOperation::remove) return;
  collection.hash.add(record.value_mac());
  collection.entries[index] = {to_bytes(record.value_mac()), entry.index, entry.value,
                               to_bytes(record.value_blob)};
}

/// A patch as it came with its version in front, as the server hands it out.
Bytes with_version(std::uint64_t version, ByteView patch) {
  FieldWriter number, whole;
  number.number(1, version);
  whole.message(1, number);
  Bytes out = whole.take();
  append(out, patch);
  return out;
}

}  // namespace

Bytes AppState::key_id() {
  return {std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{1}};
}

Bytes AppState::key_data(const Account& account) {
  return crypto::hkdf_sha256(account.identity.key.private_key, {}, as_bytes("app state key"), 32);
}

void AppState::begin(Account& account) {
  if (!account.app_state.empty()) return;
  FieldWriter name, locale, name_value, locale_value;
  name.text(1, account.name);
  name_value.message(7, name);
  locale.text(1, "en_GB");
  locale_value.message(16, locale);
  // Nobody is told: it was there before any companion.
  write(account, "critical_block", SyncOperation::set, {"setting_pushName"}, name_value.out(), 1);
  write(account, "critical_block", SyncOperation::set, {"setting_locale"}, locale_value.out(), 3);
}

void AppState::change(Account& account, const std::string& name, SyncOperation operation,
                      const std::vector<std::string>& index, ByteView value, std::int64_t version) {
  write(account, name, operation, index, value, version);
  tell(account, name, nullptr);
}

void AppState::write(Account& account, const std::string& name, SyncOperation operation,
                     const std::vector<std::string>& index, ByteView value, std::int64_t version) {
  const wire::SyncKeys keys = wire::expand_sync_key(key_data(account));
  const Bytes id = key_id();
  FieldWriter time;
  time.number(1, static_cast<std::uint64_t>(world_.now().since_epoch.count()));
  Bytes whole = time.take();
  append(whole, value);
  const wire::SyncEntry entry{json_array(index), std::move(whole), version};
  const auto record = wire::seal_sync_record(keys, id, operation, entry, world_.random.bytes(16));
  Collection& collection = account.app_state[name];
  apply(collection, record.view(), entry);
  ++collection.version;
  const auto sum = wire::sync_snapshot_mac(keys, collection.hash, collection.version, name);
  wire::SyncPatch patch;
  patch.version = collection.version;
  patch.records.push_back(record.view());
  const auto mac = wire::sync_patch_mac(keys, sum, patch.records, collection.version, name);
  patch.snapshot_mac = sum;
  patch.patch_mac = mac;
  patch.key_id = id;
  collection.patches.push_back(wire::write_sync_patch(patch, 0));
}

void AppState::tell(Account& account, const std::string& name, const Device* except) {
  const std::uint64_t version = account.app_state[name].version;
  for (const auto& [id, device] : account.devices) {
    if (id == 0 || device.get() == except) continue;
    Node collection(names::kCollection, {{"name", name}, {"version", std::to_string(version)}});
    world_.relay.deliver(*device, Node(names::kNotification,
                                       {{"type", "server_sync"},
                                        {"from", wire::Jid{"", std::string(wire::kServerUser), 0}},
                                        {"id", world_.next_id()},
                                        {"t", world_.now_text()}},
                                       std::vector{std::move(collection)}));
  }
}

tl::expected<Node, AppState::Refusal> AppState::answer(Device& from, const Node& iq) {
  const Node* sync = iq.child(names::kSync);
  if (sync == nullptr) return tl::unexpected(Refusal{});
  std::vector<Node> answers;
  for (const Node& asked : sync->children()) {
    if (asked.child(names::kPatch) != nullptr && !asked.has_attr("version")) {
      world_.violation(from, "app state: a patch on no version");
      return tl::unexpected(Refusal{});
    }
    answers.push_back(answer_one(from, asked, asked.text_attr("return_snapshot") == "true"));
  }
  return Node(names::kSync, {}, std::move(answers));
}

Node AppState::answer_one(Device& from, const Node& asked, bool whole) {
  const std::string name = asked.text_attr("name");
  Node answer(names::kCollection, {{"name", name}});
  const auto refuse = [&](const char* code, const char* text) {
    answer.set_attr(names::kType, "error");
    return Node(names::kError, {{"code", code}, {"text", text}});
  };
  if (std::find(kKnown.begin(), kKnown.end(), name) == kKnown.end()) {
    answer.content = std::vector{refuse("400", "bad-request")};
    return answer;
  }
  Collection& collection = from.account.app_state[name];
  const auto version = static_cast<std::uint64_t>(asked.int_attr("version").value_or(0));
  const Node* patch = asked.child(names::kPatch);
  std::vector<Node> children;
  if (patch != nullptr && (whole || version > collection.version)) {
    world_.violation(from, "app state: a patch on a version that is not there");
    children.push_back(refuse("400", "bad-request"));
  } else if (patch != nullptr && version == collection.version) {
    if (!take(from, name, patch->bytes())) children.push_back(refuse("400", "bad-request"));
  } else {
    if (patch != nullptr) children.push_back(refuse("409", "conflict"));
    const bool as_file = whole && from.account.state_snapshots && collection.version > 0;
    if (as_file) {
      children.emplace_back("snapshot", std::vector<wire::Attr>{},
                            put_snapshot(from.account, name, collection));
    }
    std::vector<Node> missing;
    const std::uint64_t end =
        as_file ? collection.version : std::min<std::uint64_t>(collection.version, version + kPage);
    for (std::uint64_t v = as_file ? end : version; v < end; ++v) {
      missing.emplace_back(names::kPatch, std::vector<wire::Attr>{},
                           collection.patches[static_cast<std::size_t>(v)]);
    }
    if (end < collection.version) answer.set_attr("has_more_patches", "true");
    if (!missing.empty()) {
      children.emplace_back(names::kPatches, std::vector<wire::Attr>{}, std::move(missing));
    }
  }
  answer.set_attr("version", std::to_string(collection.version));
  if (!children.empty()) answer.content = std::move(children);
  return answer;
}

/// What the phone has, as it last uploaded it.
Bytes AppState::put_snapshot(const Account& account, const std::string& name,
                             const Collection& collection) {
  const wire::SyncKeys keys = wire::expand_sync_key(key_data(account));
  const Bytes id = key_id();
  std::vector<wire::SyncRecord> records;
  for (const auto& [index, entry] : collection.entries) {
    records.push_back({SyncOperation::set, index, entry.sealed, id});
  }
  const auto mac = wire::sync_snapshot_mac(keys, collection.hash, collection.version, name);
  const Bytes plain = wire::write_sync_snapshot(collection.version, records, mac, id);
  wire::ExternalBlob blob;
  blob.media_key = world_.random.bytes(crypto::kMediaKeyBytes);
  crypto::MediaSealer sealer(blob.media_key, "WhatsApp App State Keys");
  Bytes sealed = sealer.add(plain);
  append(sealed, sealer.finish());
  blob.size = plain.size();
  blob.sha256 = to_bytes(ByteView(crypto::sha256(plain)));
  blob.enc_sha256 = to_bytes(ByteView(crypto::sha256(sealed)));
  blob.direct_path = world_.media.put("md-app-state", std::move(sealed));
  return wire::write_external_blob(blob);
}

/// As the server does, which has no keys: only the form counts.
bool AppState::take(Device& from, const std::string& name, ByteView bytes) {
  Account& account = from.account;
  const auto patch = wire::parse_sync_patch(bytes);
  const bool formed =
      patch && !patch->key_id.empty() && patch->snapshot_mac.size() == wire::kSyncMac &&
      patch->patch_mac.size() == wire::kSyncMac && (!patch->records.empty() || patch->external);
  if (!formed) {
    world_.violation(from, "app state: no patch, or one without entries, MACs or key");
    return false;
  }
  if (patch->version) world_.violation(from, "app state: a patch on its way out has no version");
  Collection& collection = account.app_state[name];
  ++collection.version;
  collection.patches.push_back(with_version(collection.version, bytes));
  follow(from, name, collection, *patch);
  tell(account, name, &from);
  return true;
}

/// As another device of the account reads it: this is where a wrong encoder is found.
void AppState::follow(const Device& from, const std::string& name, Collection& collection,
                      const wire::SyncPatch& patch) {
  const auto wrong = [&](const std::string& what) {
    world_.violation(from, "app state: " + name + ": " + what);
  };
  const Bytes id = key_id();
  const wire::SyncKeys keys = wire::expand_sync_key(key_data(from.account));
  if (!std::ranges::equal(patch.key_id, id)) return wrong("a key that nobody has");
  for (const auto& record : patch.records) {
    const auto entry = wire::open_sync_record(keys, record);
    if (!entry) {
      wrong(entry.error().detail);
      continue;
    }
    const auto index = json::parse(entry->index);
    if (!index || !index->isArray() || index->empty()) wrong("an index that is no list");
    apply(collection, record, *entry);
  }
  const auto sum = wire::sync_snapshot_mac(keys, collection.hash, collection.version, name);
  if (!std::ranges::equal(sum, patch.snapshot_mac)) wrong("snapshot MAC");
  const auto mac =
      wire::sync_patch_mac(keys, patch.snapshot_mac, patch.records, collection.version, name);
  if (!std::ranges::equal(mac, patch.patch_mac)) wrong("patch MAC");
}

}  // namespace posthorn::simulator
