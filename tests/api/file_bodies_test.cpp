// Files through real sockets into a real folder and back.

#include "posthorn/api/file_bodies.h"

#include <gtest/gtest.h>

#include "live.h"
#include "posthorn/base/crypto.h"
#include "support/folder.h"

namespace posthorn::api::test {
namespace {

std::string sha_of(std::string_view text) { return hex_encode(crypto::sha256(as_bytes(text))); }

struct FileShop : Shop {
  FileShop() {
    handler.make_sink_for = [this](const Request& head) -> std::unique_ptr<BodySink> {
      if (head.verb == Verb::get || head.verb == Verb::head) return nullptr;
      auto sink = receive_file(*store, head, [this](Result<Upload> upload, Reply reply) {
        if (!upload) {
          errors.push_back(upload.error().detail);
          return reply.send(Response{.status = 400, .body = upload.error().detail, .headers = {}});
        }
        last = *upload;
        reply.send(Response{.body = upload->file.ref, .headers = {}});
      });
      if (!sink) errors.push_back(sink.error().detail);
      return sink ? std::move(*sink) : nullptr;
    };
    handler.answer = [this](Request request, Reply reply) {
      send_file(*store, request.path.substr(1), request, "", std::move(reply));
    };
  }
  std::string ask(const std::string& verb, const std::string& path, const std::string& more = "") {
    Client client(loop, port());
    client.write(verb + " /" + path + " HTTP/1.1\r\nHost: x\r\n" + more + "\r\n");
    return client.read();
  }
  std::string put(const std::string& body, const std::string& more = "") {
    Client client(loop, port());
    client.write("PUT /up HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
                 "\r\n" + more + "\r\n" + body);
    return client.read();
  }
  /// Until nobody writes any more and what was given up is removed.
  void settle() {
    for (int i = 0; i < 300 && store->status().writing > 0; ++i) loop.run_once(milliseconds(10));
    for (int i = 0; i < 20; ++i) loop.run_once(milliseconds(5));
  }
  std::size_t names() { return disk->list()->size(); }

  posthorn::test::Folder folder;
  loop::PoolWorker worker{loop};
  std::shared_ptr<files::Disk> disk = std::move(*files::posix_folder(folder.at("files")));
  std::unique_ptr<files::Store> store =
      std::move(*files::Store::open(disk, worker, {.quota = std::uint64_t{64} << 20}));
  Upload last;
  std::vector<std::string> errors;
};

TEST(FileBodies, GoInAsTheyAreAndComeOutWholeOrInPart) {
  FileShop shop;
  const std::string body = "%PDF-1.7 " + std::string(300'000, 'p');
  const std::string ref = sha_of(body);
  EXPECT_TRUE(shop.put(body).ends_with("\r\n\r\n" + ref));
  const std::string whole = shop.ask("GET", ref);
  EXPECT_TRUE(whole.starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(whole.ends_with("\r\n\r\n" + body));
  for (const char* header :
       {"Content-Type: application/pdf", "Accept-Ranges: bytes", "Content-Length: 300009"}) {
    EXPECT_NE(whole.find(std::string(header) + "\r\n"), std::string::npos) << header;
  }
  EXPECT_NE(whole.find("ETag: \"" + ref + "\"\r\n"), std::string::npos);
  EXPECT_NE(whole.find("Last-Modified: "), std::string::npos);
  const std::string part = shop.ask("GET", ref, "Range: bytes=0-4\r\n");
  EXPECT_TRUE(part.starts_with("HTTP/1.1 206 "));
  EXPECT_NE(part.find("Content-Range: bytes 0-4/300009\r\n"), std::string::npos);
  EXPECT_TRUE(part.ends_with("\r\n\r\n%PDF-"));
  EXPECT_TRUE(shop.ask("GET", ref, "Range: bytes=300009-\r\n").starts_with("HTTP/1.1 416 "));
  EXPECT_TRUE(
      shop.ask("GET", ref, "If-None-Match: \"" + ref + "\"\r\n").starts_with("HTTP/1.1 304 "));
  EXPECT_TRUE(shop.ask("GET", ref, "Range: bytes=0-4\r\nIf-Range: \"older\"\r\n")
                  .starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(shop.ask("GET", "nothing").starts_with("HTTP/1.1 404 "));
}

TEST(FileBodies, AHeadTellsTheSize) {
  FileShop shop;
  shop.put("abc");
  Client client(shop.loop, shop.port());
  client.write("HEAD /" + sha_of("abc") + " HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string answer = client.peek();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  EXPECT_NE(answer.find("Content-Length: 3\r\n"), std::string::npos);
  EXPECT_NE(answer.find("\r\nx-amz-expiration: expiry-date=\""), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST(FileBodies, AFormsFileGoesInWithItsFields) {
  FileShop shop;
  const std::string file = "OggS" + std::string(100'000, 'o');
  const std::string body =
      "--b\r\nContent-Disposition: form-data; name=\"chatId\"\r\n\r\n4915550001111@c.us\r\n"
      "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"voice.ogg\"\r\n"
      "Content-Type: audio/ogg; codecs=opus\r\n\r\n" +
      file + "\r\n--b--\r\n";
  const std::string type = "Content-Type: multipart/form-data; boundary=b\r\n";
  EXPECT_TRUE(shop.put(body, type).ends_with(sha_of(file)));
  EXPECT_EQ(shop.last.file_name, "voice.ogg");
  EXPECT_EQ(shop.last.said_type, "audio/ogg; codecs=opus");
  EXPECT_EQ(shop.last.file.type, "audio/ogg");
  EXPECT_EQ(shop.last.fields.at("chatId"), "4915550001111@c.us");
  EXPECT_NE(shop.put(body.substr(0, body.size() - 9), type).find("the body is cut off"),
            std::string::npos);
  EXPECT_NE(shop.put("--b--\r\n", type).find("there is no file in the form"), std::string::npos);
  const std::string nameless =
      "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n" + file + "\r\n--b--\r\n";
  EXPECT_TRUE(shop.put(nameless, type).ends_with(sha_of(file)));
  EXPECT_EQ(shop.last.file_name, "");
  shop.settle();
  EXPECT_EQ(shop.names(), 1U) << "nothing stays of what was refused";
}

TEST(FileBodies, WhatIsTooLargeIsToldBeforeItComes) {
  FileShop shop;
  Client client(shop.loop, shop.port());
  client.write(
      "PUT /up HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 99999999999\r\n\r\n");
  client.read();
  ASSERT_EQ(shop.errors.size(), 1U);
  EXPECT_NE(shop.errors[0].find("64 MiB"), std::string::npos);
}

TEST(FileBodies, TwoHundredClientsAtOnceSlowOnesAndThoseWhoVanish) {
  FileShop shop;
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<std::string> bodies;
  const std::size_t size = 20'000;
  int refused = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string from = "127.0.2." + std::to_string(1 + i % 20);
    clients.push_back(std::make_unique<Client>(shop.loop, shop.port(), from.c_str()));
    bodies.push_back(std::to_string(i) + std::string(size, 'c'));
    const std::string head =
        "PUT /up HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(bodies.back().size()) +
        "\r\n\r\n";
    (void)clients.back()->push(head + bodies.back().substr(0, 5000));
    if (i % 10 == 0) shop.loop.run_once(milliseconds(1));
  }
  for (int i = 0; i < 20; ++i) shop.loop.run_once(milliseconds(1));
  EXPECT_LE(shop.store->status().writing, 32U);
  std::size_t stored = 0;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    if (i % 3 == 0) {
      clients[i].reset();  // in the middle of it
      continue;
    }
    std::string rest = bodies[i].substr(5000);
    if (!clients[i]->write(rest)) continue;  // there were too many
    const std::string answer = clients[i]->read();
    stored += answer.ends_with(sha_of(bodies[i])) ? 1 : 0;
    refused += answer.starts_with("HTTP/1.1 ") && !answer.ends_with(sha_of(bodies[i])) ? 1 : 0;
  }
  clients.clear();
  shop.settle();
  EXPECT_GE(stored, 8U);
  EXPECT_EQ(shop.store->status().writing, 0U);
  EXPECT_EQ(shop.store->status().files, stored);
  EXPECT_EQ(shop.names(), stored) << "nothing stays behind";
  EXPECT_TRUE(shop.put("and the next").ends_with(sha_of("and the next")));
}

}  // namespace
}  // namespace posthorn::api::test
