#include <gtest/gtest.h>

#include <limits>

#include "chat/content/attrs.h"
#include "chat/content/build.h"
#include "chat/content/parse.h"
#include "chat/content/polls.h"
#include "chat/content/secret.h"
#include "support/vectors.h"

// Every kind against messages that other clients have encoded (tests/vectors/messages.json).
namespace posthorn::chat {
namespace {

wa::Message vector(const std::string& name) {
  const json::Value vectors = test::load_vectors("messages.json");
  wa::Message message;
  for (const auto& entry : vectors["cases"]) {
    if (json::string_at(entry, "name") != name) continue;
    const auto bytes = hex_decode(json::string_at(entry, "message").value_or(""));
    EXPECT_TRUE(bytes && message.ParseFromString(to_string(*bytes)));
    return message;
  }
  ADD_FAILURE() << "no vector " << name;
  return message;
}

Content content_of(const wa::Message& message) {
  const auto opened = open_wrappers(message);
  EXPECT_TRUE(opened);
  auto parsed = parse_content(*opened->message);
  EXPECT_TRUE(parsed.content);
  return parsed.content.value_or(Content{});
}

template <class Kind>
Kind read_vector(const std::string& name) {
  const Content content = content_of(vector(name));
  const auto* kind = std::get_if<Kind>(&content.what);
  EXPECT_NE(kind, nullptr) << name << " is " << content.what.index();
  return kind == nullptr ? Kind() : *kind;
}

const std::string kSecret(32, 's');

/// What we send for it, without the secret that every message has.
wa::Message written(const Content& content, const Outgoing& with) {
  auto message = build_message(content, with);
  EXPECT_TRUE(message) << (message ? "" : to_string(message.error()));
  if (!message) return {};
  message->clear_messagecontextinfo();
  return *message;
}
const std::optional<QuotedMessage> kNoQuote;
wa::Message written(const Content& content) {
  return written(content, {.secret32 = as_bytes(kSecret), .quoted = kNoQuote});
}

/// What other clients encode is read, and what is read is written as they write it.
void expect_same_both_ways(const std::string& name) {
  wa::Message message = vector(name);
  message.clear_messagecontextinfo();
  EXPECT_EQ(written({content_of(message).what, {}}).SerializeAsString(),
            message.SerializeAsString())
      << name;
}

TEST(KindsVectors, PlacesCardsPollsAndInvitationsAreTheSameBothWays) {
  for (const char* name :
       {"conversation", "contact", "contacts", "poll_multi_v1", "poll_single_v3", "group_invite"}) {
    expect_same_both_ways(name);
  }
}

TEST(KindsVectors, Places) {
  const auto place = read_vector<content::Location>("location");
  EXPECT_EQ(place.latitude, 52.5);
  EXPECT_EQ(place.longitude, 13.25);
  EXPECT_EQ(place.name, "N");
  EXPECT_EQ(place.address, "A");
  EXPECT_FALSE(place.live);
  const auto live = read_vector<content::Location>("live_location");
  EXPECT_EQ(live.latitude, 52.5);
  EXPECT_EQ(live.name, "here");
  EXPECT_TRUE(live.live);
  EXPECT_FALSE(build_message({live, {}}, {.secret32 = as_bytes(kSecret), .quoted = kNoQuote}))
      << "only phones send them";
  wa::Message nowhere;
  nowhere.mutable_locationmessage()->set_degreeslatitude(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(std::get<content::Location>(content_of(nowhere).what).latitude, 0) << "JSON has no NaN";
}

TEST(KindsVectors, Cards) {
  const auto card = read_vector<content::Contacts>("contact");
  ASSERT_EQ(card.cards.size(), 1U);
  EXPECT_EQ(card.cards[0].name, "Ann");
  EXPECT_NE(card.cards[0].vcard.find("waid=5511999990001"), std::string::npos);
  EXPECT_FALSE(card.list);
  const auto cards = read_vector<content::Contacts>("contacts");
  EXPECT_EQ(cards.cards.size(), 2U);
  EXPECT_TRUE(cards.list);
}

TEST(KindsVectors, Polls) {
  EXPECT_EQ(read_vector<content::Poll>("poll_multi_v1"), (content::Poll{"q", {"a", "b"}, true}));
  EXPECT_EQ(read_vector<content::Poll>("poll_single_v3"), (content::Poll{"q", {"a", "b"}, false}));
  EXPECT_EQ(read_vector<content::Poll>("poll_announce_v2"), (content::Poll{"q", {"a"}, false}));
}

TEST(KindsVectors, VotesAndReactionsUnderASecret) {
  const json::Value vectors = test::load_vectors("msgsecret.json");
  const auto text = [](const json::Value& in, const char* name) {
    return json::string_at(in, name).value_or("");
  };
  const auto bytes = [&text](const json::Value& in, const char* name) {
    return hex_decode(text(in, name)).value_or(Bytes());
  };
  const Bytes secret = bytes(vectors, "messageSecret");
  int votes = 0;
  for (const auto& entry : vectors["cases"]) {
    const std::string use_case = text(entry, "useCase");
    if (use_case != kPollVote && use_case != kEventResponse && use_case != kReaction &&
        use_case != kMessageEdit) {
      continue;
    }
    const SecretParent parent{text(entry, "parentId"), text(entry, "parentSender"),
                              text(entry, "modificationSender"), secret};
    const auto plain =
        open_secret(parent, use_case, bytes(entry, "iv"), bytes(entry, "encPayload"));
    ASSERT_TRUE(plain) << use_case << " " << text(entry, "addressing");
    EXPECT_EQ(hex_encode(*plain), text(entry, "plaintextProto"));
    SecretParent other = parent;
    other.modifier = "300000000000003@lid";
    EXPECT_FALSE(open_secret(other, use_case, bytes(entry, "iv"), bytes(entry, "encPayload")))
        << "somebody else's " << use_case;
    if (use_case != kPollVote) continue;
    ++votes;
    wa::Message::PollVoteMessage vote;
    ASSERT_TRUE(vote.ParseFromString(to_string(*plain)));
    EXPECT_EQ(chosen_options({"?", {"Maybe", "Yes", "No"}, true}, vote),
              (std::vector<std::string>{"Maybe", "Yes"}));
  }
  EXPECT_EQ(votes, 2) << "under LIDs and under numbers";
}

TEST(KindsVectors, ButtonsAndWhatWasPressed) {
  using content::Buttons;
  const auto buttons = read_vector<Buttons>("buttons");
  EXPECT_EQ(buttons.form, Buttons::Form::buttons);
  EXPECT_EQ(buttons.body, "t");
  EXPECT_EQ(buttons.footer, "f");
  ASSERT_EQ(buttons.buttons.size(), 1U);
  EXPECT_EQ(buttons.buttons[0].text, "One");
  const auto list = read_vector<Buttons>("list");
  EXPECT_EQ(list.form, Buttons::Form::list);
  EXPECT_EQ(list.list_button, "B");
  ASSERT_EQ(list.sections.size(), 1U);
  EXPECT_EQ(list.sections[0].rows[0].id, "r1");
  const auto interactive = read_vector<Buttons>("interactive_buttons");
  EXPECT_EQ(interactive.form, Buttons::Form::interactive);
  EXPECT_EQ(interactive.title, "Head");
  ASSERT_FALSE(interactive.buttons.empty());
  EXPECT_EQ(interactive.buttons[0].kind, Buttons::Button::Kind::copy);
  EXPECT_EQ(interactive.buttons[0].text, "Copy me");
  EXPECT_EQ(interactive.buttons[0].value, "ABC123");
  const auto quick = read_vector<Buttons>("interactive_quick_reply");
  EXPECT_EQ(quick.buttons.at(0).id, "y");

  const Content pressed = content_of(vector("interactive_response"));
  EXPECT_EQ(std::get<content::Choice>(pressed.what),
            (content::Choice{Buttons::Form::interactive, "y", "Yes", 0}));
  EXPECT_EQ(pressed.quote->id, "3EB0BBBBBBBBBBBBBBBBBB");
  EXPECT_EQ(read_vector<content::Choice>("buttons_response"),
            (content::Choice{Buttons::Form::buttons, "1", "One", 0}));
  EXPECT_EQ(read_vector<content::Choice>("list_response"),
            (content::Choice{Buttons::Form::list, "r1", "R", 0}));
  EXPECT_EQ(read_vector<content::Choice>("template_reply"),
            (content::Choice{Buttons::Form::template_, "b1", "B1", 0}));
}

TEST(KindsVectors, TheCatalogueAppointmentsAndTheChatItself) {
  EXPECT_EQ(read_vector<content::Order>("order"),
            (content::Order{"1", "O", "m", "BRL", 2, 100'000}));
  const auto product = read_vector<content::Product>("product");
  EXPECT_EQ(product.title, "P");
  EXPECT_EQ(product.price_1000, 99'000);
  EXPECT_EQ(read_vector<content::Event>("event"),
            (content::Event{"E", "D", "P", "", 1'754'000'000, 1'754'003'600, false}));
  const Content pin = content_of(vector("pin"));
  EXPECT_TRUE(std::get<content::Pin>(pin.what).pinned);
  EXPECT_EQ(pin.quote->id, "3EB0AAAAAAAAAAAAAAAAAA");
  EXPECT_EQ(read_vector<content::Timer>("ephemeral_setting"),
            (content::Timer{604'800, 1'754'000'000}));
  EXPECT_EQ(read_vector<content::Album>("album"), (content::Album{2, 0}));
  EXPECT_EQ(std::get<content::Text>(content_of(vector("ephemeral_wrapper")).what).body,
            "gone soon");
  EXPECT_FALSE(parse_content(vector("keep")).content) << "nobody said anything";
}

TEST(KindsVectors, MentionsAreReadAndWritten) {
  const Content content = content_of(vector("extendedText_reply_mention"));
  EXPECT_EQ(content.mentions, std::vector<std::string>{"300000000000003@lid"});
  EXPECT_EQ(content.quote->text, "quoted");
  const std::vector<std::string> mentions{"300000000000003@lid"};
  const auto message =
      written({content::Text{"@300000000000003 look", true, {}}, {}},
              {.secret32 = as_bytes(kSecret), .quoted = kNoQuote, .mentions = mentions});
  EXPECT_EQ(message.extendedtextmessage().text(), "@300000000000003 look");
  EXPECT_EQ(message.extendedtextmessage().contextinfo().mentionedjid(0), mentions[0]);
}

TEST(KindsVectors, ATextStatusKeepsItsLook) {
  content::Text bread{"Fresh bread", false, {}};
  bread.style = content::TextStyle{0xFF22'8B22, 1};
  const wa::Message message = written({bread, {}});
  EXPECT_EQ(message.extendedtextmessage().textargb(), 0xFFFF'FFFFU);
  const Content content = content_of(message);
  EXPECT_EQ(std::get<content::Text>(content.what).style, bread.style);
  const Content plain = content_of(vector("extendedText_reply_mention"));
  EXPECT_FALSE(std::get<content::Text>(plain.what).style);
}

TEST(KindsVectors, AForwardedTextSaysSo) {
  Content content{content::Text{"fwd", true, {}}, {}};
  content.forwarded = true;
  content.forwarding_score = 1;
  wa::Message original = vector("extendedText_reply_mention");
  content.original = to_bytes(as_bytes(original.SerializeAsString()));
  const auto message = written(content);
  const auto& context = message.extendedtextmessage().contextinfo();
  EXPECT_TRUE(context.isforwarded());
  EXPECT_EQ(context.forwardingscore(), 1U);
  EXPECT_FALSE(context.has_stanzaid()) << "what stood beside it stays behind";
  EXPECT_EQ(context.mentionedjid_size(), 0);
  EXPECT_EQ(vector("extendedText_forwarded").extendedtextmessage().contextinfo().isforwarded(),
            context.isforwarded());
}

TEST(KindsVectors, ChangesOfOurOwnMessages) {
  TargetMessage target;
  target.chat = "200000000000002@lid";
  const std::optional<TargetMessage> about = target;
  Outgoing with{.secret32 = as_bytes(kSecret),
                .quoted = kNoQuote,
                .target = about,
                .now = Wall::from_unix(1'754'000'000)};
  const std::string id = "3EB0BBBBBBBBBBBBBBBBBB";
  EXPECT_EQ(written({content::Edit{id, "new text"}, {}}, with).SerializeAsString(),
            vector("edit_direct").SerializeAsString());
  EXPECT_EQ(written({content::Deletion{id}, {}}, with).SerializeAsString(),
            vector("revoke_own").SerializeAsString());
  EXPECT_EQ(describe_content(written({content::Edit{id, "x"}, {}}, with)).edit, "1");
  EXPECT_EQ(describe_content(written({content::Deletion{id}, {}}, with)).edit, "7");

  TargetMessage theirs;
  theirs.chat = "120363000000000001@g.us";
  theirs.from_me = false;
  theirs.author = "300000000000003@lid";
  const std::optional<TargetMessage> about_theirs = theirs;
  const Outgoing as_admin{
      .secret32 = as_bytes(kSecret), .quoted = kNoQuote, .target = about_theirs};
  const auto revoked = written({content::Deletion{"3EB0CCCCCCCCCCCCCCCCCC"}, {}}, as_admin);
  EXPECT_EQ(revoked.SerializeAsString(), vector("revoke_by_admin").SerializeAsString());
  EXPECT_EQ(describe_content(revoked).edit, "8");
  EXPECT_FALSE(build_message({content::Edit{id, "x"}, {}}, as_admin));
}

TEST(KindsVectors, Reactions) {
  TargetMessage target;
  target.chat = "200000000000002@lid";
  target.from_me = false;
  const std::optional<TargetMessage> about = target;
  const std::optional<QuotedMessage> quote = QuotedMessage{"3EB0AAAAAAAAAAAAAAAAAA", "", ""};
  Content content{content::Reaction{"\xF0\x9F\x91\x8D"}, {}};
  const Outgoing with{.secret32 = as_bytes(kSecret),
                      .quoted = quote,
                      .target = about,
                      .now = Wall::from_unix(1'754'000'000)};
  EXPECT_EQ(written(content, with).SerializeAsString(), vector("reaction").SerializeAsString());
  content.what = content::Reaction{""};
  EXPECT_EQ(written(content, with).SerializeAsString(),
            vector("reaction_removed").SerializeAsString());
}

TEST(KindsVectors, AMessageInAChatWithATimerCarriesIt) {
  const auto message =
      written({content::Text{"gone soon", true, {}}, {}},
              {.secret32 = as_bytes(kSecret), .quoted = kNoQuote, .timer = {604'800, 0}});
  EXPECT_EQ(message.SerializeAsString(),
            vector("ephemeral_wrapper").ephemeralmessage().message().SerializeAsString());
  const auto place = written(
      {content::Location{1, 2, "", "", {}, false}, {}},
      {.secret32 = as_bytes(kSecret), .quoted = kNoQuote, .timer = {86'400, 1'754'000'000}});
  EXPECT_EQ(place.locationmessage().contextinfo().expiration(), 86'400U);
  EXPECT_EQ(place.locationmessage().contextinfo().ephemeralsettingtimestamp(), 1'754'000'000);
}

TEST(KindsVectors, AQuoteSaysAllThatItsMessageSaid) {
  for (const char* name : {"location", "contact", "poll_single_v3"}) {
    const wa::Message original = vector(name);
    wa::Message reply;
    reply.mutable_extendedtextmessage()->set_text("yes");
    auto& context = *reply.mutable_extendedtextmessage()->mutable_contextinfo();
    context.set_stanzaid("3EB0AA");
    *context.mutable_quotedmessage() = original;
    const auto quote = content_of(reply).quote;
    ASSERT_TRUE(quote && quote->original.size() == 1) << name;
    EXPECT_TRUE(quote->original.front().what == content_of(original).what) << name;
    EXPECT_FALSE(quote->original.front().quote) << name;
  }
}

TEST(KindsVectors, AnEditSaysWhetherItIsOfACaption) {
  wa::Message message;
  auto& protocol = *message.mutable_protocolmessage();
  protocol.set_type(wa::Message::ProtocolMessage::MESSAGE_EDIT);
  protocol.mutable_key()->set_id("3EB0AA");
  protocol.mutable_editedmessage()->set_conversation("Two cakes");
  EXPECT_EQ(content_of(message).what, Content::What(content::Edit{"3EB0AA", "Two cakes", false}));
  protocol.mutable_editedmessage()->mutable_imagemessage()->set_caption("Two cakes");
  protocol.mutable_editedmessage()->clear_conversation();
  EXPECT_EQ(content_of(message).what, Content::What(content::Edit{"3EB0AA", "Two cakes", true}));
}

}  // namespace
}  // namespace posthorn::chat
