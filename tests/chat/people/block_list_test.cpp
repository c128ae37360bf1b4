#include <gtest/gtest.h>

#include "chat/rig.h"

namespace posthorn::chat::chat_test {
namespace {

using wire::Node;
using Kind = throttle::SendOutcome::Kind;

constexpr const char* kId = "3EB0C0FFEE0000000000AA";

bool shown_as_blocked(Rig& rig, const std::string& chat) {
  std::optional<bool> blocked;
  rig.box->contacts().details(chat, [&](Result<ChatDetails> details) {
    ASSERT_TRUE(details);
    blocked = details->blocked;
  });
  // Picture, business, about: one question after the other.
  for (int questions = 0; questions < 4 && !blocked; ++questions) rig.turn();
  return blocked.value_or(false);
}

TEST(BlockList, NothingGoesToWhomTheOwnerHasBlocked) {
  Rig rig;
  ASSERT_EQ(rig.send(rig.job(kId, "one")).kind, Kind::sent);
  for (const auto& name : {rig.customer_lid, rig.customer_pn}) {
    rig.set_blocked({Node("item", {{"jid", name}})});
    rig.line.take_written();
    const auto outcome = rig.send(rig.job("3EB0C0FFEE0000000000AB", "two"));
    EXPECT_EQ(outcome.kind, Kind::rejected);
    EXPECT_EQ(outcome.code, 0) << "WhatsApp has said nothing";
    EXPECT_NE(outcome.detail.find("unblock"), std::string::npos) << outcome.detail;
    EXPECT_TRUE(rig.written_of("message").empty());
    EXPECT_TRUE(shown_as_blocked(rig, rig.job(kId, "").chat));
  }
}

TEST(BlockList, TheUnblockedIsWrittenToAgain) {
  Rig rig;
  rig.set_blocked({Node("item", {{"jid", rig.customer_lid}, {"pn_jid", rig.customer_pn}})});
  ASSERT_EQ(rig.send(rig.job(kId, "one")).kind, Kind::rejected);
  rig.set_blocked({});
  EXPECT_EQ(rig.send(rig.job(kId, "two")).kind, Kind::sent);
  EXPECT_FALSE(shown_as_blocked(rig, rig.job(kId, "").chat));
}

TEST(BlockList, WhoIsNewInItIsTold) {
  Rig rig;
  const Node ida("item", {{"jid", wire::Jid{"300000000000003", "lid", 0}}});
  const Node customer("item", {{"jid", rig.customer_lid}, {"pn_jid", rig.customer_pn}});
  const auto told = [&] {
    std::vector<std::string> chats;
    for (const Event& event : std::exchange(rig.line.events, {})) {
      if (const auto* blocked = std::get_if<Blocked>(&event)) chats.push_back(blocked->chat);
    }
    return chats;
  };
  using Chats = std::vector<std::string>;
  rig.set_blocked({ida});
  EXPECT_EQ(told(), Chats{"300000000000003@lid"});
  rig.restart();
  rig.set_blocked({ida});
  EXPECT_EQ(told(), Chats{}) << "blocked at some time before";
  rig.set_blocked({ida, customer});
  EXPECT_EQ(told(), Chats{rig.customer_pn.user + "@c.us"}) << "once, by the number";
  rig.set_blocked({Node("item", {{"jid", rig.customer_pn}}), ida});
  EXPECT_EQ(told(), Chats{}) << "under another name the same person";
  rig.set_blocked({ida});
  rig.set_blocked({customer, ida});
  EXPECT_EQ(told(), Chats{rig.customer_pn.user + "@c.us"}) << "once more";
  rig.listener().on_logged_out();
  rig.set_blocked({customer});
  EXPECT_EQ(told(), Chats{}) << "another account's first list";
}

TEST(BlockList, AnotherAccountHasAnotherList) {
  Rig rig;
  rig.set_blocked({Node("item", {{"jid", rig.customer_lid}, {"pn_jid", rig.customer_pn}})});
  rig.listener().on_logged_out();
  EXPECT_EQ(rig.send(rig.job(kId, "one")).kind, Kind::sent);
}

TEST(BlockList, AnEndlessListCostsNoMemory) {
  Rig rig;
  std::vector<Node> items{Node("item", {{"jid", rig.customer_lid}, {"pn_jid", rig.customer_pn}})};
  for (int i = 0; i < 30'000; ++i) {
    items.push_back(Node("item", {{"jid", wire::Jid{std::to_string(3'000'000 + i), "lid", 0}}}));
  }
  rig.set_blocked(std::move(items));
  EXPECT_EQ(rig.send(rig.job(kId, "one")).kind, Kind::rejected);
  EXPECT_TRUE(shown_as_blocked(rig, "3000000@lid"));
  EXPECT_FALSE(shown_as_blocked(rig, "3029999@lid")) << "beyond ten thousand nothing is kept";
}

}  // namespace
}  // namespace posthorn::chat::chat_test
