#include <gtest/gtest.h>

#include "api/box.h"

namespace posthorn::api::test {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

/// uploadFile of so many bytes; the path of the link that it answers.
std::string uploaded(Box& box, std::size_t size, char filling) {
  const std::string body =
      "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"menu.pdf\"\r\n\r\n%PDF" +
      std::string(size, filling) + "\r\n--edge--\r\n";
  const auto answer = box.post_form("uploadFile", body, "edge");
  const std::string url = json::string_at(answer->json(), "urlFile").value_or(answer->text());
  const std::string host = "http://box.lan";
  EXPECT_TRUE(url.starts_with(host)) << url;
  return url.substr(std::min(url.size(), host.size()));
}

int status_of(Box& box, const std::string& path) {
  return box.send(Box::request(Verb::get, path))->status();
}

// The contract keeps uploads "about 15 days"; here nothing but the room for newer ones ends a file.
TEST(FileLife, ALinkLeadsToItsFileAfterFifteenDays) {
  Box box(0);
  box.keep_files();
  const std::string path = uploaded(box, 1000, 'a');
  EXPECT_EQ(status_of(box, path), 200);
  box.scheduler.advance(hours(15 * 24));
  EXPECT_EQ(status_of(box, path), 200);
  EXPECT_EQ(box.post("sendFileByUrl", R"({"chatId":"4915550007777@c.us","fileName":"menu.pdf",)"
                                      R"("urlFile":"http://box.lan)" +
                                          path + "\"}")
                ->status(),
            200);
}

TEST(FileLife, TheOldestGoesForANewOneThatNeedsItsRoom) {
  Box box(0);
  box.keep_files();
  const std::string first = uploaded(box, 3 * kMiB, 'a');
  const std::string second = uploaded(box, 3 * kMiB, 'b');
  const std::string third = uploaded(box, 3 * kMiB, 'c');
  EXPECT_EQ(status_of(box, first), 404);
  EXPECT_EQ(status_of(box, second), 200);
  EXPECT_EQ(status_of(box, third), 200);
}

constexpr const char* kBill = "https://till.example/bill.pdf?once=1";
constexpr const char* kSendBill = R"({"chatId":"4915550007777@c.us","fileName":"bill.pdf",)"
                                  R"("urlFile":"https://till.example/bill.pdf?once=1"})";

Request with_key(const std::string& method, const std::string& body) {
  Request request = Box::request(Verb::post, Box::path(method), body);
  request.idempotency_key = "bill-118";
  return request;
}

TEST(FileByUrl, ARepeatIsTheSameMessageWhateverItsUrlGivesByThen) {
  Box box;
  box.keep_files();
  box.cabinet->web[kBill] = "%PDF-1.7 made at 9:00:00";
  const auto first = box.send(with_key("sendFileByUrl", kSendBill));
  ASSERT_EQ(first->status(), 200) << first->text();
  box.cabinet->web[kBill] = "%PDF-1.7 made at 9:00:05";
  EXPECT_EQ(box.send(with_key("sendFileByUrl", kSendBill))->text(), first->text());
  box.cabinet->web.clear();
  EXPECT_EQ(box.send(with_key("sendFileByUrl", kSendBill))->text(), first->text());
  EXPECT_EQ(box.outbox.count(), 1U);
  const std::string other =
      R"({"chatId":"4915550008888@c.us","fileName":"bill.pdf","urlFile":"https://till.example/"})";
  EXPECT_EQ(box.send(with_key("sendFileByUrl", other))->status(), 422);
}

void run(Box& box) {
  for (int turn = 0; turn < 50; ++turn) box.scheduler.run_posted();
}

TEST(FileByUrl, TwoAtOnceAreOneFetchAndOneMessage) {
  for (const bool keyed : {true, false}) {
    Box box(0);
    box.keep_files();
    box.cabinet->hold_fetches = true;
    const auto post = [&] {
      Request request = with_key("sendFileByUrl", kSendBill);
      if (!keyed) request.idempotency_key.clear();
      return box.send(std::move(request));
    };
    const auto first = post();
    const auto second = post();
    const auto third = post();
    ASSERT_EQ(box.cabinet->held_fetches.size(), 1U) << "the others wait for the first";
    box.cabinet->web[kBill] = "%PDF-1.7";
    box.cabinet->held_fetches[0]();
    run(box);
    ASSERT_EQ(first->status(), 200) << first->text();
    EXPECT_EQ(second->text(), first->text());
    EXPECT_EQ(third->text(), first->text());
    EXPECT_EQ(box.outbox.count(), 1U);
    // Once it is answered, the next one without a key is another message.
    box.cabinet->hold_fetches = false;
    EXPECT_EQ(post()->text() == first->text(), keyed);
  }
}

TEST(FileByUrl, AFetchThatFailsIsToldToAllAndTriedAgainByTheNext) {
  Box box(0);
  box.keep_files();
  box.cabinet->hold_fetches = true;
  const auto first = box.post("sendFileByUrl", kSendBill);
  const auto second = box.post("sendFileByUrl", kSendBill);
  const auto other = box.send(with_key("sendFileByUrl", kSendBill));
  ASSERT_EQ(box.cabinet->held_fetches.size(), 2U) << "a key makes another message";
  box.cabinet->held_fetches[0]();
  run(box);
  EXPECT_EQ(first->status(), 400);
  EXPECT_EQ(second->status(), 400);
  EXPECT_FALSE(other->response);
  box.cabinet->held_fetches[1]();
  box.cabinet->hold_fetches = false;
  box.cabinet->web[kBill] = "%PDF-1.7";
  EXPECT_EQ(box.post("sendFileByUrl", kSendBill)->status(), 200);
}

TEST(FileByUrl, WithoutRoomItIsNotCalledTooLarge) {
  Box box(0);
  box.keep_files();
  box.cabinet->web[kBill] = std::string(9 * kMiB, 'x');  // of 8 MiB
  const auto answer = box.post("sendFileByUrl", kSendBill);
  EXPECT_EQ(answer->status(), 507) << answer->text();
}

TEST(FileByUrl, ARepeatedStatusIsTheSameOneToo) {
  Box box;
  box.keep_files();
  const std::string url = "https://till.example/cake.jpg";
  box.cabinet->web[url] = "\xFF\xD8\xFF\xE0 cake";
  const std::string body = R"({"fileName":"cake.jpg","urlFile":")" + url + "\"}";
  const auto first = box.send(with_key("sendMediaStatus", body));
  ASSERT_EQ(first->status(), 200) << first->text();
  box.cabinet->web.clear();
  EXPECT_EQ(box.send(with_key("sendMediaStatus", body))->text(), first->text());
  EXPECT_EQ(box.outbox.count(), 1U);
}

/// What the contract's form of a refusal says (section 3.1).
void expect_too_large(const Answer& answer) {
  EXPECT_EQ(answer.status(), 413) << answer.text();
  EXPECT_EQ(answer.json()["statusCode"], 413);
  EXPECT_EQ(answer.json()["path"], Box::path("sendFileByUpload"));
  EXPECT_TRUE(answer.json()["timestamp"].isString());
  EXPECT_NE(answer.message().find("larger than 100 MB"), std::string::npos) << answer.text();
}

Request upload_head() {
  Request head = Box::request(Verb::post, Box::path("sendFileByUpload"));
  head.content_type = "multipart/form-data; boundary=edge";
  return head;
}

TEST(Upload, OfMoreThanAHundredMegabytesIsA413BeforeItComes) {
  Box box(0);
  box.keep_files();
  Request head = upload_head();
  head.content_length = 100'100'000;
  EXPECT_FALSE(box.api->terms(head).sink);
  expect_too_large(*box.send(std::move(head)));
}

TEST(Upload, ThatDoesNotSayHowMuchItIsIsA413AtItsEnd) {
  Box box(0);
  box.keep_files(std::uint64_t{128} << 20);
  std::size_t rooms = 0;
  Terms terms = box.api->terms(upload_head());
  ASSERT_TRUE(terms.sink);
  terms.sink->on_room([&rooms] { ++rooms; });
  const auto write = [&](std::string_view piece) {
    const std::size_t before = rooms;
    if (terms.sink->write(piece)) return;
    for (int turn = 0; turn < 1000 && rooms == before; ++turn) box.scheduler.run_posted();
  };
  write("--edge\r\nContent-Disposition: form-data; name=\"chatId\"\r\n\r\n4915550007777@c.us\r\n");
  write("--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"film.mp4\"\r\n\r\n");
  const std::string piece(std::size_t{1} << 20, 'x');
  for (int i = 0; i < 97; ++i) write(piece);
  write("\r\n--edge--\r\n");
  Answer answer;
  terms.sink->finish(
      Reply([&answer](Response response) { answer.response = std::move(response); }));
  terms.sink.reset();
  for (int turn = 0; turn < 1000; ++turn) box.scheduler.run_posted();
  expect_too_large(answer);
  EXPECT_TRUE(box.outbox.views.empty());
  EXPECT_EQ(box.cabinet->store->status().used, 0U) << "nothing of it stays";
}

}  // namespace
}  // namespace posthorn::api::test
