// Files as release 0.1.0 wrote them (release-0.1.0/), read by today's program. Its box was linked
// in the simulator: Ida (…002) asked, was answered and thanked; messages to Otto (…003) wait in the
// outbox. They are that release's own work and never made anew by a later one.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "chat/content/parse.h"
#include "posthorn/base/job.h"
#include "posthorn/base/json.h"
#include "posthorn/queue/ring_file.h"
#include "posthorn/store/message_store.h"
#include "posthorn/store/store.h"
#include "support/fakes.h"
#include "support/folder.h"
#include "support/mem_disk.h"
#include "support/vectors.h"

namespace posthorn {
namespace {

constexpr const char* kOtto = "5500000000003@c.us";
constexpr const char* kIdaLid = "224072038264864@lid";

std::string fixture(const std::string& name) {
  return test::source_path("tests/versions/release-0.1.0/" + name);
}

class LandedRelease : public testing::Test {
 protected:
  /// The payloads that wait in that ring.
  std::vector<std::string> waiting(const std::string& name, queue::WhenFull when_full) {
    std::ifstream file(fixture(name), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)),
                            std::istreambuf_iterator<char>());
    disk.put(name, to_bytes(bytes));
    queue::RingFile::Options options;
    options.path = name;
    options.bytes = bytes.size();
    options.when_full = when_full;
    auto ring = queue::RingFile::open(disk, scheduler, worker, random, options);
    std::vector<std::string> out;
    if (!ring) {
      ADD_FAILURE() << to_string(ring.error());
      return out;
    }
    EXPECT_TRUE((*ring)->recovery().set_aside.empty());
    const auto read = (*ring)->for_each_pending([&](const queue::Entry&, ByteView payload) {
      out.push_back(std::string(as_text(payload)));
    });
    EXPECT_TRUE(read);
    return out;
  }

  test::FakeScheduler scheduler;
  test::InlineWorker worker{scheduler};
  test::SeededRandom random;
  test::MemDisk disk;
};

TEST_F(LandedRelease, ItsWaitingJobsAreSentAndWrittenTheSameWayAgain) {
  const auto records = waiting("outbox.ring", queue::WhenFull::refuse);
  ASSERT_FALSE(records.empty());
  std::vector<Job> jobs;
  for (const std::string& record : records) {
    const auto job = decode_job(as_bytes(record));
    ASSERT_TRUE(job) << record;
    // To the byte: so that release reads the jobs of this one when an update is undone.
    EXPECT_EQ(as_text(encode_job(*job)), record);
    jobs.push_back(*job);
  }
  const auto job_with = [&](const char* id) -> const Job& {
    return *std::find_if(jobs.begin(), jobs.end(), [&](const Job& job) { return job.id == id; });
  };
  const Job& link = job_with("3EB078BBF8582EF369D6D7");
  EXPECT_EQ(link.chat, kOtto);
  EXPECT_EQ(link.content, (Content{content::Text{"See https://shop.example", false, {}}, {}}));
  EXPECT_TRUE(link.urgent);
  EXPECT_EQ(link.consent, "form");
  const Job& reply = job_with("3EB0ED9DE1F914FA57BE4E");
  EXPECT_EQ(readable_text(reply.content), "As asked");
  ASSERT_TRUE(reply.content.quote);
  EXPECT_EQ(reply.content.quote->id, "3EB0AA11BB22CC33DD45");
  EXPECT_EQ(reply.typing, seconds(3));
}

TEST_F(LandedRelease, ItsNotificationsWaitForTheTill) {
  std::vector<std::string> texts;
  for (const std::string& body : waiting("inbox.ring", queue::WhenFull::drop_oldest)) {
    const auto read = json::parse(body);
    ASSERT_TRUE(read) << body;
    if (json::string_at(*read, "typeWebhook") != "incomingMessageReceived") continue;
    texts.push_back((*read)["messageData"]["textMessageData"]["textMessage"].asString());
  }
  EXPECT_EQ(texts, (std::vector<std::string>{"Is the cake ready?", "Thanks \xF0\x9F\x91\x8D"}));
}

TEST_F(LandedRelease, ItsDatabaseKeepsItsMessagesAndTheyMeanTheSame) {
  const test::Folder folder;
  std::filesystem::copy_file(fixture("posthorn.db"), folder.at("posthorn.db"));
  auto opened = store::Store::open(folder.at("posthorn.db"), worker);
  ASSERT_TRUE(opened) << to_string(opened.error());
  EXPECT_TRUE(opened->set_aside.empty());
  auto messages =
      store::MessageStore::open(opened->store->database(), Wall::from_unix(1'789'981'600));
  ASSERT_TRUE(messages);

  const auto parsed = [](const Bytes& stored) {
    wa::Message message;
    EXPECT_TRUE(message.ParseFromArray(stored.data(), static_cast<int>(stored.size())));
    return chat::parse_content(message).content.value_or(Content{});
  };
  const auto asked = (*messages)->received(kIdaLid, "3EB0AA11BB22CC33DD44");
  ASSERT_TRUE(asked && *asked);
  EXPECT_EQ(readable_text(parsed((*asked)->message)), "Is the cake ready?");
  EXPECT_TRUE((*asked)->unread);
  const auto answered = (*messages)->sent("3EB01D7AD6D453278F0ADB");
  ASSERT_TRUE(answered && *answered);
  EXPECT_EQ((*answered)->status, store::MessageStore::Sent::Status::delivered);
  const Content answer = parsed((*answered)->message);
  EXPECT_EQ(readable_text(answer), "Yes, come by");
  ASSERT_TRUE(answer.quote);
  EXPECT_EQ(answer.quote->id, "3EB0AA11BB22CC33DD44");
  EXPECT_EQ(answer.quote->text, "Is the cake ready?");
}

}  // namespace
}  // namespace posthorn
