#include <gtest/gtest.h>

#include <map>
#include <set>

#include "chat/people/names.h"
#include "chat/rig.h"
#include "chat/state/effects.h"
#include "posthorn/files/disk.h"
#include "posthorn/files/store.h"
#include "posthorn/net/http_client.h"
#include "posthorn/store/message_store.h"
#include "posthorn/store/people_store.h"
#include "posthorn/store/sync_store.h"
#include "posthorn/wire/app_state.h"
#include "posthorn/wire/fields.h"

namespace posthorn::chat::chat_test {
namespace {

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

FieldWriter flag(bool on) {
  FieldWriter writer;
  writer.number(1, on ? 1 : 0);
  return writer;
}

FieldWriter contact(const std::string& full, const std::string& lid) {
  FieldWriter writer;
  writer.text(1, full).text(2, "Ida");
  if (!lid.empty()) writer.text(3, lid);
  return writer;
}

std::unique_ptr<store::PeopleStore> people(Rig& rig) {
  auto store = store::PeopleStore::open(rig.store->database());
  EXPECT_TRUE(store);
  return std::move(*store);
}

Result<void> wait_for(Rig& rig, Phone& phone, const std::function<void(ChatState::Done)>& call) {
  std::optional<Result<void>> result;
  call([&](Result<void> done) { result = std::move(done); });
  phone.settle();
  rig.turn();
  EXPECT_TRUE(result) << "nobody answered";
  return result.value_or(fail(Errc::timeout, "none"));
}

/// Messages of the customer that the box would still send a read receipt for.
std::size_t unread(Rig& rig) {
  const auto store = store::MessageStore::open(rig.store->database(), rig.clock.now());
  EXPECT_TRUE(store);
  const auto rows = (*store)->unread("200000000000002@lid");
  EXPECT_TRUE(rows);
  return rows->size();
}

/// A media host where other bytes lie than those that were announced.
class WrongFiles final : public net::HttpClient {
 public:
  explicit WrongFiles(Scheduler& scheduler) : scheduler_(scheduler) {}
  void send(net::HttpRequest request, Once<void(Result<net::HttpResponse>)> done) override {
    ++asked;
    scheduler_.post([request = std::move(request), done = std::move(done)]() mutable {
      EXPECT_TRUE(request.sink->write(Bytes(100, std::byte{9})));
      done(net::HttpResponse{.status = 200});
    });
  }
  int asked = 0;

 private:
  Scheduler& scheduler_;
};

/// The rig with such a host.
struct WrongFilesRig : Rig {
  WrongFilesRig() {
    auto opened = files::Store::open(*files::posix_folder((folder / "files").string()), worker, {});
    EXPECT_TRUE(opened);
    kept = std::move(*opened);
    files.emplace(FilesOutside{worker, http, *kept});
    restart();
  }
  ~WrongFilesRig() {
    box.reset();
    turn();
  }
  WrongFiles http{scheduler};
  std::unique_ptr<files::Store> kept;
};

constexpr const char* kChat = "4915550002222@c.us";

TEST(AppStateRoom, WithThePhonesKeyComesWhatItKnows) {
  Rig rig;
  Phone phone(rig);
  phone.change("critical_unblock_low", SyncOperation::set,
               {"contact", "4915550002222@s.whatsapp.net"}, 3,
               contact("Ida Kern", "200000000000002@lid"));
  phone.change("regular_low", SyncOperation::set, {"archive", "200000000000002@lid"}, 17,
               flag(true));
  phone.settle();
  EXPECT_EQ(phone.asked, 0) << "without a key nothing could be read";
  phone.share_key();
  EXPECT_EQ(phone.asked, 5);
  const auto store = people(rig);
  const auto ida = store->contact("200000000000002@lid");
  ASSERT_TRUE(ida && *ida) << "kept under the LID that came along";
  EXPECT_EQ((*ida)->full_name, "Ida Kern");
  const auto chat = store->chat("200000000000002@lid");
  ASSERT_TRUE(chat && *chat);
  EXPECT_TRUE((*chat)->archived);
  // The name that came is the person's name everywhere.
  EXPECT_EQ(rig.box->identities().account_of("200000000000002@lid"), kChat);
}

TEST(AppStateRoom, AChangeOnThePhoneIsSeen) {
  Rig rig;
  Phone phone(rig);
  phone.share_key();
  FieldWriter mute = flag(true);
  mute.number(2, 1'790'000'900'000ULL);
  phone.change("regular_high", SyncOperation::set, {"mute", "4915550002222@s.whatsapp.net"}, 4,
               mute);
  phone.notify("regular_high");
  auto store = people(rig);
  auto chat = store->chat("4915550002222@s.whatsapp.net");
  ASSERT_TRUE(chat && *chat);
  EXPECT_EQ((*chat)->muted_until, 1'790'000'900) << "milliseconds on the wire";
  const int before = phone.asked;
  phone.notify("regular_high");
  EXPECT_EQ(phone.asked, before) << "that version is here already";
  phone.change("regular_high", SyncOperation::set, {"mute", "4915550002222@s.whatsapp.net"}, 4,
               flag(false));
  phone.notify("regular_high");
  chat = store->chat("4915550002222@s.whatsapp.net");
  EXPECT_EQ((*chat)->muted_until, 0);
}

TEST(AppStateRoom, OurChangesHoldAgainstEveryMac) {
  Rig rig;
  Phone phone(rig);
  phone.change("critical_unblock_low", SyncOperation::set,
               {"contact", "4915550002222@s.whatsapp.net"}, 3, contact("Ida", ""));
  phone.share_key();
  auto& state = rig.box->chat_state();
  EXPECT_TRUE(
      wait_for(rig, phone, [&](auto done) { state.archive(kChat, true, std::move(done)); }));
  EXPECT_TRUE(wait_for(rig, phone, [&](auto done) { state.pin(kChat, true, std::move(done)); }));
  EXPECT_TRUE(wait_for(rig, phone, [&](auto done) {
    state.save_contact(kChat, "Ida", "Kern", true, std::move(done));
  }));
  EXPECT_TRUE(
      wait_for(rig, phone, [&](auto done) { state.mark_read(kChat, false, std::move(done)); }));
  EXPECT_EQ(phone.refused, std::vector<std::string>());
  ASSERT_FALSE(phone.written.empty());
  EXPECT_EQ(phone.written[0].index, R"(["archive","4915550002222@s.whatsapp.net"])");
  auto store = people(rig);
  const auto chat = store->chat("4915550002222@s.whatsapp.net");
  ASSERT_TRUE(chat && *chat);
  EXPECT_TRUE((*chat)->pinned);
  EXPECT_FALSE((*chat)->archived) << "a pinned chat is not archived";
  EXPECT_TRUE((*chat)->marked_unread);
  EXPECT_EQ((*store->contact("4915550002222@s.whatsapp.net"))->full_name, "Ida Kern");
  EXPECT_TRUE(
      wait_for(rig, phone, [&](auto done) { state.remove_contact(kChat, std::move(done)); }));
  EXPECT_FALSE(*store->contact("4915550002222@s.whatsapp.net"));
  EXPECT_TRUE(phone.refused.empty());
  EXPECT_TRUE(phone.collections["critical_unblock_low"].entries.empty());
}

TEST(AppStateRoom, WhoeverWasFasterIsTakenInFirst) {
  Rig rig;
  Phone phone(rig);
  phone.share_key();
  phone.before_patch = [&] {
    phone.change("regular_low", SyncOperation::set, {"pin_v1", "4915550002222@s.whatsapp.net"}, 5,
                 flag(true));
  };
  EXPECT_TRUE(wait_for(rig, phone, [&](auto done) {
    rig.box->chat_state().mark_read(kChat, false, std::move(done));
  }));
  EXPECT_TRUE(phone.refused.empty());
  EXPECT_EQ(phone.collections["regular_low"].version, 2U);
  const auto chat = people(rig)->chat("4915550002222@s.whatsapp.net");
  ASSERT_TRUE(chat && *chat);
  EXPECT_TRUE((*chat)->pinned);
  EXPECT_TRUE((*chat)->marked_unread);
}

TEST(AppStateRoom, AForgedPatchIsNotTakenAndTheCollectionIsAskedForAnewOnce) {
  Rig rig;
  Phone phone(rig);
  phone.share_key();
  phone.change("regular_low", SyncOperation::set, {"archive", "4915550002222@s.whatsapp.net"}, 17,
               flag(true));
  auto& forged = phone.collections["regular_low"].patches.back();
  forged[forged.size() - 20] ^= std::byte{1};  // in its MAC
  const int before = phone.asked;
  phone.notify("regular_low");
  EXPECT_EQ(phone.asked, before + 2) << "once anew, then it is left alone";
  EXPECT_FALSE(*people(rig)->chat("4915550002222@s.whatsapp.net"));
  phone.notify("regular_low");
  EXPECT_EQ(phone.asked, before + 2);
  // Others go on.
  EXPECT_TRUE(wait_for(rig, phone, [&](auto done) {
    rig.box->chat_state().mute(kChat, Wall::from_unix(1'790'000'500), std::move(done));
  }));
  EXPECT_EQ(
      wait_for(rig, phone,
               [&](auto done) { rig.box->chat_state().archive(kChat, true, std::move(done)); })
          .error()
          .code,
      Errc::refused);
}

TEST(AppStateRoom, CollectionsThatFailHoldUpNoOther) {
  Rig rig;
  Phone phone(rig);
  phone.failing = {"critical_block", "critical_unblock_low"};
  phone.change("regular_low", SyncOperation::set, {"pin_v1", "4915550002222@s.whatsapp.net"}, 5,
               flag(true));
  phone.share_key();
  EXPECT_EQ(phone.asked, 5);
  const auto chat = people(rig)->chat("4915550002222@s.whatsapp.net");
  ASSERT_TRUE(chat && *chat);
  EXPECT_TRUE((*chat)->pinned);
  auto& state = rig.box->chat_state();
  EXPECT_TRUE(
      wait_for(rig, phone, [&](auto done) { state.archive(kChat, true, std::move(done)); }));
  EXPECT_EQ(phone.asked, 6);
  const auto save = [&](auto done) {
    state.save_contact(kChat, "Ida", "Kern", true, std::move(done));
  };
  const auto hindered = wait_for(rig, phone, save);
  ASSERT_FALSE(hindered);
  EXPECT_EQ(hindered.error().code, Errc::disconnected);
  EXPECT_NE(hindered.error().detail.find("WhatsApp says 500"), std::string::npos);
  EXPECT_EQ(phone.asked, 6) << "whoever asks the box does not make it ask sooner";
  const auto asked_after = [&](milliseconds wait) {
    const int before = phone.asked;
    rig.scheduler.advance(wait);
    phone.settle();
    return phone.asked - before;
  };
  EXPECT_EQ(asked_after(seconds(29)), 0);
  EXPECT_EQ(asked_after(seconds(1)), 2);
  EXPECT_EQ(asked_after(seconds(50)), 0) << "twice as long";
  phone.failing.clear();
  EXPECT_EQ(asked_after(seconds(10)), 2);
  EXPECT_TRUE(wait_for(rig, phone, save));
}

TEST(AppStateRoom, WhatWaitsForItsNextTryGoesAtOnceOverANewConnection) {
  Rig rig;
  Phone phone(rig);
  phone.failing = {"critical_block"};
  phone.share_key();
  rig.listener().on_offline({Errc::disconnected, "gone"});
  rig.listener().on_online();
  phone.failing.clear();
  const int before = phone.asked;
  rig.scheduler.advance(seconds(3));
  phone.settle();
  EXPECT_EQ(phone.asked, before + 1);
}

TEST(AppStateRoom, ASnapshotThatIsNotWhatWasAnnouncedIsFetchedAnewOnce) {
  WrongFilesRig rig;
  Phone phone(rig);
  phone.in_files = {"regular_low"};
  phone.share_key();
  EXPECT_EQ(rig.http.asked, 2) << "once anew, then it is left alone";
  rig.scheduler.advance(hours(3));
  phone.notify("regular_low");
  EXPECT_EQ(rig.http.asked, 2);
  const int before = phone.asked;
  const auto archived = wait_for(
      rig, phone, [&](auto done) { rig.box->chat_state().archive(kChat, true, std::move(done)); });
  ASSERT_FALSE(archived);
  EXPECT_EQ(archived.error().code, Errc::refused);
  EXPECT_EQ(phone.asked, before);
}

TEST(AppStateRoom, ReadOnThePhoneIsWhatCameUntilThen) {
  Rig rig;
  Phone phone(rig);
  phone.share_key();
  rig.introduce(rig.customer);
  rig.listener().on_message(rig.text_from(rig.customer, "M1", "two loaves"));
  phone.settle();
  ASSERT_EQ(unread(rig), 1U);
  const auto read_until = [&](std::uint64_t at) {
    FieldWriter range;
    range.number(1, at);
    FieldWriter read = flag(true);
    read.message(2, range);
    phone.change("regular_low", SyncOperation::set,
                 {"markChatAsRead", "4915550002222@s.whatsapp.net"}, 20, read);
    phone.notify("regular_low");
  };
  read_until(1'790'000'099);
  EXPECT_EQ(unread(rig), 1U) << "it came a second later";
  read_until(1'790'000'100);
  EXPECT_EQ(unread(rig), 0U);
}

TEST(AppStateRoom, AMissingKeyIsAskedForOnceADay) {
  Rig rig;
  Phone phone(rig);
  phone.share_key();
  phone.key_id[5] = std::byte{0xEA};
  phone.change("regular_low", SyncOperation::set, {"archive", "4915550002222@s.whatsapp.net"}, 17,
               flag(true));
  rig.line.take_written();
  phone.notify("regular_low");
  phone.notify("regular_low");
  const auto asked = rig.written_of("message");
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].text_attr("category"), "peer");
  EXPECT_EQ(asked[0].jid_attr("to"), rig.phone.jid);
  const auto message = rig.phone.decrypt(*asked[0].child("enc"), rig.box_jid);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->protocolmessage().appstatesynckeyrequest().keyids(0).keyid(),
            to_string(phone.key_id));
  phone.share_key();
  EXPECT_TRUE((*people(rig)->chat("4915550002222@s.whatsapp.net"))->archived);
}

TEST(AppStateRoom, FirstTextsCarryATokenOfTheSaltUntilAnotherIsThere) {
  Rig rig;
  Phone phone(rig);
  FieldWriter salt;
  const Bytes salt_bytes(32, std::byte{0xA0});
  salt.bytes(1, salt_bytes);
  phone.change("regular_high", SyncOperation::set, {"nct_salt_sync"}, 80, salt);
  phone.share_key();
  (void)rig.send(rig.job("3EB0C0FFEE0000000000AA", "first"));
  auto sent = rig.written_of("message");
  ASSERT_FALSE(sent.empty());
  const Node* token = sent.back().child("cstoken");
  ASSERT_NE(token, nullptr);
  EXPECT_TRUE(std::ranges::equal(token->bytes(),
                                 crypto::hmac_sha256(salt_bytes, as_bytes("200000000000002@lid"))));
  // The customer's own token takes its place.
  Node given("notification",
             {{"type", "privacy_token"},
              {"from", rig.customer_pn},
              {"sender_lid", rig.customer_lid},
              {"id", "T1"}},
             {Node("tokens", {},
                   {Node("token", {{"type", "trusted_contact"}, {"t", "1790000000"}},
                         to_bytes("their token"))})});
  rig.listener().on_notification(given, [] {});
  rig.turn();
  (void)rig.send(rig.job("3EB0C0FFEE0000000000AB", "second"));
  sent = rig.written_of("message");
  EXPECT_EQ(sent.back().child("cstoken"), nullptr);
  EXPECT_NE(sent.back().child("tctoken"), nullptr);
}

TEST(AppStateRoom, LabelsAndKeysForAnotherDevice) {
  Rig rig;
  Phone phone(rig);
  FieldWriter label;
  label.text(1, "New order");
  phone.change("regular", SyncOperation::set, {"label_edit", "1"}, 14, label);
  phone.change("regular", SyncOperation::set, {"label_jid", "1", "200000000000002@lid"}, 15,
               flag(true));
  phone.share_key();
  const auto names = people(rig)->labels_of("200000000000002@lid");
  ASSERT_TRUE(names);
  EXPECT_EQ(*names, std::vector<std::string>{"New order"});

  wa::Message request;
  auto& protocol = *request.mutable_protocolmessage();
  protocol.set_type(wa::Message::ProtocolMessage::APP_STATE_SYNC_KEY_REQUEST);
  protocol.mutable_appstatesynckeyrequest()->add_keyids()->set_keyid(to_string(phone.key_id));
  protocol.mutable_appstatesynckeyrequest()->add_keyids()->set_keyid("unheard-of");
  rig.line.take_written();
  phone.tell(request, "ASK1");
  const auto answers = rig.written_of("message");
  ASSERT_EQ(answers.size(), 1U);
  const auto message = rig.phone.decrypt(*answers[0].child("enc"), rig.box_jid);
  ASSERT_TRUE(message);
  const auto& share = message->protocolmessage().appstatesynckeyshare();
  ASSERT_EQ(share.keys_size(), 2);
  EXPECT_EQ(share.keys(0).keydata().keydata(), to_string(phone.key_data));
  EXPECT_FALSE(share.keys(1).has_keydata());
}

TEST(AppStateRoom, WhatIsKnownSurvivesARestart) {
  Rig rig;
  Phone phone(rig);
  phone.share_key();
  EXPECT_TRUE(wait_for(
      rig, phone, [&](auto done) { rig.box->chat_state().archive(kChat, true, std::move(done)); }));
  rig.restart();
  phone.settle();
  EXPECT_TRUE(wait_for(rig, phone, [&](auto done) {
    rig.box->chat_state().archive(kChat, false, std::move(done));
  }));
  EXPECT_TRUE(phone.refused.empty());
  EXPECT_FALSE((*people(rig)->chat("4915550002222@s.whatsapp.net"))->archived);
}

TEST(AppStateRoom, OfflineAndWithoutKeysAChangeIsAnsweredAtOnce) {
  Rig rig;
  Phone phone(rig);
  EXPECT_EQ(
      wait_for(rig, phone,
               [&](auto done) { rig.box->chat_state().archive(kChat, true, std::move(done)); })
          .error()
          .code,
      Errc::not_found);
  rig.line.is_online = false;
  EXPECT_EQ(
      wait_for(rig, phone,
               [&](auto done) { rig.box->chat_state().archive(kChat, true, std::move(done)); })
          .error()
          .code,
      Errc::disconnected);
}

}  // namespace
}  // namespace posthorn::chat::chat_test
