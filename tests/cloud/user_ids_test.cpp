#include "posthorn/cloud/user_ids.h"

#include <gtest/gtest.h>

#include "posthorn/api/chat_id.h"
#include "posthorn/base/user_id.h"
#include "posthorn/cloud/hearing.h"
#include "support/fakes.h"

namespace posthorn::cloud {
namespace {

struct People : testing::Test {
  posthorn::test::FakeScheduler scheduler;
  posthorn::test::MemoryBlobStore blobs{scheduler};
  std::vector<std::string> joined;
  UserIds ids{blobs, [this](const std::string& from, const std::string& into) {
                joined.push_back(from + " > " + into);
              }};
};

TEST(UserId, CountryDotLettersAndDigits) {
  for (const char* good : {"DE.1a2b", "US.X", "DE.ENT.9f"}) EXPECT_TRUE(is_user_id(good)) << good;
  for (const char* bad :
       {"", "DE.", "de.1a", "DE1a", "DE.1-a", "DE.ENT.", "4915550007777", "D.1a"}) {
    EXPECT_FALSE(is_user_id(bad)) << bad;
  }
  EXPECT_TRUE(is_user_id("DE." + std::string(128, 'x')));
  EXPECT_FALSE(is_user_id("DE." + std::string(129, 'x')));
}

TEST(UserId, IsAChatIdAsItIsWritten) {
  EXPECT_EQ(api::parse_chat_id("DE.1a2B@BSUID").value_or(""), "DE.1a2B@bsuid");
  EXPECT_FALSE(api::parse_chat_id("4915550007777@bsuid"));
  EXPECT_EQ(user_id_in("DE.1a2B@bsuid"), "DE.1a2B");
  EXPECT_EQ(user_id_in("4915550007777@c.us"), "");
}

TEST_F(People, OneNameWhicheverComes) {
  EXPECT_EQ(ids.learn("DE.1a", "4915550007777@c.us"), "4915550007777@c.us");
  EXPECT_EQ(ids.learn("DE.1a", ""), "4915550007777@c.us");
  EXPECT_EQ(ids.learn("", "4915550007777@c.us"), "4915550007777@c.us");
  EXPECT_EQ(ids.learn("", ""), "");
  EXPECT_EQ(UserIds(blobs, {}).learn("DE.1a", ""), "4915550007777@c.us") << "after a restart";
  EXPECT_TRUE(joined.empty());
}

TEST_F(People, WhoWasKnownByIdIsJoinedWithTheNumber) {
  EXPECT_EQ(ids.learn("DE.1a", ""), "DE.1a@bsuid");
  EXPECT_EQ(ids.newest("DE.1a@bsuid"), "DE.1a@bsuid");
  EXPECT_EQ(ids.kept_as("DE.1a@bsuid"), "DE.1a@bsuid");
  EXPECT_EQ(ids.learn("DE.1a", "4915550007777@c.us"), "4915550007777@c.us");
  EXPECT_EQ(joined, std::vector<std::string>{"DE.1a@bsuid > 4915550007777@c.us"});
  EXPECT_EQ(ids.newest("DE.1a@bsuid"), "4915550007777@c.us");
  EXPECT_EQ(ids.kept_as("DE.1a@bsuid"), "4915550007777@c.us");
  EXPECT_EQ(ids.kept_as("4915550007777@c.us"), "4915550007777@c.us");
}

TEST_F(People, ANewIdIsTheSamePerson) {
  ids.learn("DE.1a", "");
  ids.replaced("DE.1a", "DE.2b");
  EXPECT_EQ(ids.learn("DE.2b", ""), "DE.1a@bsuid");
  EXPECT_EQ(ids.newest("DE.1a@bsuid"), "DE.2b@bsuid");
  ids.learn("DE.9z", "4915550007777@c.us");
  ids.replaced("DE.9z", "DE.8y");
  EXPECT_EQ(ids.learn("DE.8y", ""), "4915550007777@c.us");
  EXPECT_EQ(ids.kept_as("DE.9z@bsuid"), "4915550007777@c.us");
  EXPECT_EQ(ids.kept_as("DE.7x@bsuid"), "DE.7x@bsuid") << "whom nobody has heard of";
}

TEST_F(People, ManyNamesOfOnePersonLeadToOne) {
  ids.learn("DE.1a", "");
  ids.replaced("DE.1a", "DE.2b");
  ids.replaced("DE.2b", "DE.3c");
  for (const char* name : {"DE.1a@bsuid", "DE.2b@bsuid", "DE.3c@bsuid"}) {
    EXPECT_EQ(ids.kept_as(name), "DE.1a@bsuid") << name;
    EXPECT_EQ(ids.newest(name), "DE.3c@bsuid") << name;
  }
  ids.learn("DE.3c", "4915550007777@c.us");
  for (const char* name : {"DE.1a@bsuid", "DE.2b@bsuid", "DE.3c@bsuid"}) {
    EXPECT_EQ(ids.kept_as(name), "4915550007777@c.us") << name;
    EXPECT_EQ(ids.newest(name), "4915550007777@c.us") << name;
  }
  EXPECT_EQ(ids.learn("DE.1a", ""), "4915550007777@c.us");
}

std::string webhook(const std::string& field, const std::string& value) {
  return R"({"entry":[{"changes":[{"field":")" + field + R"(","value":{)" + value + "}}]}]}";
}

TEST(Hearing, ReadsPeopleWithoutANumber) {
  const auto heard = parse_webhook(
      webhook(
          "messages",
          R"("contacts":[{"profile":{"name":"Other"},"wa_id":"491555000"},)"
          R"({"profile":{"name":"Ida"},"user_id":"DE.1a"}],"messages":[{"from_user_id":"DE.1a",)"
          R"("id":"wamid.A","timestamp":"1","type":"text","text":{"body":"hi"}},)"
          R"({"from_user_id":"not one","id":"wamid.B","timestamp":"1","type":"text"}],)"
          R"("statuses":[{"id":"wamid.C","status":"sent","recipient_user_id":"DE.1a"}])"),
      "1");
  ASSERT_TRUE(heard);
  ASSERT_EQ(heard->messages.size(), 1U);
  EXPECT_EQ(heard->messages[0].user_id, "DE.1a");
  EXPECT_EQ(heard->messages[0].message.chat, "");
  EXPECT_EQ(heard->messages[0].message.sender_name, "Ida") << "not by its place in the list";
  EXPECT_EQ(heard->statuses[0].user_id, "DE.1a");
}

TEST(Hearing, ReadsANewUserId) {
  const auto heard = parse_webhook(
      webhook(
          "messages",
          R"("messages":[{"from_user_id":"DE.2b","id":"wamid.A","timestamp":"1","type":"system",)"
          R"("system":{"type":"user_changed_user_id","previous_user_id":"DE.1a"}}])"),
      "1");
  ASSERT_TRUE(heard);
  ASSERT_EQ(heard->changes.size(), 1U);
  EXPECT_EQ(heard->changes[0].old_id, "DE.1a");
  EXPECT_EQ(heard->changes[0].new_id, "DE.2b");
  EXPECT_TRUE(heard->messages.empty()) << "Meta says it, not the customer: it opens no window";
}

TEST(Hearing, ReadsWhatWasTypedOnThePhone) {
  const auto heard = parse_webhook(
      webhook(
          "smb_message_echoes",
          R"("message_echoes":[{"from":"4915550009999","to":"4915550007777","id":"wamid.A",)"
          R"("timestamp":"1","type":"text","text":{"body":"hi"}},{"to":"4915550007777",)"
          R"("id":"wamid.B","type":"revoke","revoke":{"original_message_id":"wamid.A"}},)"
          R"({"to":"4915550007777","id":"wamid.C","type":"edit","edit":{)"
          R"("original_message_id":"wamid.A","message":{"type":"text","text":{"body":"ho"}}}}])"),
      "1");
  ASSERT_TRUE(heard);
  ASSERT_EQ(heard->messages.size(), 3U);
  EXPECT_TRUE(heard->messages[0].message.from_me);
  EXPECT_EQ(heard->messages[0].message.chat, "4915550007777@c.us");
  EXPECT_EQ(std::get<content::Deletion>(heard->messages[1].message.content.what).target_id,
            "wamid.A");
  EXPECT_EQ(std::get<content::Edit>(heard->messages[2].message.content.what).text, "ho");
  EXPECT_TRUE(heard->account.empty());
}

}  // namespace
}  // namespace posthorn::cloud
