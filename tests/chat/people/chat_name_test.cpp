#include <gtest/gtest.h>

#include "chat/rig.h"
#include "posthorn/store/group_store.h"
#include "posthorn/store/message_store.h"
#include "posthorn/store/people_store.h"

// What notifications call a chat: senderData.chatName.
namespace posthorn::chat::chat_test {
namespace {

TEST(ChatName, IsTheSubjectElseTheContactsNameElseTheirOwn) {
  Rig rig;
  ASSERT_EQ(rig.send(rig.job("3EB0C0FFEE000000000001", "text")).kind,
            throttle::SendOutcome::Kind::sent);  // their LID is known now
  Contacts& contacts = rig.box->contacts();
  const std::string customer = rig.customer_pn.user + "@c.us";
  EXPECT_EQ(contacts.chat_name(customer), "");
  const auto messages =
      store::MessageStore::open(rig.store->database(), Wall::from_unix(1'790'000'000));
  ASSERT_TRUE(messages);
  ASSERT_TRUE((*messages)->save_push_name(to_string(rig.customer_lid), "Ida"));
  EXPECT_EQ(contacts.chat_name(customer), "Ida");
  EXPECT_EQ(contacts.contact_name(customer), "");
  const auto people = store::PeopleStore::open(rig.store->database());
  ASSERT_TRUE(people);
  ASSERT_TRUE((*people)->save_contact(to_string(rig.customer_pn), {"Ida Kern", "Ida"}));
  EXPECT_EQ(contacts.chat_name(customer), "Ida Kern");

  const std::string group = "120363000000000001@g.us";
  EXPECT_EQ(contacts.chat_name(group), "");
  const auto groups = store::GroupStore::open(rig.store->database());
  ASSERT_TRUE(groups);
  ASSERT_TRUE((*groups)->save(group, {"Staff", false, ""}));
  EXPECT_EQ(contacts.chat_name(group), "Staff");
  EXPECT_EQ(contacts.chat_name("nobody"), "");
}

}  // namespace
}  // namespace posthorn::chat::chat_test
