#include <gtest/gtest.h>

#include "chat/rig.h"

namespace posthorn::chat {
namespace {

using chat_test::Rig;
using wire::Node;
using Status = Call::Status;

Node call(const char* tag, std::vector<wire::Attr> extra = {}, bool video = false) {
  Node what(tag, {{"call-id", "4A1F00AA22BB44CC66DD"}});
  what.set_attr("call-creator", wire::Jid{"200000000000002", "lid", 0});
  what.set_attr("caller_pn", wire::Jid{"4915550002222", "s.whatsapp.net", 0});
  for (wire::Attr& attr : extra) what.attrs.push_back(std::move(attr));
  if (video) what.content = std::vector{Node("audio"), Node("video")};
  Node stanza("call", {{"id", "C1"}, {"t", "1790000300"}}, std::vector{std::move(what)});
  stanza.set_attr("from", wire::Jid{"200000000000002", "lid", 0});
  return stanza;
}

struct Phone {
  Rig rig;
  int answered = 0;

  void hear(Node stanza) {
    rig.listener().on_call(std::move(stanza), [this] { ++answered; });
    rig.turn();
  }
  [[nodiscard]] std::vector<Call> told() const {
    std::vector<Call> calls;
    for (const Event& event : rig.line.events) {
      if (const auto* one = std::get_if<Call>(&event)) calls.push_back(*one);
    }
    return calls;
  }
  [[nodiscard]] std::vector<Status> steps() const {
    std::vector<Status> steps;
    for (const Call& one : told()) steps.push_back(one.status);
    return steps;
  }
};

using Steps = std::vector<Status>;

TEST(Calls, EachStepIsToldOnce) {
  Phone phone;
  phone.hear(call("offer", {}, true));
  phone.hear(call("offer", {}, true));
  phone.hear(call("preaccept"));
  phone.hear(call("transport"));
  phone.hear(call("terminate", {{"reason", "timeout"}}));
  phone.hear(call("terminate", {{"reason", "timeout"}}));
  EXPECT_EQ(phone.steps(), (Steps{Status::offer, Status::hung_up}));
  const Call first = phone.told()[0];
  EXPECT_EQ(first.id, "4A1F00AA22BB44CC66DD");
  EXPECT_EQ(first.chat, "4915550002222@c.us");
  EXPECT_TRUE(first.video);
  EXPECT_EQ(first.timestamp.unix_seconds(), 1'790'000'300);
  EXPECT_EQ(phone.answered, 6) << "the server says again what is not answered";
}

TEST(Calls, TheyAreTakenAndDeclinedElsewhere) {
  Phone taken;
  taken.hear(call("offer"));
  taken.hear(call("terminate", {{"reason", "accepted_elsewhere"}}));
  taken.hear(call("terminate"));
  EXPECT_EQ(taken.steps(), (Steps{Status::offer, Status::pick_up, Status::hung_up}));
  Phone declined;
  declined.hear(call("offer_notice", {{"media", "video"}}));
  declined.hear(call("terminate", {{"reason", "rejected_elsewhere"}}));
  declined.hear(call("terminate"));
  EXPECT_EQ(declined.steps(), (Steps{Status::offer, Status::declined}));
  EXPECT_TRUE(declined.told()[0].video);
}

TEST(Calls, OutOfTheBacklogTheyAreMissedAndNotRejected) {
  Phone phone;
  phone.rig.box->calls().reject_incoming(true);
  Node offer = call("offer");
  offer.set_attr("offline", "1");
  phone.hear(offer);
  phone.hear(call("terminate"));
  EXPECT_EQ(phone.steps(), Steps{Status::missed});
  EXPECT_TRUE(phone.rig.written_of("call").empty());
}

TEST(Calls, TheyAreRejectedWhenTheShopWantsIt) {
  Phone phone;
  phone.rig.box->calls().reject_incoming(true);
  phone.hear(call("offer"));
  EXPECT_EQ(phone.steps(), (Steps{Status::offer, Status::declined}));
  const auto written = phone.rig.written_of("call");
  ASSERT_EQ(written.size(), 1U);
  EXPECT_EQ(written[0].jid_attr("to"), phone.rig.customer.jid);
  EXPECT_EQ(written[0].jid_attr("from"), phone.rig.line.self.pn.bare());
  const Node* reject = written[0].child("reject");
  ASSERT_NE(reject, nullptr);
  EXPECT_EQ(reject->text_attr("call-id"), "4A1F00AA22BB44CC66DD");
  EXPECT_EQ(reject->jid_attr("call-creator"), phone.rig.customer.jid);
  EXPECT_EQ(reject->text_attr("count"), "0");
  phone.hear(call("terminate", {{"reason", "rejected_elsewhere"}}));
  EXPECT_EQ(phone.told().size(), 2U);
}

TEST(Calls, WhatMakesNoSenseIsAnsweredAndMeansNothing) {
  Phone phone;
  phone.hear(Node("call", {{"id", "C1"}}));
  Node empty("call", {{"id", "C2"}});
  empty.set_attr("from", phone.rig.customer.jid);
  phone.hear(empty);
  Node nameless = call("offer");
  nameless.mutable_children()[0].set_attr("call-id", std::string(500, 'x'));
  phone.hear(nameless);
  Node own = call("offer");
  own.mutable_children()[0].set_attr("call-creator", phone.rig.phone.jid);
  phone.hear(own);
  EXPECT_TRUE(phone.told().empty());
  EXPECT_EQ(phone.answered, 4);
}

}  // namespace
}  // namespace posthorn::chat
