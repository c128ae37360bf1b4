#include <gtest/gtest.h>

#include "cloud/content/kinds.h"

namespace posthorn::cloud {
namespace {

/// What a webhook, or the official way, shows of a card that was posted.
json::Value there_and_back(const std::string& contact) {
  const auto card = parse_card(json::parse(contact).value_or(json::Value()), "contacts[0]");
  EXPECT_TRUE(card);
  return card ? contact_of_vcard(card->name, card->vcard) : json::Value();
}

TEST(Contacts, EveryFieldComesBack) {
  const std::string contact =
      R"({"name":{"formatted_name":"Dr. Ida M. Baker jr.","first_name":"Ida","middle_name":"M.",)"
      R"("last_name":"Baker; Bread","prefix":"Dr.","suffix":"jr."},)"
      R"("phones":[{"phone":"+49 1555 0007778","type":"WORK","wa_id":"4915550007778"}],)"
      R"("emails":[{"email":"ida@shop.example","type":"WORK"}],)"
      R"("urls":[{"url":"https://shop.example","type":"WORK"}],)"
      R"("org":{"company":"Cakes, Inc; Sons","department":"Bread","title":"Head"},)"
      R"("birthday":"1990-05-17","addresses":[)"
      R"({"street":"Baker Street 1; back","city":"Berlin","state":"BE","zip":"10115",)"
      R"("country":"Germany","country_code":"de","type":"WORK"},)"
      R"({"city":"Wien","type":"HOME"}]})";
  EXPECT_EQ(json::write(there_and_back(contact)),
            json::write(json::parse(contact).value_or(json::Value())));
}

TEST(Contacts, WhatACardDoesNotSayIsLeftOut) {
  const json::Value out = contact_of_vcard(
      "Ida",
      "BEGIN:VCARD\nVERSION:3.0\nN:;Ida;;;\nFN:Ida\nORG:;\nitem1.X-ABADR:de\nADR\nEND:VCARD");
  EXPECT_EQ(json::write(out),
            json::write(*json::parse(R"({"name":{"first_name":"Ida","formatted_name":"Ida"}})")));
}

}  // namespace
}  // namespace posthorn::cloud
