#include "rescue/rescue_page.h"

#include <gtest/gtest.h>

#include "posthorn/base/json.h"

namespace posthorn::rescue {
namespace {

api::Response answer_to(const std::string& path, const std::string& reason) {
  RescuePage page(reason);
  api::Response got;
  api::Request request;
  request.path = path;
  page.handle(std::move(request), api::Reply([&](api::Response response) { got = response; }));
  return got;
}

TEST(RescuePage, ATillLearnsThatNothingWasAcceptedAndWhatToDo) {
  const auto answer = answer_to("/waInstance4100000001/sendMessage/abc", "it is not on the card");
  EXPECT_EQ(answer.status, 503);
  const auto body = json::parse(answer.body);
  ASSERT_TRUE(body);
  EXPECT_EQ(json::int_at(*body, "statusCode"), 503);
  EXPECT_NE(json::string_at(*body, "message")->find("it is not on the card"), std::string::npos);
  EXPECT_NE(json::string_at(*body, "whatToDo")->find("new-data.txt"), std::string::npos);
}

TEST(RescuePage, TheHealthCheckReadsItAsStorageThatFailed) {
  const auto answer = answer_to("/healthz", "it is not on the card");
  EXPECT_EQ(answer.status, 503);
  const auto body = json::parse(answer.body);
  ASSERT_TRUE(body);
  EXPECT_EQ(json::string_at(*body, "status"), "storageFailed");
  EXPECT_EQ(json::bool_at(*body, "storageOk"), false);
}

TEST(RescuePage, ABrowserGetsAPageWithoutMarkupFromTheReason) {
  const auto answer = answer_to("/", "<b>odd</b> & broken");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.content_type, "text/html; charset=utf-8");
  EXPECT_NE(answer.body.find("&lt;b>odd&lt;/b> &amp; broken"), std::string::npos);
}

TEST(RescuePage, NoBodyIsKept) {
  const RescuePage page("worn out");
  EXPECT_EQ(page.body_limit({}), 0U);
}

}  // namespace
}  // namespace posthorn::rescue
