#include <gtest/gtest.h>

#include "api/box.h"

namespace posthorn::api::test {
namespace {

const std::string kGroup = "120363000000000001@g.us";

json::Value parsed(const std::string& text) { return json::parse(text).value_or(json::Value()); }

TEST(CreateGroup, AnswersWithItsChatAndLink) {
  Box box;
  const auto answer =
      box.post("createGroup",
               R"({"groupName":"Staff","chatIds":["4915550007777@c.us","200000000000002@lid"]})");
  EXPECT_EQ(answer->json(), parsed(R"({"created":true,"chatId":"120363000000000002@g.us",
      "groupInviteLink":"https://chat.whatsapp.com/AbCd"})"));
  EXPECT_EQ(box.link.asked,
            (std::vector<std::string>{"Staff", "4915550007777@c.us", "200000000000002@lid"}));
}

TEST(CreateGroup, ARefusalIsAFalseWithItsReason) {
  Box box;
  box.link.created = chat::CreatedGroup{false, "create_group: 2 of 2 in 24 h", "", ""};
  const auto answer = box.post("createGroup", R"({"groupName":"Staff","chatIds":[]})");
  EXPECT_EQ(answer->status(), 200);
  EXPECT_FALSE(answer->json()["created"].asBool());
  EXPECT_EQ(answer->json()["reason"].asString(), "create_group: 2 of 2 in 24 h");
}

TEST(CreateGroup, SaysWhatIsWrongWithARequest) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {R"({"chatIds":[]})", "'groupName' is required"},
      {R"({"groupName":"Staff"})", "'chatIds' is required"},
      {R"({"groupName":"Staff","chatIds":"4915550007777@c.us"})", "'chatIds' must be an array"},
      {R"({"groupName":"Staff","chatIds":["120363000000000001@g.us"]})", "must be a person"},
      {R"({"groupName":")" + std::string(101, 'x') + R"(","chatIds":[]})", "100 characters"},
  };
  for (const auto& [body, words] : cases) {
    Box box;
    const auto answer = box.post("createGroup", body);
    EXPECT_EQ(answer->status(), 400) << body;
    EXPECT_NE(answer->message().find(words), std::string::npos) << answer->message();
  }
}

TEST(GetGroupData, HasEveryFieldOfTheContract) {
  Box box;
  chat::GroupData data;
  data.chat = kGroup;
  data.owner = "4915550001234@c.us";
  data.subject = "Staff";
  data.creation = data.subject_time = 1760000000;
  data.subject_owner = data.owner;
  data.participants = {{"4915550001234@c.us", "", true, true},
                       {"4915550007777@c.us", "200000000000002@lid", false, false}};
  data.invite_link = "https://chat.whatsapp.com/AbCd";
  data.size = 2;
  box.link.group = data;
  const auto answer = box.post("getGroupData", R"({"groupId":")" + kGroup + "\"}");
  EXPECT_EQ(answer->json(), parsed(R"({"groupId":"120363000000000001@g.us",
      "owner":"4915550001234@c.us","subject":"Staff","description":"","creation":1760000000,
      "participants":[{"id":"4915550001234@c.us","isAdmin":true,"isSuperAdmin":true},
      {"id":"4915550007777@c.us","lid":"200000000000002@lid","isAdmin":false,
       "isSuperAdmin":false}],
      "subjectTime":1760000000,"subjectOwner":"4915550001234@c.us",
      "groupInviteLink":"https://chat.whatsapp.com/AbCd","size":2,"ephemeralExpiration":0,
      "allowParticipantsEditGroupSettings":true,"allowParticipantsSendMessages":true,
      "allowParticipantsAddMembers":true,"isCommunity":false,"isCommunityAnnounce":false})"));
  box.scheduler.advance(seconds(2));
  box.link.group = fail(Errc::not_found, "404");
  EXPECT_EQ(box.post("getGroupData", R"({"chatId":")" + kGroup + "\"}")->message(),
            "Error: item-not-found");
}

TEST(GroupChanges, EachAnswersWithItsOwnWord) {
  const std::string member = R"("groupId":")" + kGroup + R"(","participantChatId":"4915550007777")";
  const std::vector<std::array<std::string, 3>> cases{
      {"addGroupParticipant", member, "addParticipant"},
      {"removeGroupParticipant", member, "removeParticipant"},
      {"setGroupAdmin", member, "setGroupAdmin"},
      {"removeAdmin", member, "removeAdmin"},
      {"updateGroupName", R"("groupId":")" + kGroup + R"(","groupName":"New")", "updateGroupName"},
      {"updateGroupSettings",
       R"("groupId":")" + kGroup + R"(","allowParticipantsSendMessages":false)",
       "updateGroupSettings"},
      {"leaveGroup", R"("groupId":")" + kGroup + "\"", "leaveGroup"},
  };
  for (const auto& [method, body, word] : cases) {
    Box box;
    auto answer = box.post(method, "{" + body + "}");
    EXPECT_EQ(answer->status(), 200) << answer->text();
    EXPECT_TRUE(answer->json()[word].asBool()) << answer->text();
    EXPECT_EQ(box.link.asked.front(), kGroup);
    box.scheduler.advance(seconds(2));
    box.link.changed = chat::GroupChange{false, "the account is no admin"};
    answer = box.post(method, "{" + body + "}");
    EXPECT_EQ(answer->status(), 200);
    EXPECT_FALSE(answer->json()[word].asBool());
    EXPECT_EQ(answer->json()["reason"].asString(), "the account is no admin");
    box.scheduler.advance(seconds(2));
    answer = box.post(method, R"({"groupId":"4915550007777@c.us"})");
    EXPECT_EQ(answer->status(), 400) << method;
  }
}

TEST(SetGroupPicture, TakesAFormInAnyOrder) {
  const std::string jpeg = "\xFF\xD8\xFF\xE0 picture";
  const auto form = [&](bool file_first, const std::string& picture) {
    const std::string file =
        "--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\r\n" +
        picture + "\r\n";
    const std::string group =
        "--X\r\nContent-Disposition: form-data; name=\"groupId\"\r\n\r\n" + kGroup + "\r\n";
    return (file_first ? file + group : group + file) + "--X--\r\n";
  };
  for (const bool file_first : {true, false}) {
    Box box;
    Request request =
        Box::request(Verb::post, Box::path("setGroupPicture"), form(file_first, jpeg));
    request.content_type = "multipart/form-data; boundary=X";
    const auto answer = box.send(std::move(request));
    EXPECT_TRUE(answer->json()["setGroupPicture"].asBool()) << answer->text();
    EXPECT_EQ(box.link.asked, (std::vector<std::string>{kGroup, std::to_string(jpeg.size())}));
  }
  Box box;
  Request request = Box::request(Verb::post, Box::path("setGroupPicture"), form(true, "\x89PNG"));
  request.content_type = "multipart/form-data; boundary=X";
  EXPECT_NE(box.send(std::move(request))->message().find("must be a JPEG"), std::string::npos);
}

}  // namespace
}  // namespace posthorn::api::test
