#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "chat/rig.h"
#include "chat/state/effects.h"
#include "posthorn/store/people_store.h"
#include "posthorn/wire/app_state.h"
#include "posthorn/wire/fields.h"

namespace posthorn::chat::chat_test {

using wire::FieldWriter;
using wire::LtHash;
using wire::Node;
using wire::SyncOperation;

/// The other devices of the account and the server between them: one collection each, with real
/// MACs, kept as another device would keep it.
class Phone {
 public:
  struct Collection {
    std::uint64_t version = 0;
    LtHash hash;
    std::map<Bytes, Bytes> entries;
    std::vector<Bytes> patches;
  };

  explicit Phone(Rig& rig) : rig_(rig) {
    key_data = Bytes(32, std::byte{7});
    keys = wire::expand_sync_key(key_data);
    auto others = rig.line.answer;
    rig.line.answer = [this, others](const Node& iq) -> Result<Node> {
      if (iq.text_attr("xmlns") != "w:sync:app:state") return others(iq);
      return answer(iq);
    };
  }

  void share_key() {
    wa::Message message;
    auto& protocol = *message.mutable_protocolmessage();
    protocol.set_type(wa::Message::ProtocolMessage::APP_STATE_SYNC_KEY_SHARE);
    auto& key = *protocol.mutable_appstatesynckeyshare()->add_keys();
    key.mutable_keyid()->set_keyid(to_string(key_id));
    key.mutable_keydata()->set_keydata(to_string(key_data));
    tell(message, "SHARE" + std::to_string(++told_));
  }

  void tell(const wa::Message& message, const std::string& id) {
    rig_.introduce(rig_.phone);
    Node stanza("message", {{"from", rig_.phone.jid},
                            {"id", id},
                            {"t", "1790000100"},
                            {"type", "text"},
                            {"category", "peer"}});
    stanza.content = std::vector<Node>{rig_.phone.encrypt(message, rig_.box_jid)};
    rig_.listener().on_message(stanza);
    settle();
  }

  void settle() {
    for (int i = 0; i < 40; ++i) {
      rig_.scheduler.advance(milliseconds(1));
      rig_.turn();
    }
  }

  /// The owner changes something on the phone; the box is told when `tell_box`.
  void change(const std::string& name, SyncOperation operation, std::vector<std::string> index,
              std::uint32_t field, const FieldWriter& action) {
    FieldWriter value;
    value.number(1, 1'790'000'000'000ULL);
    value.message(field, action);
    records_.push_back(wire::seal_sync_record(keys, key_id, operation,
                                              {write_sync_index(index), value.take(), 2},
                                              rig_.random.bytes(16)));
    wire::SyncPatch patch;
    patch.records.push_back(records_.back().view());
    Collection& one = collections[name];
    Collection next = one;
    apply(next, patch);
    const std::uint64_t version = one.version + 1;
    const auto snapshot_mac = wire::sync_snapshot_mac(keys, next.hash, version, name);
    const auto patch_mac = wire::sync_patch_mac(keys, snapshot_mac, patch.records, version, name);
    patch.version = version;
    patch.snapshot_mac = snapshot_mac;
    patch.patch_mac = patch_mac;
    patch.key_id = key_id;
    next.patches.push_back(wire::write_sync_patch(patch, std::nullopt));
    next.version = version;
    one = next;
  }

  void notify(const std::string& name) {
    Node stanza("notification",
                {{"type", "server_sync"}, {"from", wire::Jid{"", "s.whatsapp.net"}}, {"id", "N1"}},
                {Node("collection",
                      {{"name", name}, {"version", std::to_string(collections[name].version)}})});
    rig_.listener().on_notification(stanza, [] {});
    settle();
  }

  Rig& rig_;
  Bytes key_id{std::byte{0}, std::byte{0}, std::byte{0},
               std::byte{0}, std::byte{3}, std::byte{0xE9}};
  Bytes key_data;
  wire::SyncKeys keys;
  std::map<std::string, Collection> collections;
  std::vector<std::string> refused;      ///< what was wrong with patches of the box
  std::vector<wire::SyncEntry> written;  ///< entries that the box wrote
  std::function<void()> before_patch;    ///< another device is faster
  std::set<std::string> failing;         ///< collections that are answered with code 500
  std::set<std::string> in_files;        ///< collections whose snapshot lies on a media host
  int asked = 0;

 private:
  static void apply(Collection& one, const wire::SyncPatch& patch) {
    for (const auto& record : patch.records) {
      const Bytes index = to_bytes(record.index_mac);
      if (one.entries.contains(index)) one.hash.subtract(one.entries[index]);
      one.entries.erase(index);
      if (record.operation == SyncOperation::remove) continue;
      one.hash.add(record.value_mac());
      one.entries[index] = to_bytes(record.value_mac());
    }
  }

  Result<Node> answer(const Node& iq) {
    ++asked;
    const Node& asked_for = iq.child("sync")->children().front();
    const std::string name = asked_for.text_attr("name");
    const Node* patch = asked_for.child("patch");
    if (patch != nullptr && before_patch) std::exchange(before_patch, {})();
    if (failing.contains(name)) {
      return answer_with(Node("collection", {{"name", name}, {"type", "error"}},
                              {Node("error", {{"code", "500"}})}));
    }
    if (in_files.contains(name) && asked_for.text_attr("return_snapshot") == "true") {
      const Bytes key(32, std::byte{5});
      return answer_with(Node(
          "collection", {{"name", name}},
          {Node("snapshot", {}, wire::write_external_blob({key, "/v/state", 100, key, key}))}));
    }
    Collection& one = collections[name];
    const auto version = static_cast<std::uint64_t>(asked_for.int_attr("version").value_or(0));
    Node collection("collection", {{"name", name}});
    std::vector<Node> children;
    if (patch != nullptr && version == one.version) {
      take(name, *patch);
    } else {
      if (patch != nullptr) {
        collection.set_attr("type", "error");
        children.push_back(Node("error", {{"code", "409"}, {"text", "conflict"}}));
      }
      std::vector<Node> patches;
      for (std::size_t v = version; v < one.patches.size(); ++v) {
        patches.push_back(Node("patch", {}, one.patches[v]));
      }
      if (!patches.empty()) children.push_back(Node("patches", {}, std::move(patches)));
    }
    collection.set_attr("version", std::to_string(one.version));
    if (!children.empty()) collection.content = std::move(children);
    return answer_with(std::move(collection));
  }

  static Node answer_with(Node collection) {
    return Node("iq", {{"type", "result"}}, {Node("sync", {}, {std::move(collection)})});
  }

  /// As another device reads it: every MAC.
  void take(const std::string& name, const Node& node) {
    Collection& one = collections[name];
    auto patch = wire::parse_sync_patch(node.bytes());
    if (!patch) return refused.push_back("no patch");
    if (patch->version) refused.push_back("a version is in it");
    for (const auto& record : patch->records) {
      const auto entry = wire::open_sync_record(keys, record);
      if (!entry) return refused.push_back("a record");
      written.push_back(*entry);
    }
    Collection next = one;
    apply(next, *patch);
    ++next.version;
    const auto sum = wire::sync_snapshot_mac(keys, next.hash, next.version, name);
    if (!std::ranges::equal(sum, patch->snapshot_mac)) refused.push_back("the sum's MAC");
    const auto mac =
        wire::sync_patch_mac(keys, patch->snapshot_mac, patch->records, next.version, name);
    if (!std::ranges::equal(mac, patch->patch_mac)) refused.push_back("the patch MAC");
    patch->version = next.version;
    next.patches.push_back(wire::write_sync_patch(*patch, std::nullopt));
    one = next;
  }

  std::deque<wire::SealedRecord> records_;
  int told_ = 0;
};

inline FieldWriter flag(bool on) {
  FieldWriter writer;
  writer.number(1, on ? 1 : 0);
  return writer;
}

inline std::unique_ptr<store::PeopleStore> people(Rig& rig) {
  auto store = store::PeopleStore::open(rig.store->database());
  EXPECT_TRUE(store);
  return std::move(*store);
}

/// Until it is answered.
inline Result<void> wait_for(Rig& rig, Phone& phone,
                             const std::function<void(ChatState::Done)>& call) {
  std::optional<Result<void>> result;
  call([&](Result<void> done) { result = std::move(done); });
  phone.settle();
  rig.turn();
  EXPECT_TRUE(result) << "nobody answered";
  return result.value_or(fail(Errc::timeout, "none"));
}

inline constexpr const char* kChat = "4915550002222@c.us";

}  // namespace posthorn::chat::chat_test
