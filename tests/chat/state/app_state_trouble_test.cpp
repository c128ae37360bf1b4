#include <gtest/gtest.h>

#include "chat/state/phone.h"
#include "posthorn/files/disk.h"
#include "posthorn/files/store.h"
#include "posthorn/net/http_client.h"

// App state that cannot be read, or not now.
namespace posthorn::chat::chat_test {
namespace {

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
