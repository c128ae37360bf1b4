#include "chat/groups/stories.h"

#include <gtest/gtest.h>

namespace posthorn::chat {
namespace {

using wire::Jid;
using wire::Node;

Node list(const char* type, const char* in_force, std::vector<Jid> users) {
  Node node("list", {{"type", type}, {"default", in_force}});
  std::vector<Node> children;
  for (Jid& user : users) children.push_back(Node("user", {{"jid", std::move(user)}}));
  node.content = std::move(children);
  return node;
}

Node answer(std::vector<Node> lists) {
  return Node("iq", {{"type", "result"}}, {Node("privacy", {}, std::move(lists))});
}

TEST(Stories, TheListInForceSaysWhoSeesThem) {
  const Jid ida{"4915550002222", "s.whatsapp.net", 0};
  const auto allowed = parse_story_privacy(
      answer({list("contacts", "false", {}), list("whitelist", "true", {ida})}));
  EXPECT_EQ(allowed.kind, StoryPrivacy::Kind::allowed);
  EXPECT_EQ(allowed.users, std::vector<Jid>{ida});
  const auto denied = parse_story_privacy(
      answer({list("blacklist", "true", {ida}), list("whitelist", "false", {ida})}));
  EXPECT_EQ(denied.kind, StoryPrivacy::Kind::denied);
  EXPECT_EQ(denied.users, std::vector<Jid>{ida});
  for (const Node& plain : {answer({}), answer({list("contacts", "true", {})}), Node("iq")}) {
    EXPECT_EQ(parse_story_privacy(plain).kind, StoryPrivacy::Kind::contacts);
    EXPECT_TRUE(parse_story_privacy(plain).users.empty());
  }
}

TEST(Stories, OnlyTheirOwnChatIsTheirs) {
  EXPECT_TRUE(is_story_chat(story_chat()));
  EXPECT_FALSE(is_story_chat({"120363000000000001", "g.us", 0}));
  EXPECT_FALSE(is_story_chat({"12345", "broadcast", 0}));
  EXPECT_EQ(to_string(story_chat()), "status@broadcast");
}

}  // namespace
}  // namespace posthorn::chat
