#include <gtest/gtest.h>

#include "chat/content/attrs.h"
#include "chat/content/build.h"
#include "chat/content/parse.h"
#include "chat/rig.h"
#include "support/vectors.h"

namespace posthorn::chat {
namespace {

using chat_test::Rig;
using content::File;

wa::Message vector_named(const std::string& name) {
  const json::Value vectors = test::load_vectors("messages.json");
  wa::Message message;
  for (const auto& entry : vectors["cases"]) {
    if (json::string_at(entry, "name") != name) continue;
    const auto bytes = hex_decode(json::string_at(entry, "message").value_or(""));
    EXPECT_TRUE(bytes && message.ParseFromString(to_string(*bytes))) << name;
    return message;
  }
  ADD_FAILURE() << name;
  return message;
}

File file_in(const wa::Message& message) {
  const Parsed parsed = parse_content(*open_wrappers(message)->message);
  const auto* file = parsed.content ? std::get_if<File>(&parsed.content->what) : nullptr;
  EXPECT_NE(file, nullptr);
  return file != nullptr ? *file : File{};
}

TEST(FileContent, SaysWhatEachKindOfFileSays) {
  const File image = file_in(vector_named("image"));
  EXPECT_EQ(image.kind, File::Kind::image);
  EXPECT_EQ(image.mime, "image/jpeg");
  EXPECT_EQ(image.caption, "cap");
  EXPECT_EQ(image.size, 12'345U);
  EXPECT_EQ(image.width, 640U);
  EXPECT_EQ(image.height, 480U);
  EXPECT_EQ(to_string(image.thumbnail), "ffd8ffe0thumb");
  EXPECT_EQ(image.place->direct_path, "/v/t62.7118-24/1.enc?ccb=11-4");
  EXPECT_EQ(base64_encode(image.place->key), "Ep9sCrkj4A0SoTZGZD9BaRQmahxkYO6trFkwsksG5Qw=");
  EXPECT_EQ(base64_encode(image.place->enc_sha256), "5cDoi/7k3yaUvKCnZscVJe4xZuYgh0IVOyZkNyNqIjs=");
  EXPECT_EQ(image.ref, hex_encode(*base64_decode("ugKAdUDlnISJ695fDOK9/W/2D7JFCMwE0/udfkU4Ivo=")));

  const File gif = file_in(vector_named("gif"));
  EXPECT_EQ(gif.kind, File::Kind::gif);
  EXPECT_EQ(gif.seconds, 2U);
  EXPECT_EQ(file_in(vector_named("video")).kind, File::Kind::video);
  EXPECT_EQ(file_in(vector_named("ptv")).kind, File::Kind::video_note);
  EXPECT_EQ(file_in(vector_named("audio")).kind, File::Kind::audio);
  const File voice = file_in(vector_named("ptt"));
  EXPECT_EQ(voice.kind, File::Kind::voice);
  EXPECT_EQ(base64_encode(voice.waveform), "ADJk");
  const File document = file_in(vector_named("document_with_caption"));
  EXPECT_EQ(document.kind, File::Kind::document);
  EXPECT_EQ(document.name, "a.pdf");
  EXPECT_EQ(document.caption, "the file");
  const File sticker = file_in(vector_named("sticker"));
  EXPECT_EQ(sticker.kind, File::Kind::sticker);
  EXPECT_EQ(sticker.mime, "image/webp");
  EXPECT_TRUE(file_in(vector_named("image_viewOnce_flag")).view_once);
}

TEST(FileContent, IsWrittenAsItIsRead) {
  const Bytes secret(32, std::byte{7});
  for (const char* name : {"image", "video", "gif", "ptv", "audio", "ptt", "document",
                           "document_with_caption", "sticker"}) {
    SCOPED_TRACE(name);
    Content content;
    content.what = file_in(vector_named(name));
    const auto written = build_message(content, {secret, std::nullopt});
    ASSERT_TRUE(written);
    EXPECT_EQ(Content::What(file_in(*written)), content.what);
    EXPECT_EQ(written->messagecontextinfo().messagesecret(), std::string(32, '\7'));
    EXPECT_EQ(describe_content(*written).type, "media");
    EXPECT_FALSE(describe_content(*written).mediatype.empty());
  }
}

TEST(FileContent, IsNotWrittenBeforeItLiesAtAHost) {
  Content content;
  content.what = File{};
  EXPECT_EQ(build_message(content, {{}, std::nullopt}).error().code, Errc::not_found);
}

TEST(FileContent, AnswersAMessageAndIsAnswered) {
  const wa::Message image = vector_named("image");
  Content content;
  content.what = file_in(vector_named("sticker"));
  const std::optional<QuotedMessage> quoted =
      QuotedMessage{"3EB0AA", "4915550002222@s.whatsapp.net", image.SerializeAsString()};
  const auto written = build_message(content, {{}, quoted});
  ASSERT_TRUE(written);
  const Quote quote = *parse_content(*written).content->quote;
  EXPECT_EQ(quote.id, "3EB0AA");
  EXPECT_EQ(quote.type_message, "imageMessage");
  EXPECT_EQ(quote.text, "cap");
  EXPECT_EQ(quote.file->kind, File::Kind::image);
}

TEST(FileContent, ThumbnailsAndWaveformsAreBounded) {
  wa::Message message = vector_named("image");
  message.mutable_imagemessage()->set_jpegthumbnail(std::string(70'000, 'x'));
  EXPECT_TRUE(file_in(message).thumbnail.empty());
  wa::Message voice = vector_named("ptt");
  voice.mutable_audiomessage()->set_waveform(std::string(300, 'x'));
  EXPECT_TRUE(file_in(voice).waveform.empty());
}

TEST(FileContent, ReceivedAndQuotedLater) {
  Rig rig;
  rig.introduce(rig.customer);
  const auto arrive = [&rig](const std::string& id, wa::Message message) {
    rig.listener().on_message(
        rig.stanza_from(rig.customer, id, rig.customer.encrypt(message, rig.box_jid)));
    rig.turn();
  };
  arrive("F1", vector_named("image"));
  // The quote that a phone sends may be bare: the box remembers what it was.
  wa::Message answer;
  answer.mutable_extendedtextmessage()->set_text("this one");
  answer.mutable_extendedtextmessage()->mutable_contextinfo()->set_stanzaid("F1");
  arrive("F2", answer);
  const auto messages = rig.messages();
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(std::get<File>(messages[0].content.what).caption, "cap");
  ASSERT_TRUE(messages[1].content.quote->file);
  EXPECT_EQ(messages[1].content.quote->file->caption, "cap");
  EXPECT_EQ(messages[1].content.quote->type_message, "imageMessage");
}

TEST(FileContent, WhatIsSeenOnceIsToldAndNotKept) {
  for (const char* name : {"image_viewOnce_flag", "image_viewOnce_wrapper"}) {
    SCOPED_TRACE(name);
    Rig rig;
    rig.introduce(rig.customer);
    rig.listener().on_message(
        rig.stanza_from(rig.customer, "V1", rig.customer.encrypt(vector_named(name), rig.box_jid)));
    rig.turn();
    const auto messages = rig.messages();
    ASSERT_EQ(messages.size(), 1U);
    const File& file = std::get<File>(messages[0].content.what);
    EXPECT_TRUE(file.view_once);
    EXPECT_FALSE(file.place);
    EXPECT_TRUE(file.ref.empty());
    const auto quote = rig.box->quotes().find("4915550002222@c.us", "V1");
    ASSERT_TRUE(quote);
    EXPECT_FALSE(quote->file) << "where it lies is not remembered";
  }
}

}  // namespace
}  // namespace posthorn::chat
