#include <gtest/gtest.h>

#include "chat/people/names.h"
#include "chat/state/phone.h"
#include "posthorn/store/message_store.h"
#include "posthorn/store/sync_store.h"

namespace posthorn::chat::chat_test {
namespace {

FieldWriter contact(const std::string& full, const std::string& lid) {
  FieldWriter writer;
  writer.text(1, full).text(2, "Ida");
  if (!lid.empty()) writer.text(3, lid);
  return writer;
}

/// Messages of the customer that the box would still send a read receipt for.
std::size_t unread(Rig& rig) {
  const auto store = store::MessageStore::open(rig.store->database(), rig.clock.now());
  EXPECT_TRUE(store);
  const auto rows = (*store)->unread("200000000000002@lid");
  EXPECT_TRUE(rows);
  return rows->size();
}

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

}  // namespace
}  // namespace posthorn::chat::chat_test
