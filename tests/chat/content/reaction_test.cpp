#include <gtest/gtest.h>

#include "chat/content/parse.h"
#include "chat/rig.h"
#include "support/vectors.h"

namespace posthorn::chat {
namespace {

using chat_test::Rig;

Parsed reaction(const char* name, wa::Message& message) {
  const json::Value vectors = test::load_vectors("messages.json");
  for (const auto& entry : vectors["cases"]) {
    if (json::string_at(entry, "name") != name) continue;
    const auto bytes = hex_decode(json::string_at(entry, "message").value_or(""));
    EXPECT_TRUE(bytes && message.ParseFromString(to_string(*bytes)));
  }
  return parse_content(*open_wrappers(message)->message);
}

TEST(ReactionContent, NamesItsMessageAndIsEmptyWhenTakenBack) {
  wa::Message message;
  const Content given = *reaction("reaction", message).content;
  EXPECT_EQ(std::get<content::Reaction>(given.what).emoji, "\xF0\x9F\x91\x8D");
  EXPECT_EQ(given.quote->id, "3EB0AAAAAAAAAAAAAAAAAA");
  const Content taken_back = *reaction("reaction_removed", message).content;
  EXPECT_EQ(std::get<content::Reaction>(taken_back.what).emoji, "");
  const Content in_group = *reaction("reaction_in_group", message).content;
  EXPECT_EQ(in_group.quote->participant, "300000000000003@lid");
}

TEST(ReactionContent, IsToldWithTheAuthorOfItsMessage) {
  Rig rig;
  rig.introduce(rig.customer);
  for (const bool own : {false, true}) {
    wa::Message message;
    auto& reacted = *message.mutable_reactionmessage();
    reacted.mutable_key()->set_id("TARGET");
    reacted.mutable_key()->set_fromme(own);
    reacted.set_text("\xE2\x9D\xA4");
    rig.listener().on_message(rig.stanza_from(rig.customer, own ? "R2" : "R1",
                                              rig.customer.encrypt(message, rig.box_jid)));
    rig.turn();
  }
  const auto messages = rig.messages();
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].content.quote->participant, "4915550001111@c.us") << "ours";
  EXPECT_EQ(messages[1].content.quote->participant, "4915550002222@c.us") << "their own";
}

}  // namespace
}  // namespace posthorn::chat
