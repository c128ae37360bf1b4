#include <map>
#include <set>

#include "api/notification/shown.h"
#include "support/vectors.h"

/// Every kind of notification against the shapes of tests/api/contract, which were written from the
/// API's contract and not from what the box says.
namespace posthorn::api::test {
namespace {

using Button = content::Buttons::Button;
using Form = content::Buttons::Form;

const std::string kShop = "4915550001234@c.us";
const std::string kOffer = "3EB0C0FFEE0123456796";

json::Value load_contract(const std::string& name) {
  return posthorn::test::load_vectors("../api/contract/" + name);
}

Bytes picture() { return to_bytes("jpeg"); }

content::File file(content::File::Kind kind, const std::string& mime, const std::string& name,
                   const std::string& link) {
  content::File out;
  out.kind = kind;
  out.mime = mime;
  out.name = name;
  out.link = link;
  return out;
}

content::File cake() {
  content::File out =
      file(content::File::Kind::image, "image/jpeg", "cake.jpg", "http://box.lan/files/1f0a.jpg");
  out.caption = "Like this one";
  out.thumbnail = picture();
  return out;
}

content::File oven() {
  content::File out =
      file(content::File::Kind::video, "video/mp4", "oven.mp4", "http://box.lan/files/2f0a.mp4");
  out.thumbnail = picture();
  return out;
}

content::File sticker() {
  content::File out = file(content::File::Kind::sticker, "image/webp", "thanks.webp",
                           "http://box.lan/files/5f0a.webp");
  out.animated = true;
  out.thumbnail = picture();  // of a sticker it is a PNG, for which the form has no field
  return out;
}

content::Text link() {
  content::Text out = text("See https://shop.example");
  out.preview = content::Preview{"Bakery", "Bread and cakes", "https://shop.example"};
  out.preview->thumbnail = picture();
  return out;
}

content::Location shop() { return {52.5208, 13.4094, "Shop", "Alexanderplatz 1", {}, false}; }

content::Contacts::Card card(const std::string& name) {
  return {name, "BEGIN:VCARD\nVERSION:3.0\nFN:" + name + "\nEND:VCARD"};
}

content::Contacts cards(const std::vector<std::string>& names) {
  content::Contacts out;
  for (const std::string& name : names) out.cards.push_back(card(name));
  out.list = names.size() > 1;
  return out;
}

content::Poll days() { return {"Pick a day", {"Mon", "Tue"}, false}; }

content::PollVote vote(std::vector<std::string> chosen) {
  return {"3EB0C0FFEE0123456795", days(), std::move(chosen), "4915550007777@c.us"};
}

content::Buttons buttons(Form form, std::vector<Button> some) {
  content::Buttons out;
  out.form = form;
  out.title = "Menu";
  out.body = "Come today?";
  out.footer = "Bakery";
  out.buttons = std::move(some);
  return out;
}

content::Buttons list() {
  content::Buttons out = buttons(Form::list, {});
  out.list_button = "Choose";
  out.sections = {{"Bread", {{"r1", "Rye", "1 kg"}}}};
  return out;
}

const Button kYes{Button::Kind::reply, "y", "Yes", ""};
const Button kNo{Button::Kind::reply, "n", "No", ""};
const Button kMap{Button::Kind::url, "1", "Map", "https://shop.example/map"};
const Button kCall{Button::Kind::call, "2", "Call us", "4915550009999"};
const Button kCopy{Button::Kind::copy, "3", "Copy code", "118"};

Content plain(Content::What what) {
  Content out;
  out.what = std::move(what);
  return out;
}

Content forwarded(Content::What what) {
  Content out = plain(std::move(what));
  out.forwarded = true;
  out.forwarding_score = 3;
  return out;
}

Content reply(Content::What what, Quote quote) {
  Content out = plain(std::move(what));
  out.quote = std::move(quote);
  return out;
}

Quote quoted(const std::string& id, const std::string& said) {
  Quote out;
  out.id = id;
  out.participant = kShop;
  out.text = said;
  return out;
}

Quote reserved() { return quoted("3EB0C0FFEE0123456789", "Shall I reserve it?"); }

Content yes_to(const std::string& type, std::optional<content::File> quoted_file,
               std::vector<Content> original) {
  Quote quote{"3EB0C0FFEE0123456789", kShop, "", type, std::move(quoted_file), std::move(original)};
  return reply(text("Yes please"), std::move(quote));
}

Content pressed(Form form) {
  return reply(content::Choice{form, "y", "Yes", 0}, quoted(kOffer, "Come today?"));
}

Content reaction(const std::string& emoji) {
  return reply(content::Reaction{emoji}, quoted("3EB0C0FFEE0123456789", ""));
}

/// What each name of messages.json stands for.
std::map<std::string, Content> contents() {
  using Kind = content::File::Kind;
  return {
      {"text", plain(text("Is the cake ready?"))},
      {"link", plain(link())},
      {"forwarded link", forwarded(link())},
      {"reply to a text", reply(text("Yes please"), reserved())},
      {"reply to a picture", yes_to("imageMessage", cake(), {})},
      {"reply to a place", yes_to("locationMessage", {}, {plain(shop())})},
      {"reply to a card", yes_to("contactMessage", {}, {plain(cards({"Vera"}))})},
      {"reply to cards", yes_to("contactsArrayMessage", {}, {plain(cards({"Vera", "Otto"}))})},
      {"reply to a poll", yes_to("pollMessage", {}, {plain(days())})},
      {"picture", plain(cake())},
      {"reply with a picture", reply(cake(), reserved())},
      {"video", plain(oven())},
      {"document", plain(file(Kind::document, "application/pdf", "invoice-118.pdf",
                              "http://box.lan/files/3f0a.pdf"))},
      {"voice note", plain(file(Kind::voice, "audio/ogg; codecs=opus", "voice.oga",
                                "http://box.lan/files/4f0a.oga"))},
      {"sticker", plain(sticker())},
      {"place", plain(shop())},
      {"card", plain(cards({"Vera"}))},
      {"cards", plain(cards({"Vera", "Otto"}))},
      {"reaction", reaction("\xF0\x9F\x91\x8D")},
      {"reaction taken back", reaction("")},
      {"poll", plain(days())},
      {"vote", plain(vote({"Mon"}))},
      {"vote withdrawn", plain(vote({}))},
      {"invitation",
       plain(content::GroupInvite{
           "120363000000000001@g.us", "AbCdEfGh12345678", "Staff", "Join us", 1'767'484'800, {}})},
      {"edit", plain(content::Edit{kTarget, "Two cakes, sorry"})},
      {"edit of a caption", plain(content::Edit{kTarget, "Two cakes, sorry", true})},
      {"deletion", plain(content::Deletion{kTarget})},
      {"buttons", plain(buttons(Form::buttons, {kYes, kNo}))},
      {"list", plain(list())},
      {"template", plain(buttons(Form::template_, {kMap, kCall, kYes}))},
      {"interactive buttons", plain(buttons(Form::interactive, {kMap, kCall, kCopy}))},
      {"interactive replies", plain(buttons(Form::interactive, {kYes, kNo}))},
      {"button pressed", pressed(Form::buttons)},
      {"row chosen", pressed(Form::list)},
      {"template button pressed", pressed(Form::template_)},
      {"interactive reply pressed", pressed(Form::interactive)},
  };
}

std::optional<json::Value> notification_of(char column, const Content& content) {
  Message message = incoming(text(""));
  message.content = content;
  message.from_me = column == 'O';
  if (column != 'A') return to_notification(message, everything(), kInstance);
  Job job;
  job.id = message.id;
  job.chat = message.chat;
  job.content = content;
  return build_api_message(job, everything(), kInstance, kNow);
}

TEST(Contract, EveryKindOfMessageHasItsDocumentedShape) {
  const json::Value contract = load_contract("messages.json");
  const auto known = contents();
  std::map<std::string, std::set<char>> seen;
  std::set<std::string> used;
  for (const json::Value& one : contract["messages"]) {
    const std::string name = one["name"].asString();
    const auto content = known.find(name);
    ASSERT_NE(content, known.end()) << name;
    used.insert(name);
    for (const char column : one["columns"].asString()) {
      SCOPED_TRACE(name + " in column " + column);
      json::Value wanted = contract["frames"][std::string(1, column)];
      wanted["messageData"] = one["messageData"];
      expect_json(notification_of(column, content->second), json::write(wanted));
      seen[one["messageData"]["typeMessage"].asString()].insert(column);
    }
  }
  EXPECT_EQ(used.size(), known.size()) << "a content without its shape";
  // Nothing of the contract's own table is left out.
  for (const std::string& kind : contract["kinds"].getMemberNames()) {
    for (const char column : contract["kinds"][kind].asString()) {
      EXPECT_TRUE(seen[kind].contains(column)) << kind << " in column " << column;
    }
  }
}

class ContractNotification : public ::testing::Test {
 protected:
  void expect(const std::string& name, const std::optional<json::Value>& notification) {
    expect_json(notification, json::write(contract[name]));
  }
  StatusReport report(MessageStatus status, const std::string& why) {
    return {"3EB0C0FFEE0123456789", "4915550007777@c.us", status, why, kNow, true, ""};
  }
  chat::Call call(chat::Call::Status status, bool video) {
    return {status, "4A1F00AA22BB44CC66DD", "4915550007777@c.us", video, kNow};
  }

  json::Value contract = load_contract("notifications.json");
};

TEST_F(ContractNotification, OfAStatus) {
  expect("outgoingMessageStatus",
         build_message_status(report(MessageStatus::delivered, "never told"), everything(),
                              kInstance));
  const auto failed = report(MessageStatus::failed, "SWE004: too many members");
  expect("outgoingMessageStatus failed", build_message_status(failed, everything(), kInstance));
  Settings quiet;
  quiet.outgoing_webhook = false;
  expect("outgoingMessageStatus failed", build_message_status(failed, quiet, kInstance));
}

TEST_F(ContractNotification, OfTheInstance) {
  using Value = InstanceState::Value;
  const auto changed = [](Value value, const Settings& settings) {
    return build_state_changed(value, settings, kInstance, kNow);
  };
  expect("stateInstanceChanged", changed(Value::authorized, everything()));
  expect("stateInstanceChanged notAuthorized", changed(Value::not_authorized, everything()));
  expect("stateInstanceChanged yellowCard", changed(Value::restricted, everything()));
  Settings newer = everything();
  newer.restriction_state_name = "suspended";
  expect("stateInstanceChanged suspended", changed(Value::restricted, newer));
  expect("statusInstanceChanged", to_notification(session::Event(session::Connectivity{true}),
                                                  everything(), kInstance, kNow));
}

TEST_F(ContractNotification, OfACall) {
  Settings settings = everything();
  expect("incomingCall",
         to_notification(call(chat::Call::Status::offer, true), settings, kInstance));
  settings.call_details = true;
  expect("incomingCall with details",
         to_notification(call(chat::Call::Status::declined, true), settings, kInstance));
}

TEST_F(ContractNotification, OfABlock) {
  const chat::Event blocked = chat::Blocked{"4915550007777@c.us", kNow};
  Settings settings = everything();
  EXPECT_FALSE(to_notification(blocked, settings, kInstance)) << "off unless asked for";
  settings.incoming_block_webhook = true;
  expect("incomingBlock", to_notification(blocked, settings, kInstance));
}

TEST_F(ContractNotification, OfAnAvatar) {
  const AvatarInfo info{"4915550007777@c.us", true, "http://box.lan/a.jpg", ""};
  Settings settings = everything();
  EXPECT_FALSE(build_avatar_info(info, settings, kInstance, kNow)) << "off unless asked for";
  settings.avatar_info_webhook = true;
  expect("deviceInfo", build_avatar_info(info, settings, kInstance, kNow));
  settings.call_details = true;
  expect("deviceInfo with details", build_avatar_info(info, settings, kInstance, kNow));
}

TEST_F(ContractNotification, OfAFullQueue) {
  Settings settings = everything();
  EXPECT_FALSE(build_quota_exceeded("sendMessage", 3, settings, kInstance, kNow));
  settings.quota_webhook = true;
  expect("quotaExceeded", build_quota_exceeded("sendMessage", 3, settings, kInstance, kNow));
}

}  // namespace
}  // namespace posthorn::api::test
