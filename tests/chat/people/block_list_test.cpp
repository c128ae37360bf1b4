#include <gtest/gtest.h>

#include "chat/rig.h"

namespace posthorn::chat::chat_test {
namespace {

using wire::Node;
using Kind = throttle::SendOutcome::Kind;

constexpr const char* kId = "3EB0C0FFEE0000000000AA";

/// The server's list from now on, as an account_sync says that it has changed.
void set_list(Rig& rig, std::vector<Node> items) {
  rig.line.answer = [&rig, items](const Node& iq) -> Result<Node> {
    if (iq.text_attr("xmlns") != "blocklist") return rig.answer(iq);
    return Node("iq", {{"type", "result"}}, {Node("list", {{"dhash", "d"}}, items)});
  };
  rig.listener().on_notification(
      Node("notification", {{"type", "account_sync"}, {"from", rig.line.self.pn}, {"id", "N1"}},
           {Node("blocklist", {{"dhash", "d"}})}),
      [] {});
  rig.turn();
  rig.turn();
}

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
    set_list(rig, {Node("item", {{"jid", name}})});
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
  set_list(rig, {Node("item", {{"jid", rig.customer_lid}, {"pn_jid", rig.customer_pn}})});
  ASSERT_EQ(rig.send(rig.job(kId, "one")).kind, Kind::rejected);
  set_list(rig, {});
  EXPECT_EQ(rig.send(rig.job(kId, "two")).kind, Kind::sent);
  EXPECT_FALSE(shown_as_blocked(rig, rig.job(kId, "").chat));
}

TEST(BlockList, AnotherAccountHasAnotherList) {
  Rig rig;
  set_list(rig, {Node("item", {{"jid", rig.customer_lid}, {"pn_jid", rig.customer_pn}})});
  rig.listener().on_logged_out();
  EXPECT_EQ(rig.send(rig.job(kId, "one")).kind, Kind::sent);
}

TEST(BlockList, AnEndlessListCostsNoMemory) {
  Rig rig;
  std::vector<Node> items{Node("item", {{"jid", rig.customer_lid}, {"pn_jid", rig.customer_pn}})};
  for (int i = 0; i < 30'000; ++i) {
    items.push_back(Node("item", {{"jid", wire::Jid{std::to_string(3'000'000 + i), "lid", 0}}}));
  }
  set_list(rig, std::move(items));
  EXPECT_EQ(rig.send(rig.job(kId, "one")).kind, Kind::rejected);
  EXPECT_TRUE(shown_as_blocked(rig, "3000000@lid"));
  EXPECT_FALSE(shown_as_blocked(rig, "3029999@lid")) << "beyond ten thousand nothing is kept";
}

}  // namespace
}  // namespace posthorn::chat::chat_test
