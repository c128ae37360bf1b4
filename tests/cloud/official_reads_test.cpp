#include "posthorn/cloud/official_reads.h"

#include "transport_desk.h"

namespace posthorn::cloud {
namespace {

const std::string kChat = "4915550007777@c.us";

struct Reader {
  /// How many were marked, as text, or the error.
  std::string mark(const std::string& wamid, Typing typing = Typing::no) {
    std::string out;
    reads.mark(kChat, wamid, typing, [&out](const Result<std::size_t>& marked) {
      out = marked ? std::to_string(*marked) : to_string(marked.error());
    });
    scheduler.advance(seconds(1));
    return out;
  }

  posthorn::test::FakeScheduler scheduler;
  CuttingBlobs blobs{scheduler};
  Meta meta{scheduler};
  OfficialReads reads{config_with_number(), "token", {blobs, meta}};

  static CloudConfig config_with_number() {
    CloudConfig out;
    out.phone_number_id = "106540352242922";
    return out;
  }
};

TEST(OfficialReads, TheNewestMessageIsMarkedOnceAndTypingAgain) {
  Reader reader;
  EXPECT_EQ(reader.mark(""), "0") << "nothing came";
  reader.reads.on_inbound(kChat, "wamid.2", 20);
  reader.reads.on_inbound(kChat, "wamid.1", 10);  // the relay has it late
  EXPECT_TRUE(reader.reads.has_unread(kChat));
  EXPECT_EQ(reader.mark(""), "1");
  EXPECT_FALSE(reader.reads.has_unread(kChat));
  EXPECT_EQ(reader.mark(""), "0");
  EXPECT_EQ(reader.mark("wamid.2"), "0") << "it was marked";
  EXPECT_EQ(reader.mark("", Typing::yes), "1");
  ASSERT_EQ(reader.meta.bodies.size(), 2U);
  EXPECT_EQ(json::write(reader.meta.bodies[0]),
            R"({"message_id":"wamid.2","messaging_product":"whatsapp","status":"read"})");
  EXPECT_EQ(reader.meta.bodies[1]["typing_indicator"]["type"].asString(), "text");
  EXPECT_TRUE(reader.meta.requests[0].url.ends_with("/106540352242922/messages"));
}

TEST(OfficialReads, TheSameMessageOnceMoreIsNoNewOne) {
  Reader reader;
  reader.reads.on_inbound(kChat, "wamid.1", 10);
  reader.reads.on_inbound_elsewhere(kChat, 11);
  reader.reads.on_inbound(kChat, "wamid.1", 10);
  EXPECT_FALSE(reader.reads.is_last(kChat));
}

TEST(OfficialReads, WhatMetaRefusesIsToldAndNotTakenAsRead) {
  Reader reader;
  reader.reads.on_inbound(kChat, "wamid.1", 10);
  reader.meta.answers = {refusal(400, 131009)};
  EXPECT_NE(reader.mark("").find("the official API answers 400"), std::string::npos);
  EXPECT_TRUE(reader.reads.has_unread(kChat));
  reader.meta.answers = {fail(Errc::timeout, "no answer")};
  EXPECT_NE(reader.mark("").find("was not reached"), std::string::npos);
}

TEST(OfficialReads, KnowsWhichNumberTheyWroteToLast) {
  Reader reader;
  EXPECT_FALSE(reader.reads.is_last(kChat));
  reader.reads.on_inbound(kChat, "wamid.1", 10);
  EXPECT_TRUE(reader.reads.is_last(kChat));
  reader.reads.on_inbound_elsewhere(kChat, 5);  // came while the box was off
  EXPECT_TRUE(reader.reads.is_last(kChat));
  reader.reads.on_inbound_elsewhere(kChat, 11);
  EXPECT_FALSE(reader.reads.is_last(kChat));
  EXPECT_TRUE(reader.reads.has_unread(kChat));
  reader.reads.on_inbound("DE.1a2b@bsuid", "wamid.3", 30);
  reader.reads.on_joined("DE.1a2b@bsuid", kChat);
  EXPECT_TRUE(reader.reads.is_last(kChat));
  EXPECT_EQ(reader.mark(""), "1");
  EXPECT_EQ(reader.meta.bodies.back()["message_id"].asString(), "wamid.3");
}

}  // namespace
}  // namespace posthorn::cloud
