#include "chat/groups/stories.h"

#include <gtest/gtest.h>

#include <optional>
#include <set>

#include "chat/rig.h"
#include "posthorn/store/people_store.h"

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

using chat_test::PeerDevice;
using chat_test::Rig;
using Kind = throttle::SendOutcome::Kind;

/// The rig with two people in the owner's address book: the customer, and Ida.
struct StoryRig : Rig {
  StoryRig() {
    others = {&ida};
    const auto people = store::PeopleStore::open(store->database());
    EXPECT_TRUE(people);
    for (const char* user : {"200000000000002@lid", "300000000000003@lid"}) {
      EXPECT_TRUE((*people)->save_contact(user, {"Somebody", ""}));
    }
  }
  ~StoryRig() { box.reset(); }

  Job story(const std::string& id, std::vector<std::string> audience) const {
    Job status = job(id, "fresh bread");
    status.chat = "status@broadcast";
    status.audience = std::move(audience);
    return status;
  }
  /// The users whom the stanza names, with a copy or as holders of the key.
  std::set<std::string> told(const std::string& id, std::vector<std::string> audience = {}) {
    line.take_written();
    EXPECT_EQ(send(story(id, std::move(audience))).kind, Kind::sent);
    std::set<std::string> users;
    for (const Node& stanza : written_of("message")) {
      const Node* participants = stanza.child("participants");
      if (participants == nullptr) continue;
      for (const Node& to : participants->children()) users.insert(to.jid_attr("jid")->user);
    }
    return users;
  }
  void block_customer() {
    set_blocked({Node("item", {{"jid", customer_lid}, {"pn_jid", customer_pn}})});
  }

  PeerDevice ida{{"300000000000003", "lid", 0}, 14};
};

TEST(Stories, WhomTheOwnerHasBlockedSeesNoFurtherOnes) {
  StoryRig rig;
  EXPECT_TRUE(rig.told("3EB0C0FFEE0000000000A1").contains(rig.customer_lid.user));
  rig.block_customer();
  const auto told = rig.told("3EB0C0FFEE0000000000A2");
  EXPECT_FALSE(told.contains(rig.customer_lid.user));
  EXPECT_TRUE(told.contains(rig.ida.jid.user)) << "under a new key, which she gets";
  EXPECT_FALSE(rig.told("3EB0C0FFEE0000000000A3", {"4915550002222@c.us", "300000000000003@lid"})
                   .contains(rig.customer_lid.user));
}

TEST(Stories, ForBlockedPeopleAloneThereIsNone) {
  StoryRig rig;
  rig.block_customer();
  const auto outcome = rig.send(rig.story("3EB0C0FFEE0000000000A1", {"4915550002222@c.us"}));
  EXPECT_EQ(outcome.kind, Kind::rejected);
  EXPECT_NE(outcome.detail.find("blocked"), std::string::npos) << outcome.detail;
  EXPECT_TRUE(rig.written_of("message").empty());
}

}  // namespace
}  // namespace posthorn::chat
