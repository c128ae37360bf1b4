#include <gtest/gtest.h>

#include "box.h"

// The methods beside sendMessage: what each makes of its body, and what it refuses in which words.
namespace posthorn::api::test {
namespace {

const std::string kChat = R"("chatId":"4915550007777@c.us")";
const std::string kEarlier = "3EB0A1B2C3D4E5F60718";

std::string body(const std::string& members) { return "{" + kChat + "," + members + "}"; }

/// Posts; the one job that it made.
Job job_of(Box& box, const std::string& method, const std::string& members) {
  const auto answer = box.post(method, body(members));
  EXPECT_EQ(answer->status(), 200) << answer->text();
  EXPECT_EQ(box.outbox.views.size(), 1U);
  return box.outbox.views.empty() ? Job() : box.outbox.views.back().job;
}

struct Refusal {
  const char* method;
  const char* members;
  const char* why;  ///< behind "Validation failed. Details: "
};

void expect_refused(const std::vector<Refusal>& refusals) {
  for (const Refusal& one : refusals) {
    Box box;
    const auto answer = box.post(one.method, body(one.members));
    EXPECT_EQ(answer->status(), 400) << one.members;
    EXPECT_EQ(answer->message(), std::string("Validation failed. Details: ") + one.why)
        << one.members;
    EXPECT_TRUE(box.outbox.views.empty());
  }
}

json::Value queued(Box& box) { return box.get("showMessagesQueue")->json()[0]; }

TEST(SendLocation, MakesAPlace) {
  Box box;
  const Job job = job_of(
      box, "sendLocation",
      R"("latitude":52.5208,"longitude":"13.4094","nameLocation":"Shop","address":"Alexanderplatz 1","quotedMessageId":"3EB0A1B2C3D4E5F60718")");
  EXPECT_EQ(std::get<content::Location>(job.content.what),
            (content::Location{52.5208, 13.4094, "Shop", "Alexanderplatz 1", {}, false}));
  EXPECT_EQ(job.content.quote->id, kEarlier);
  EXPECT_EQ(queued(box)["type"].asString(), "sendLocation");
  EXPECT_EQ(queued(box)["body"]["longitude"].asString(), "13.4094") << "as it was posted";
  expect_refused(
      {{"sendLocation", R"("latitude":1)", "'longitude' is required"},
       {"sendLocation", R"("latitude":"here","longitude":1)", "'latitude' must be a number"},
       {"sendLocation", R"("latitude":91,"longitude":1)", "'latitude' must be between -90 and 90"},
       {"sendLocation", R"("latitude":1,"longitude":-180.5)",
        "'longitude' must be between -180 and 180"}});
}

TEST(SendContact, MakesACardToTapOn) {
  Box box;
  const Job job = job_of(
      box, "sendContact",
      R"("contact":{"phoneContact":4915550009999,"firstName":"Vera","lastName":"Roth; Söhne","company":"Bakery"})");
  const auto& contact = std::get<content::Contacts>(job.content.what);
  ASSERT_EQ(contact.cards.size(), 1U);
  EXPECT_EQ(contact.cards[0].name, "Vera Roth; Söhne");
  EXPECT_EQ(contact.cards[0].vcard,
            "BEGIN:VCARD\nVERSION:3.0\nN:Roth\\; Söhne;Vera;;;\nFN:Vera Roth\\; Söhne\nORG:Bakery\n"
            "TEL;type=CELL;type=VOICE;waid=4915550009999:+4915550009999\nEND:VCARD");
  EXPECT_FALSE(contact.list);
  EXPECT_EQ(queued(box)["body"]["contact"]["firstName"].asString(), "Vera");
  expect_refused(
      {{"sendContact", R"("message":"x")", "'contact' is required"},
       {"sendContact", R"("contact":"Vera")", "'contact' must be of type object"},
       {"sendContact", R"("contact":{"firstName":"Vera"})", "'phoneContact' is required"},
       {"sendContact", R"("contact":{"phoneContact":4915550009999})",
        "'contact' must have at least one of firstName, middleName, lastName and company"}});
}

TEST(SendPoll, MakesAPoll) {
  Box box;
  const Job job = job_of(
      box, "sendPoll",
      R"("message":"Pick a day","options":[{"optionName":"Mon"},{"optionName":"Tue"}],"multipleAnswers":true)");
  EXPECT_EQ(std::get<content::Poll>(job.content.what),
            (content::Poll{"Pick a day", {"Mon", "Tue"}, true}));
  EXPECT_EQ(queued(box)["type"].asString(), "sendPoll");
  EXPECT_EQ(queued(box)["body"]["message"].asString(), "Pick a day");
  EXPECT_EQ(queued(box)["body"]["options"].size(), 2U);
  expect_refused(
      {{"sendPoll", R"("message":"?")", "'options' is required"},
       {"sendPoll", R"("message":"?","options":[{"optionName":"Mon"}])",
        "'options' must contain 2 to 12 items"},
       {"sendPoll", R"("message":"?","options":[{"optionName":"Mon"},{"optionName":"Mon"}])",
        "'options' contains a duplicate value"},
       {"sendPoll", R"("message":"?","options":["Mon","Tue"])",
        "'options' must be an array of objects"},
       {"sendPoll", R"("options":[{"optionName":"Mon"},{"optionName":"Tue"}])",
        "'message' is required"}});
}

TEST(SendInteractiveButtons, BecomesNumberedLines) {
  Box box;
  const Job job = job_of(
      box, "sendInteractiveButtons",
      R"("header":"Order 118","body":"Ready for pick-up","footer":"Bakery","buttons":[{"type":"url","buttonId":"1","buttonText":"Map","url":"https://shop.example/map"},{"type":"call","buttonId":"2","buttonText":"Call us","phoneNumber":"4915550009999"},{"type":"copy","buttonId":"3","buttonText":"Copy code","copyCode":"118"}])");
  EXPECT_EQ(readable_text(job.content),
            "*Order 118*\n\nReady for pick-up\n\n1. Map: https://shop.example/map\n"
            "2. Call us: +4915550009999\n3. Copy code: 118\n\n_Bakery_");
  const json::Value item = queued(box);
  EXPECT_EQ(item["type"].asString(), "sendInteractiveButtons");
  EXPECT_EQ(item["body"]["buttons"].size(), 3U) << "as it was posted";
  Box replies;
  EXPECT_EQ(
      readable_text(
          job_of(
              replies, "sendInteractiveButtonsReply",
              R"("body":"Come today?","buttons":[{"buttonId":"y","buttonText":"Yes"},{"buttonId":"n","buttonText":"No"}])")
              .content),
      "Come today?\n\n1. Yes\n2. No");
}

TEST(SendInteractiveButtons, RefusesWhatNobodyCouldPress) {
  expect_refused(
      {{"sendInteractiveButtons", R"("body":"x")", "'buttons' is required"},
       {"sendInteractiveButtons", R"("body":"x","buttons":[])",
        "'buttons' must contain 1 to 3 items"},
       {"sendInteractiveButtons", R"("body":"x","buttons":[{"buttonId":"1","buttonText":"a"}])",
        "'type' is required"},
       {"sendInteractiveButtons",
        R"("body":"x","buttons":[{"type":"url","buttonId":"1","buttonText":"a","url":"shop"}])",
        "'url' must be a valid uri with a scheme matching the http|https pattern"},
       {"sendInteractiveButtonsReply",
        R"("body":"x","buttons":[{"buttonId":"1","buttonText":"a"},{"buttonId":"1","buttonText":"b"}])",
        "'buttons' must have a buttonId of its own in each item"},
       {"sendInteractiveButtonsReply",
        R"("body":"x","buttons":[{"buttonId":"1","buttonText":"abcdefghijklmnopqrstuvwxyz"}])",
        "'buttonText' length must be less than or equal to 25 characters long"}});
  Box box;
  box.configure(R"({"interactiveFallback":"no"})");
  const auto answer = box.post("sendInteractiveButtonsReply",
                               body(R"("body":"x","buttons":[{"buttonId":"1","buttonText":"a"}])"));
  EXPECT_EQ(answer->status(), 403);
  EXPECT_NE(answer->message().find("interactiveFallback"), std::string::npos);
}

TEST(Mentions, AreKeptAsChatIds) {
  Box box;
  const Job job = job_of(box, "sendMessage",
                         R"("message":"@4915550001111 look","mentions":["+49 155 50001111"])");
  EXPECT_EQ(job.content.mentions, std::vector<std::string>{"4915550001111@c.us"});
  expect_refused(
      {{"sendMessage", R"("message":"x","mentions":"all")", "'mentions' must be an array"},
       {"sendMessage", R"("message":"x","mentions":["120363000000000001@g.us"])",
        "'mentions' must name people, not groups"},
       // Taken, it was handed over again and again for a day.
       {"sendMessage", R"("message":"x","mentions":["DE.1a2B@bsuid"])",
        "'mentions' must name people by number or LID: WhatsApp knows no user ids"},
       {"sendMessage", R"("message":"x","transport":"official")",
        "'transport' must not be official: no official number is set up ([cloud] in "
        "posthorn.toml)"}});
}

/// A box that remembers one message of that chat.
struct Remembering : Box {
  explicit Remembering(bool from_me, Content::What what = content::Text{"Two cakes", true, {}}) {
    chat::EarlierMessage& earlier = link.earlier["4915550007777@c.us/" + kEarlier];
    earlier.from_me = from_me;
    earlier.content.emplace().what = std::move(what);
    earlier.content->original = to_bytes(as_bytes(std::string("raw")));
    if (from_me) earlier.sent_at = clock.now();
  }
};

const std::string kId = R"("idMessage":"3EB0A1B2C3D4E5F60718")";

TEST(EditMessage, BecomesAJobThatNamesItsMessage) {
  Remembering box(true);
  const Job job = job_of(box, "editMessage", kId + R"(,"message":"Three cakes")");
  EXPECT_EQ(std::get<content::Edit>(job.content.what), (content::Edit{kEarlier, "Three cakes"}));
  EXPECT_TRUE(job.urgent) << "it is of use for minutes only";
  EXPECT_EQ(queued(box)["type"].asString(), "editMessage");
}

TEST(EditMessage, OfAMessageThatStillWaitsRewritesIt) {
  Box box;
  job_of(box, "sendMessage", R"("message":"Two cakes")");
  const std::string id = box.outbox.views[0].job.id;
  const auto answer =
      box.post("editMessage", body(R"("message":"Three cakes","idMessage":")" + id + "\""));
  EXPECT_EQ(answer->text(), R"({"idMessage":")" + id + "\"}");
  ASSERT_EQ(box.outbox.views.size(), 1U);
  EXPECT_EQ(readable_text(box.outbox.views[0].job.content), "Three cakes");
  // It leaves while the till edits it: then WhatsApp is told.
  Remembering late(true);
  Job waits;
  waits.id = kEarlier;
  waits.chat = "4915550007777@c.us";
  late.outbox.views.emplace_back().job = waits;
  late.outbox.leaves = true;
  EXPECT_EQ(late.post("editMessage", body(kId + R"(,"message":"x")"))->status(), 200);
  ASSERT_EQ(late.outbox.views.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<content::Edit>(late.outbox.views[1].job.content.what));
}

TEST(Changes, OfAMessageOfTheOfficialNumberAreReactionsOnly) {
  Remembering box(true);
  box.link.earlier["4915550007777@c.us/" + kEarlier].official = true;
  box.link.earlier["4915550007777@c.us/" + kEarlier].content.reset();
  const auto refusal = [&box](const char* method, const std::string& fields) {
    const auto answer = box.post(method, body(fields));
    EXPECT_EQ(answer->status(), 400) << answer->text();
    return answer->message();
  };
  for (const std::string& message :
       {refusal("editMessage", kId + R"(,"message":"x")"), refusal("deleteMessage", kId),
        refusal("deleteMessage", kId + R"(,"onlySenderDelete":true)"),
        refusal("forwardMessages",
                R"("chatIdFrom":"4915550007777@c.us","messages":["3EB0A1B2C3D4E5F60718"])")}) {
    EXPECT_NE(message.find("went by the official number"), std::string::npos) << message;
  }
  EXPECT_EQ(box.post("sendReaction", body(kId + R"(,"reaction":"👍")"))->status(), 200);
}

TEST(SendReaction, ToAMessageThatStillWaitsGoesBehindIt) {
  Box box;
  job_of(box, "sendMessage", R"("message":"Two cakes")");
  const std::string id = box.outbox.views[0].job.id;
  const auto react = [&] {
    return box.post("sendReaction", body(R"("reaction":"👍","idMessage":")" + id + "\""));
  };
  ASSERT_EQ(react()->status(), 200);
  ASSERT_EQ(box.outbox.views.size(), 2U);
  EXPECT_EQ(box.outbox.views[1].job.content.quote->id, id);
  box.outbox.views[0].job.chat = "4915550008888@c.us";
  EXPECT_TRUE(react()->message().starts_with("ID message notfound"));
}

TEST(EditMessage, RefusesWhatWhatsAppWouldNotTake) {
  Box nothing;
  EXPECT_TRUE(nothing.post("editMessage", body(kId + R"(,"message":"x")"))
                  ->message()
                  .starts_with("ID message notfound"));
  Remembering theirs(false);
  EXPECT_NE(theirs.post("editMessage", body(kId + R"(,"message":"x")"))
                ->message()
                .find("nobody can edit another's"),
            std::string::npos);
  Remembering place(true, content::Location{1, 2, "", "", {}, false});
  EXPECT_NE(place.post("editMessage", body(kId + R"(,"message":"x")"))
                ->message()
                .find("WhatsApp edits nothing else"),
            std::string::npos);
  Remembering old(true);
  old.clock.on_system_time_synchronised();
  old.link.earlier.begin()->second.sent_at = old.clock.now() - minutes(16);
  EXPECT_NE(old.post("editMessage", body(kId + R"(,"message":"x")"))->message().find("15 minutes"),
            std::string::npos);
}

TEST(DeleteMessage, IsForEveryoneAndAnswersNothing) {
  Remembering box(true);
  const auto answer = box.post("deleteMessage", body(kId));
  EXPECT_EQ(answer->status(), 200);
  EXPECT_EQ(answer->text(), "");
  ASSERT_EQ(box.outbox.views.size(), 1U);
  EXPECT_EQ(std::get<content::Deletion>(box.outbox.views[0].job.content.what).target_id, kEarlier);
}

TEST(DeleteMessage, TakesAWaitingOneOutOfTheQueueBothWays) {
  for (const char* only : {"", R"(,"onlySenderDelete":true)"}) {
    Box box;
    job_of(box, "sendMessage", R"("message":"Two cakes")");
    const std::string id = box.outbox.views[0].job.id;
    EXPECT_EQ(box.post("deleteMessage", body(R"("idMessage":")" + id + "\"" + only))->status(),
              200);
    EXPECT_TRUE(box.outbox.views.empty());
  }
}

TEST(DeleteMessage, RefusesInWords) {
  Remembering theirs(false);
  EXPECT_NE(theirs.post("deleteMessage", body(kId))->message().find("on the phone"),
            std::string::npos);
  EXPECT_TRUE(theirs.outbox.views.empty());
}

TEST(DeleteMessage, OnTheAccountsOwnDevicesIsAChangeOfTheirState) {
  for (const bool mine : {true, false}) {
    Remembering box(mine);
    const auto answer = box.post("deleteMessage", body(kId + R"(,"onlySenderDelete":true)"));
    EXPECT_EQ(answer->status(), 200) << answer->text();
    EXPECT_EQ(answer->text(), "");
    EXPECT_EQ(box.link.asked,
              (std::vector<std::string>{"delete 4915550007777@c.us/" + std::string(kEarlier) +
                                        (mine ? "/mine" : "")}));
    EXPECT_TRUE(box.outbox.views.empty()) << "the customer is told nothing";
  }
  Box unknown;
  EXPECT_EQ(unknown.post("deleteMessage", body(kId + R"(,"onlySenderDelete":true)"))->status(),
            400);
}

TEST(EditMessage, TakesCaptionsOfFilesThatHaveOne) {
  content::File file;
  file.kind = content::File::Kind::image;
  file.ref = std::string(64, 'a');
  file.caption = "Two cakes";
  Remembering box(true, file);
  EXPECT_EQ(box.post("editMessage", body(kId + R"(,"message":"Three cakes")"))->status(), 200);
  file.caption.clear();
  Remembering bare(true, file);
  EXPECT_EQ(bare.post("editMessage", body(kId + R"(,"message":"x")"))->status(), 400);
  file.kind = content::File::Kind::voice;
  file.caption = "what no phone shows";
  Remembering voice(true, file);
  EXPECT_EQ(voice.post("editMessage", body(kId + R"(,"message":"x")"))->status(), 400);
}

TEST(EditMessage, ChangesTheCaptionOfAFileThatWaits) {
  Box box;
  Job job;
  job.id = kEarlier;
  job.chat = "4915550007777@c.us";
  content::File file;
  file.kind = content::File::Kind::document;
  job.content.what = file;
  box.outbox.views.emplace_back().job = job;
  EXPECT_EQ(box.post("editMessage", body(kId + R"(,"message":"Your invoice")"))->status(), 200);
  EXPECT_EQ(std::get<content::File>(box.outbox.views[0].job.content.what).caption, "Your invoice");
}

TEST(SendReaction, IsToAMessageThatIsRemembered) {
  Remembering box(false);
  const Job job = job_of(box, "sendReaction", kId + R"(,"reaction":"👍")");
  EXPECT_EQ(std::get<content::Reaction>(job.content.what).emoji, "👍");
  EXPECT_EQ(job.content.quote->id, kEarlier);
  EXPECT_EQ(queued(box)["body"]["reaction"].asString(), "👍");
  Remembering words(false);
  EXPECT_EQ(words.post("sendReaction", body(kId + R"(,"reaction":"nice")"))->message(),
            "Validation failed. Details: 'reaction' must be one emoji");
  Remembering back(false);
  EXPECT_EQ(job_of(back, "sendReaction", kId + R"(,"reaction":"")").content.what,
            Content::What(content::Reaction{""}));
}

TEST(ForwardMessages, MakesAJobOfEach) {
  Box box;
  for (const char* id : {"3EB0A1B2C3D4E5F60718", "3EB0A1B2C3D4E5F60719"}) {
    chat::EarlierMessage& earlier = box.link.earlier[std::string("4915550009999@c.us/") + id];
    earlier.content.emplace().what = content::Text{id, true, {}};
    earlier.content->original = to_bytes(as_bytes(std::string("raw")));
  }
  const auto answer = box.post(
      "forwardMessages",
      body(
          R"("chatIdFrom":"4915550009999@c.us","messages":["3EB0A1B2C3D4E5F60719","3EB0A1B2C3D4E5F60718"])"));
  ASSERT_EQ(answer->status(), 200) << answer->text();
  ASSERT_EQ(box.outbox.views.size(), 2U);
  const Job& first = box.outbox.views[0].job;
  EXPECT_EQ(answer->json()["messages"][0].asString(), first.id);
  EXPECT_EQ(answer->json()["messages"][1].asString(), box.outbox.views[1].job.id);
  EXPECT_EQ(readable_text(first.content), "3EB0A1B2C3D4E5F60719");
  EXPECT_TRUE(first.content.forwarded);
  EXPECT_EQ(first.content.forwarding_score, 1);
  EXPECT_FALSE(first.content.original.empty());
  const json::Value item = queued(box);
  EXPECT_EQ(item["type"].asString(), "ForwardMessages");
  EXPECT_EQ(item["messagesIDs"][0].asString(), first.id);
  EXPECT_FALSE(item.isMember("messageID"));
  EXPECT_EQ(item["body"]["chatIdFrom"].asString(), "4915550009999@c.us");
  EXPECT_EQ(item["body"]["messages"][0].asString(), "3EB0A1B2C3D4E5F60719");
}

/// A box that remembers four messages, and a till that passes them on.
struct FourForwards : Box {
  FourForwards() {
    for (char digit = '1'; digit <= '4'; ++digit) {
      const std::string id = std::string("3EB0A1B2C3D4E5F6071") + digit;
      link.earlier["4915550009999@c.us/" + id].content.emplace().what = content::Text{id, true, {}};
      if (digit > '1') ids += ",";
      ids += '"' + id + '"';
    }
  }
  std::shared_ptr<Answer> forward(const std::string& key) {
    Request request =
        Box::request(Verb::post, Box::path("forwardMessages"),
                     body(R"("chatIdFrom":"4915550009999@c.us","messages":[)" + ids + "]"));
    request.idempotency_key = key;
    return send(std::move(request));
  }
  /// That wait, in their order.
  [[nodiscard]] std::vector<std::string> waiting() const {
    std::vector<std::string> out;
    for (const JobView& view : outbox.views) out.push_back(view.job.id);
    return out;
  }

  std::string ids;
};

std::vector<std::string> messages_of(const Answer& answer) {
  std::vector<std::string> out;
  const json::Value whole = answer.json();
  for (const json::Value& id : whole["messages"]) out.push_back(id.asString());
  return out;
}

TEST(ForwardMessages, AKeyMakesARepeatANoOpAlsoAfterAPowerCut) {
  FourForwards box;
  const auto first = box.forward("k");
  ASSERT_EQ(first->status(), 200) << first->text();
  EXPECT_EQ(messages_of(*first), box.waiting());
  box.scheduler.advance(minutes(1));
  EXPECT_EQ(box.forward("k")->text(), first->text());
  box.blobs.values.clear();
  box.restart();
  EXPECT_EQ(box.forward("k")->text(), first->text());
  EXPECT_EQ(box.waiting().size(), 4U);
  EXPECT_NE(box.forward("another")->text(), first->text());
  EXPECT_EQ(box.waiting().size(), 8U);
  box.ids = R"("3EB0A1B2C3D4E5F60711")";
  EXPECT_EQ(box.forward("k")->status(), 422);
  EXPECT_EQ(box.forward(std::string(256, 'k'))->status(), 400);
  EXPECT_EQ(box.waiting().size(), 8U);
}

TEST(ForwardMessages, ARepeatWithTheKeyQueuesWhatAFullQueueLeftOut) {
  FourForwards box;
  box.outbox.most = 2;
  EXPECT_EQ(box.forward("k")->status(), 466);
  const auto taken = box.waiting();
  EXPECT_EQ(taken.size(), 2U);
  box.outbox.most = 10;
  const auto again = box.forward("k");
  ASSERT_EQ(again->status(), 200) << again->text();
  EXPECT_EQ(messages_of(*again), box.waiting());
  EXPECT_EQ(box.waiting().size(), 4U);
  EXPECT_EQ(box.waiting()[0], taken[0]);
  EXPECT_EQ(box.waiting()[1], taken[1]);
}

TEST(ForwardMessages, WithoutAKeyAFullQueueIsLeftAsItWas) {
  FourForwards box;
  ASSERT_EQ(box.post("sendMessage", body(R"("message":"earlier")"))->status(), 200);
  const auto before = box.waiting();
  box.outbox.posted_before = before[0];  // the first is found to be that one
  box.outbox.most = 3;
  EXPECT_EQ(box.forward("")->status(), 466);
  EXPECT_EQ(box.waiting(), before);
  box.outbox.most = 10;
  EXPECT_EQ(box.forward("")->status(), 200);
  EXPECT_EQ(box.waiting().size(), 5U);
}

TEST(ForwardMessages, OwnWordsAreNotMarkedAndUnknownOnesRefused) {
  Remembering own(true);
  const std::string from = R"("chatIdFrom":"4915550007777@c.us",)";
  EXPECT_FALSE(job_of(own, "forwardMessages", from + R"("messages":["3EB0A1B2C3D4E5F60718"])")
                   .content.forwarded);
  Box nothing;
  const auto answer =
      nothing.post("forwardMessages", body(from + R"("messages":["3EB0A1B2C3D4E5F60718"])"));
  EXPECT_EQ(answer->status(), 400);
  EXPECT_NE(answer->message().find("does not remember"), std::string::npos);
  Remembering order(false, content::Order{});
  EXPECT_NE(order.post("forwardMessages", body(from + R"("messages":["3EB0A1B2C3D4E5F60718"])"))
                ->message()
                .find("cannot be passed on"),
            std::string::npos);
  expect_refused(
      {{"forwardMessages", R"("messages":["3EB0A1B2C3D4E5F60718"])", "'chatIdFrom' is required"},
       {"forwardMessages", R"("chatIdFrom":"4915550009999@c.us","messages":[])",
        "'messages' must contain 1 to 100 items"}});
}

}  // namespace
}  // namespace posthorn::api::test
