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

}  // namespace
}  // namespace posthorn::api::test
