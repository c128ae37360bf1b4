#include <gtest/gtest.h>

#include "posthorn/base/crypto.h"
#include "shop.h"

namespace posthorn::scenario {
namespace {

using simulator::MediaRule;
using simulator::PeerFile;
using simulator::Received;

constexpr const char* kHost = "10.0.0.5:8080";

Config media_config() {
  Config config;
  config.whatsapp.media_insecure_hosts = {"127.0.0.1"};
  config.throttle.quiet_from = "00:00";
  config.throttle.quiet_to = "00:00";
  config.files.quota_bytes = 16U << 20;
  return config;
}

std::string bytes_of(std::size_t size, char seed = 'a') {
  std::string out(size, seed);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>(seed + (i * 7 + i / 251) % 120);
  return out;
}

std::string jpeg_of(std::size_t size) { return "\xFF\xD8\xFF\xE0" + bytes_of(size); }
std::string pdf_of(std::size_t size, char seed = 'a') {
  return "%PDF-1.7\n" + bytes_of(size, seed);
}
std::string sha256_of(const std::string& bytes) {
  return hex_encode(crypto::sha256(as_bytes(bytes)));
}

/// A shop whose customer has written, so that answers go out at once.
class FilesScenario : public testing::Test {
 protected:
  void SetUp() override {
    customer = shop.link_with_customer();
    chat = customer + "@c.us";
  }

  /// multipart/form-data as a till writes it.
  Shop::Answer send_form(const std::string& name, const std::string& type, const std::string& bytes,
                         const std::string& caption = "") {
    std::string body;
    const auto field = [&body](const std::string& key, const std::string& value) {
      body +=
          "--XX\r\nContent-Disposition: form-data; name=\"" + key + "\"\r\n\r\n" + value + "\r\n";
    };
    body += "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + name +
            "\"\r\nContent-Type: " + type + "\r\n\r\n" + bytes + "\r\n";
    field("chatId", chat);
    if (!caption.empty()) field("caption", caption);
    body += "--XX--\r\n";
    return shop.upload("sendFileByUpload", "multipart/form-data; boundary=XX", body);
  }

  /// What the customer got with that id, waiting for it.
  std::optional<Received> got(const std::string& id, seconds within = seconds(600)) {
    for (int i = 0; i < within.count(); ++i) {
      for (const Received& one : world.inbox(customer)) {
        if (one.id == id) return one;
      }
      shop.pass(seconds(1));
    }
    return std::nullopt;
  }

  std::string give(PeerFile file) {
    file.to = shop.phone;
    const auto id = world.peer_send(customer, file);
    EXPECT_TRUE(id) << to_string(id.error());
    shop.pass(seconds(2));
    shop.take_notifications();
    return id.value_or("");
  }

  static PeerFile photo(const std::string& bytes) {
    PeerFile file;
    file.kind = "image";
    file.mime = "image/jpeg";
    file.caption = "Like this one";
    file.bytes = to_bytes(bytes);
    return file;
  }

  std::string last_link() {
    if (shop.files_told.empty()) return "";
    return shop.files_told.back()["fileMessageData"]["downloadUrl"].asString();
  }

  /// So that links have a name before anything is asked for.
  void call_once() { shop.upload("uploadFile", "image/png", "\x89PNG\r\n\x1A\n", "a.png"); }

  Shop shop{media_config()};
  simulator::Simulator& world = shop.world;
  std::string customer, chat;
};

TEST_F(FilesScenario, EachKindReachesTheCustomerByteForByte) {
  const std::vector<std::tuple<std::string, std::string, std::string, std::string>> files{
      {"cake.jpg", "image/jpeg", jpeg_of(100'000), "image"},
      {"receipt.pdf", "application/pdf", pdf_of(70'000), "document"},
      {"film.mp4", "video/mp4",
       std::string("\0\0\0\x18"
                   "ftypmp42",
                   12) +
           bytes_of(5'000),
       "video"},
      {"ring.mp3", "audio/mpeg", "ID3" + bytes_of(4'000), "audio"},
      {"note.ogg", "audio/ogg", "OggS" + bytes_of(24) + "OpusHead" + bytes_of(900), "voice"},
      {"empty-ish.txt", "text/plain", "x", "document"},
  };
  for (const auto& [name, type, bytes, kind] : files) {
    SCOPED_TRACE(name);
    const auto answer = send_form(name, type, bytes, kind == "document" ? "Your copy" : "");
    ASSERT_EQ(answer.status, 200) << json::write(answer.body);
    EXPECT_TRUE(answer.body["urlFile"].asString().starts_with("http://" + std::string(kHost) +
                                                              "/files/" + sha256_of(bytes)));
    EXPECT_TRUE(answer.body["urlFile"].asString().ends_with("/" + name));
    const auto received = got(answer.body["idMessage"].asString());
    ASSERT_TRUE(received);
    EXPECT_EQ(received->kind, kind);
    EXPECT_EQ(received->text, kind == "document" ? "Your copy" : "");
    ASSERT_TRUE(received->file) << "the media host has what the message names";
    EXPECT_EQ(received->file->sha256, sha256_of(bytes));
    // And whoever has the link reads the same.
    EXPECT_EQ(shop.follow(answer.body["urlFile"].asString()).body, bytes);
  }
  EXPECT_TRUE(world.violations().empty()) << world.violations().front().what;
}

TEST_F(FilesScenario, TheSameFileIsUploadedOnceForManyAndAfterARestart) {
  const std::string menu = pdf_of(50'000);
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    const auto answer = send_form("menu.pdf", "application/pdf", menu, "Menu " + std::to_string(i));
    ASSERT_EQ(answer.status, 200);
    ids.push_back(answer.body["idMessage"].asString());
  }
  for (const std::string& id : ids) ASSERT_TRUE(got(id));
  shop.restart();
  shop.pass(seconds(30));
  const auto answer = send_form("menu.pdf", "application/pdf", menu, "Menu again");
  ASSERT_EQ(answer.status, 200);
  ASSERT_TRUE(got(answer.body["idMessage"].asString()));
  const auto posts = std::count_if(shop.http.asked.begin(), shop.http.asked.end(),
                                   [](const auto& one) { return one.starts_with("POST"); });
  EXPECT_EQ(posts, 1);
}

TEST_F(FilesScenario, WhatFailsOnTheWayIsTriedAgainAndChargedToNobody) {
  for (const int status : {503, 429, 401}) {
    MediaRule rule;
    rule.on = MediaRule::On::upload;
    rule.status = status;
    world.add_media_rule(rule);
  }
  MediaRule cut;
  cut.on = MediaRule::On::upload;
  cut.cut_after = 1'000;
  world.add_media_rule(cut);
  const auto answer = send_form("a.pdf", "application/pdf", pdf_of(9'000));
  ASSERT_EQ(answer.status, 200);
  const std::string id = answer.body["idMessage"].asString();
  EXPECT_EQ(shop.queue()[id], "preparing");
  const auto received = got(id);
  ASSERT_TRUE(received);
  EXPECT_TRUE(received->file);
  shop.pass(seconds(5));
  shop.take_notifications();
  EXPECT_EQ(shop.stories[id].end(), "sent");
}

TEST_F(FilesScenario, ATextIsNotHeldUpByAFileToSomebodyElse) {
  shop.http.down = true;
  ASSERT_EQ(send_form("a.pdf", "application/pdf", pdf_of(9'000)).status, 200);
  const std::string other = world.add_account({"4915550003333", "Otto"}).pn.user;
  simulator::PeerText hello;
  hello.to = shop.phone;
  hello.text = "Hi";
  ASSERT_TRUE(world.peer_send(other, hello));
  shop.pass(seconds(3));
  shop.send(other + "@c.us", "Ready");
  for (int i = 0; i < 120 && world.inbox(other).empty(); ++i) shop.pass(seconds(1));
  EXPECT_EQ(world.inbox(other).size(), 1U);
  EXPECT_TRUE(world.inbox(customer).empty());
}

TEST_F(FilesScenario, WhatNoHostTakesEndsWithWords) {
  MediaRule rule;
  rule.on = MediaRule::On::upload;
  rule.status = 413;
  world.add_media_rule(rule);
  const auto answer = send_form("a.pdf", "application/pdf", pdf_of(9'000));
  const std::string id = answer.body["idMessage"].asString();
  shop.pass(seconds(60));
  shop.take_notifications();
  EXPECT_EQ(shop.stories[id].end(), "failed");
  EXPECT_NE(shop.stories[id].description.find("413"), std::string::npos);
}

TEST_F(FilesScenario, AnUploadThatNeverSucceedsEndsWithTheReasonAtTheJobsEnd) {
  shop.http.down = true;
  const auto answer = send_form("a.pdf", "application/pdf", pdf_of(9'000));
  const std::string id = answer.body["idMessage"].asString();
  shop.pass(hours(25));
  shop.take_notifications();
  EXPECT_EQ(shop.stories[id].end(), "failed");
  EXPECT_NE(shop.stories[id].description.find("could not be uploaded in time"), std::string::npos)
      << shop.stories[id].description;
}

TEST_F(FilesScenario, AFileThatWaitsSurvivesARestartAndTheQuota) {
  shop.http.down = true;
  const std::string waits = pdf_of(3'000'000, 'b');
  const auto answer = send_form("waits.pdf", "application/pdf", waits);
  ASSERT_EQ(answer.status, 200);
  shop.restart();
  shop.pass(seconds(30));
  // More than the rest of the quota: others go, this one stays.
  for (char seed = 'c'; seed < 'j'; ++seed) {
    shop.upload("uploadFile", "application/pdf", pdf_of(3'000'000, seed), "x.pdf");
  }
  ASSERT_TRUE(shop.files->find(sha256_of(waits)));
  shop.http.down = false;
  const auto received = got(answer.body["idMessage"].asString(), seconds(2'000));
  ASSERT_TRUE(received);
  EXPECT_EQ(received->file->sha256, sha256_of(waits));
}

TEST_F(FilesScenario, AReceivedPhotoIsToldAtOnceAndFetchedWhenSomebodyLooks) {
  call_once();
  const std::string bytes = jpeg_of(200'000);
  give(photo(bytes));
  ASSERT_EQ(shop.files_told.size(), 1U);
  const json::Value& told = shop.files_told[0];
  EXPECT_EQ(told["typeMessage"].asString(), "imageMessage");
  EXPECT_EQ(told["fileMessageData"]["caption"].asString(), "Like this one");
  EXPECT_FALSE(shop.files->find(sha256_of(bytes))) << "nobody has asked for it";
  const std::string link = last_link();
  ASSERT_TRUE(link.starts_with("http://" + std::string(kHost) + "/files/")) << link;
  const auto whole = shop.follow(link);
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.body, bytes);
  const auto part = shop.follow(link, "bytes=10-19");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, bytes.substr(10, 10));
  std::string forged = link;
  forged[forged.find("/files/") + 75] ^= 1;
  EXPECT_EQ(shop.follow(forged).status, 404) << "without the seal nobody reads anything";
}

TEST_F(FilesScenario, DownloadFileNamesALinkToEitherDirection) {
  call_once();
  const std::string id = give(photo(jpeg_of(3'000)));
  json::Value body;
  body["chatId"] = chat;
  body["idMessage"] = id;
  const auto in = shop.post("downloadFile", json::write(body));
  EXPECT_EQ(in.status, 200) << json::write(in.body);
  EXPECT_NE(in.body["downloadUrl"].asString(), "");
  const auto sent = send_form("a.pdf", "application/pdf", pdf_of(2'000));
  ASSERT_TRUE(got(sent.body["idMessage"].asString()));
  body["idMessage"] = sent.body["idMessage"];
  EXPECT_EQ(shop.post("downloadFile", json::write(body)).status, 200);
  body["idMessage"] = "3EB0000000000000000000";
  EXPECT_EQ(shop.post("downloadFile", json::write(body)).status, 400);
}

TEST_F(FilesScenario, WhatTheHostDoesWrongIsAskedForAgain) {
  call_once();
  const std::string bytes = jpeg_of(100'000);
  give(photo(bytes));
  for (const int status : {500, 429}) {
    MediaRule rule;
    rule.status = status;
    world.add_media_rule(rule);
  }
  MediaRule cut;
  cut.cut_after = 50'000;
  world.add_media_rule(cut);
  EXPECT_EQ(shop.follow(last_link()).body, bytes);
}

TEST_F(FilesScenario, WrongBytesAreNeverShown) {
  call_once();
  const std::string bytes = jpeg_of(100'000);
  give(photo(bytes));
  MediaRule rule;
  rule.corrupt = true;
  rule.count = 0;
  world.add_media_rule(rule);
  const auto answer = shop.follow(last_link());
  EXPECT_EQ(answer.status, 502);
  EXPECT_FALSE(shop.files->find(sha256_of(bytes)));
}

TEST_F(FilesScenario, AMessageThatNamesAnotherHashGetsNoFile) {
  call_once();
  PeerFile file = photo(jpeg_of(2'000));
  file.lies = true;
  give(std::move(file));
  EXPECT_EQ(shop.follow(last_link()).status, 502);
  EXPECT_FALSE(shop.files->find(sha256_of(jpeg_of(2'000))));
}

TEST_F(FilesScenario, WhatWhatsAppHasDroppedThePhoneUploadsAgain) {
  call_once();
  const std::string bytes = jpeg_of(30'000);
  give(photo(bytes));
  world.expire_media();
  EXPECT_EQ(shop.follow(last_link()).body, bytes);
  EXPECT_TRUE(world.violations().empty()) << world.violations().front().what;
}

TEST_F(FilesScenario, WhatThePhoneDoesNotHaveEitherIsSaidSo) {
  call_once();
  for (const char* says : {"not_found", "error", "silence"}) {
    SCOPED_TRACE(says);
    const auto answers = [this](const char* answer) {
      return world.set_media_retry(shop.phone, answer);
    };
    ASSERT_TRUE(answers(says));
    give(photo(jpeg_of(30'000) + says));
    world.expire_media();
    const auto answer = shop.follow(last_link());
    EXPECT_EQ(answer.status, 404);
    EXPECT_NE(answer.body.find("phone"), std::string::npos) << answer.body;
  }
}

TEST_F(FilesScenario, WhatIsSeenOnceHasNoLink) {
  call_once();
  PeerFile file = photo(jpeg_of(2'000));
  file.view_once = true;
  give(std::move(file));
  ASSERT_EQ(shop.files_told.size(), 1U);
  EXPECT_EQ(last_link(), "");
}

TEST_F(FilesScenario, AFileByItsAddressIsFetchedFirst) {
  const std::string bytes = pdf_of(20'000);
  shop.http.pages["https://shop.example/inv/118.pdf"] = {200, bytes, "application/pdf"};
  json::Value body;
  body["chatId"] = chat;
  body["urlFile"] = "https://shop.example/inv/118.pdf";
  body["fileName"] = "invoice-118.pdf";
  body["caption"] = "Your invoice";
  const auto answer = shop.post("sendFileByUrl", json::write(body));
  ASSERT_EQ(answer.status, 200) << json::write(answer.body);
  const auto received = got(answer.body["idMessage"].asString());
  ASSERT_TRUE(received && received->file);
  EXPECT_EQ(received->file->sha256, sha256_of(bytes));
  EXPECT_EQ(received->text, "Your invoice");

  body["urlFile"] = "https://shop.example/none.pdf";
  shop.http.pages["https://shop.example/none.pdf"] = {404, "", ""};
  const auto none = shop.post("sendFileByUrl", json::write(body));
  EXPECT_EQ(none.status, 400);
  EXPECT_NE(none.body["message"].asString().find("404"), std::string::npos);
  body["fileName"] = "without";
  EXPECT_EQ(shop.post("sendFileByUrl", json::write(body)).status, 400);
}

TEST_F(FilesScenario, AnAddressOfTheBoxItselfNeedsNoFetch) {
  const std::string bytes = pdf_of(20'000);
  const auto kept = shop.upload("uploadFile", "application/pdf", bytes, "menu.pdf");
  ASSERT_EQ(kept.status, 200);
  json::Value body;
  body["chatId"] = chat;
  body["urlFile"] = kept.body["urlFile"];
  body["fileName"] = "menu.pdf";
  const auto answer = shop.post("sendFileByUrl", json::write(body));
  ASSERT_EQ(answer.status, 200) << json::write(answer.body);
  const auto received = got(answer.body["idMessage"].asString());
  ASSERT_TRUE(received && received->file);
  EXPECT_EQ(received->file->sha256, sha256_of(bytes));
}

TEST_F(FilesScenario, ALargeUploadThatBrokeGoesOnWhereItWas) {
  MediaRule cut;
  cut.on = MediaRule::On::upload;
  cut.skip = 1;  // the question how much is there
  cut.cut_after = 4'000'000;
  world.add_media_rule(cut);
  const std::string bytes = pdf_of(6'000'000);
  const auto answer = send_form("large.pdf", "application/pdf", bytes);
  ASSERT_EQ(answer.status, 200);
  const auto received = got(answer.body["idMessage"].asString());
  ASSERT_TRUE(received && received->file);
  EXPECT_EQ(received->file->sha256, sha256_of(bytes));
}

}  // namespace
}  // namespace posthorn::scenario
