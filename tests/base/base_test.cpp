#include <gtest/gtest.h>

#include "posthorn/base/bytes.h"
#include "posthorn/base/crypto.h"
#include "posthorn/base/job.h"
#include "posthorn/base/json.h"
#include "posthorn/base/json_ascii.h"
#include "posthorn/base/log.h"
#include "posthorn/base/result.h"
#include "support/fakes.h"

namespace posthorn {
namespace {

Bytes unhex(std::string_view hex) { return *hex_decode(hex); }

TEST(Bytes, Base64MatchesTheVectorsOfRfc4648) {
  EXPECT_EQ(base64_encode(as_bytes("")), "");
  EXPECT_EQ(base64_encode(as_bytes("f")), "Zg==");
  EXPECT_EQ(base64_encode(as_bytes("fo")), "Zm8=");
  EXPECT_EQ(base64_encode(as_bytes("foobar")), "Zm9vYmFy");
  EXPECT_EQ(to_string(*base64_decode("Zm9vYg==")), "foob");
  EXPECT_EQ(to_string(*base64_decode("Zm9vYg")), "foob");
  EXPECT_FALSE(base64_decode("Zm9vY").has_value());
  EXPECT_FALSE(base64_decode("Zm9!").has_value());
  EXPECT_EQ(*base64_decode("-_8="), unhex("fbff"));
}

TEST(Bytes, HexRefusesOddLengthAndStrangers) {
  EXPECT_EQ(hex_encode(unhex("00FFa5")), "00ffa5");
  EXPECT_FALSE(hex_decode("abc").has_value());
  EXPECT_FALSE(hex_decode("zz").has_value());
}

Result<int> half(int n) {
  if (n % 2 != 0) return fail(Errc::malformed, "odd");
  return n / 2;
}
Result<int> quarter(int n) {
  TRY(const int h, half(n));
  TRY(half(h));
  return half(h);
}

TEST(Result, TryTakesTheValueOrReturnsTheError) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error(), (Error{Errc::malformed, "odd"}));
  EXPECT_EQ(to_string(fail(Error{Errc::timeout, "no answer"}, "devices").value()),
            "timeout: devices: no answer");
}

TEST(Crypto, MatchesPublishedVectors) {
  EXPECT_EQ(hex_encode(crypto::sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_encode(crypto::sha1(as_bytes("abc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");
  // RFC 5869 test case 1.
  EXPECT_EQ(hex_encode(crypto::hkdf_sha256(unhex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"),
                                           unhex("000102030405060708090a0b0c"),
                                           unhex("f0f1f2f3f4f5f6f7f8f9"), 42)),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  // RFC 7748 section 5.2.
  const Bytes scalar = unhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4");
  const Bytes point = unhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c");
  EXPECT_EQ(hex_encode(*crypto::x25519(scalar, point)),
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  EXPECT_FALSE(crypto::x25519(scalar, Bytes(32)).has_value());
}

TEST(Crypto, SealsAndOpensAndNoticesATouch) {
  const Bytes key(32, std::byte{7});
  const Bytes nonce(12, std::byte{9});
  Bytes sealed = crypto::aes_gcm_encrypt(key, nonce, as_bytes("aad"), as_bytes("plain"));
  EXPECT_EQ(to_string(*crypto::aes_gcm_decrypt(key, nonce, as_bytes("aad"), sealed)), "plain");
  sealed[0] ^= std::byte{1};
  EXPECT_EQ(crypto::aes_gcm_decrypt(key, nonce, as_bytes("aad"), sealed).error().code,
            Errc::crypto);
  const Bytes iv(16, std::byte{3});
  const Bytes cbc = crypto::aes_cbc_encrypt(key, iv, as_bytes("sixteen bytes ok"));
  EXPECT_EQ(cbc.size(), 32U);
  EXPECT_EQ(to_string(*crypto::aes_cbc_decrypt(key, iv, cbc)), "sixteen bytes ok");
  EXPECT_FALSE(crypto::aes_cbc_decrypt(key, iv, ByteView(cbc).first(15)).has_value());
  EXPECT_EQ(crypto::aes_ctr(key, iv, crypto::aes_ctr(key, iv, as_bytes("abc"))), to_bytes("abc"));
}

TEST(Json, PeeksAtAMemberThatWasWritten) {
  json::Value written;
  written["idMessage"] = "3EB0C0FFEE";
  written["messageData"]["textMessage"] = R"(I say "status":"read" and "wid":"x")";
  written["odd"] = "a\"b";
  written["status"] = "delivered";
  const std::string text = json::write(written);
  EXPECT_EQ(json::peek(text, "idMessage"), "3EB0C0FFEE");
  EXPECT_EQ(json::peek(text, "status"), "delivered") << "not what somebody wrote in a text";
  EXPECT_EQ(json::peek(text, "wid"), "");
  EXPECT_EQ(json::peek(text, "odd"), "");
  EXPECT_EQ(json::peek("{\"status\":\"cut", "status"), "cut");
}

TEST(Json, ABrokenTextLeavesNothingBehindForTheNext) {
  for (const char* broken : {"{\"a\":[1,{\"b\":", "[1,2", "\"open", "{} x"}) {
    EXPECT_FALSE(json::parse(broken).has_value());
    EXPECT_FALSE(json::parse(std::string(1000, '[')).has_value()) << "thrown, not returned";
    const auto next = json::parse("{\"c\":[3]}");
    ASSERT_TRUE(next.has_value());
    EXPECT_EQ(json::write(*next), "{\"c\":[3]}");
    EXPECT_EQ(json::parse("{\"a\":}").error().detail, "Unexpected token } in JSON at position 5");
  }
}

TEST(Json, SaysWhereTheTextIsWrong) {
  EXPECT_EQ(json::parse("{\"a\":}").error().detail, "Unexpected token } in JSON at position 5");
  EXPECT_EQ(json::parse("{\"a\":1").error().detail, "Unexpected end of JSON input");
  EXPECT_FALSE(json::parse("{} x").has_value());
  EXPECT_FALSE(json::parse(std::string(100'000, '[')).has_value());
  EXPECT_EQ(json::write(*json::parse("{\"b\": [1, \"\u00e4\"]}")), "{\"b\":[1,\"\u00e4\"]}");
}

TEST(Json, WritesInAsciiWhatIsNotAndLeavesSlashes) {
  json::Value value;
  value["\u00e4"] = "\u00e4/\U0001f600\n\"";
  EXPECT_EQ(json::write_ascii(value), R"({"\u00e4":"\u00e4/\ud83d\ude00\n\""})");
  EXPECT_EQ(json::parse(json::write_ascii(value)).value_or(json::Value()), value);
  EXPECT_EQ(json::write(value), "{\"\u00e4\":\"\u00e4/\U0001f600\\n\\\"\"}") << "the other one";
  value = "x\xFFy";
  EXPECT_EQ(json::write_ascii(value), R"("x\ufffdy")");
}

TEST(Json, ReadsHalvesOfSurrogatePairsAsJavaScriptDoes) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"("\ud83c\udf5e")", "\xF0\x9F\x8D\x9E"},
      {R"("a\ud83cb")",
       "a\xEF\xBF\xBD"
       "b"},
      {R"("a\udf5eb")",
       "a\xEF\xBF\xBD"
       "b"},
      {R"("\ud83c\u0041")",
       "\xEF\xBF\xBD"
       "A"},
      {R"("\ud83c\ud83c\udf5e")", "\xEF\xBF\xBD\xF0\x9F\x8D\x9E"},
      {R"("\ud83c")", "\xEF\xBF\xBD"},
      {R"("\ud83c\n")", "\xEF\xBF\xBD\n"},
      {R"("\\ud83c")", "\\ud83c"},
      {R"("\u0000")", std::string(1, '\0')},
  };
  for (const auto& [text, value] : cases) {
    const auto parsed = json::parse(text);
    ASSERT_TRUE(parsed.has_value()) << text << ": " << parsed.error().detail;
    EXPECT_EQ(json::text_of(*parsed), value) << text;
  }
  const auto named = json::parse(R"({"\ud83c":1})");
  ASSERT_TRUE(named.has_value());
  EXPECT_EQ(json::int_at(*named, "\xEF\xBF\xBD"), 1);
  EXPECT_FALSE(json::parse(R"("\ud83")").has_value());
  EXPECT_FALSE(json::parse(R"("\ud83g")").has_value());
}

TEST(Json, OfDuplicateKeysTheLastCounts) {
  const auto parsed = json::parse(R"({"a":{"x":1},"b":2,"a":{"y":3}})");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(json::write(*parsed), R"({"a":{"y":3},"b":2})");
}

TEST(Json, TakesNoNumbersThatJsonDoesNotHave) {
  for (const char* number : {"0155500012345", "-01", "1.", "-", "1e", "1e+", "00", "1.e3"}) {
    EXPECT_EQ(json::parse("{\"n\":" + std::string(number) + "}").error().detail.substr(0, 17),
              "Unexpected token ")
        << number;
  }
  EXPECT_EQ(json::parse("{\"n\":007}").error().detail, "Unexpected token 0 in JSON at position 5");
  for (const char* number : {"0", "-0", "10", "0.5", "-1.5e+3", "4915550007777", "1E2"}) {
    EXPECT_TRUE(json::parse("[" + std::string(number) + "]").has_value()) << number;
  }
}

TEST(Json, CountsValuesBeforeItBuildsThem) {
  EXPECT_TRUE(json::parse("[1,2,{\"a\":3},\",,,,[[[\"]", 5).has_value());
  EXPECT_FALSE(json::parse("[1,2,3,4,5,6]", 5).has_value());
  EXPECT_FALSE(json::parse("[[],[],[]]", 5).has_value());
  EXPECT_TRUE(json::parse("\xEF\xBB\xBF{}").has_value());
  EXPECT_EQ(json::parse(std::string(1000, '[')).error().detail,
            "the JSON is nested more than 64 levels deep");
}

TEST(Json, GettersNeverThrow) {
  const json::Value v = *json::parse(R"({"n":5,"s":"x","o":{},"big":1e300,"t":true})");
  EXPECT_EQ(json::string_at(v, "s"), "x");
  EXPECT_FALSE(json::string_at(v, "n").has_value());
  EXPECT_FALSE(json::int_at(v, "big").has_value());
  EXPECT_FALSE(json::int_at(v, "t").has_value());
  EXPECT_FALSE(json::string_at(json::at(v, "n"), "deep").has_value());
  EXPECT_EQ(json::text_of(json::at(v, "n")), "5");
}

TEST(Job, SurvivesEncodingAndIgnoresWhatItDoesNotKnow) {
  test::SeededRandom random;
  Job job;
  job.id = make_message_id(random, Wall::from_unix(1'790'000'000), "4915550001234");
  EXPECT_EQ(job.id.size(), 22U);
  EXPECT_EQ(job.id.substr(0, 4), "3EB0");
  EXPECT_EQ(job.id.find_first_not_of("0123456789ABCDEF"), std::string::npos);
  job.chat = "4915550001235@c.us";
  job.content.what = content::Text{"Quittung \u00fc 12,50 \"x\"", true, std::nullopt};
  job.accepted_at = Wall::from_unix(1'790'000'000);
  job.expires_at = job.accepted_at + hours(24);
  job.urgent = true;
  job.typing = seconds(3);
  job.typing_type = Typing::recording;
  EXPECT_EQ(*decode_job(encode_job(job)), job);
  std::string newer = to_string(encode_job(job));
  newer.insert(1, "\"later\":{\"x\":1},");
  EXPECT_EQ(*decode_job(as_bytes(newer)), job);
  newer = to_string(encode_job(job));
  newer.replace(newer.find("3000"), 4, "99999999");
  EXPECT_EQ(decode_job(as_bytes(newer))->typing, kLongestTyping);
  EXPECT_FALSE(decode_job(as_bytes("{}")).has_value());
  EXPECT_FALSE(decode_job(as_bytes("\x00")).has_value());
}

content::File receipt_photo() {
  content::File file;
  file.kind = content::File::Kind::image;
  file.ref = std::string(64, 'a');
  file.mime = "image/png";
  file.name = "receipt.png";
  file.caption = "Order 118";
  file.size = 123'456'789'012;
  file.width = 4'000'000'000;
  file.height = 600;
  file.seconds = 7;
  file.animated = true;
  file.waveform = to_bytes("\x01\x64");
  file.thumbnail = to_bytes("\xFF\xD8");
  file.link = "http://box.lan/files/1-receipt.png";
  return file;
}

TEST(Job, KeepsEachKindOfContentThatCanBeSent) {
  for (const Content::What& what :
       {Content::What(content::Text{"hi", false, std::nullopt}),
        Content::What(content::Edit{"3EB0AA", "better"}),
        Content::What(content::Deletion{"3EB0AA"}),
        Content::What(content::Reaction{"\xF0\x9F\x91\x8D"}),
        Content::What(content::Location{52.5208, -13.4094, "Shop", "Alexanderplatz 1", {}, false}),
        Content::What(content::Contacts{{{"Vera", "BEGIN:VCARD"}, {"Otto", "END:VCARD"}}, true}),
        Content::What(content::Poll{"Pick", {"Mon", "Tue"}, true}),
        Content::What(content::GroupInvite{"1@g.us", "AbC", "Staff", "Join", 1'767'484'800, {}}),
        Content::What(content::Timer{86'400, 0}), Content::What(receipt_photo())}) {
    Job job;
    job.content.what = what;
    job.content.mentions = {"4915550001234@c.us"};
    job.content.forwarded = true;
    job.content.forwarding_score = 3;
    job.content.original = to_bytes(as_bytes("raw"));
    job.method = "ForwardMessages";
    EXPECT_TRUE(is_kept(job.content)) << what.index();
    job.content.quote.emplace().id = "3EB0BB";
    EXPECT_EQ(*decode_job(encode_job(job)), job) << what.index();
  }
  Job never;
  never.content.what = content::Other{"stickerPackMessage", ""};
  EXPECT_FALSE(is_kept(never.content));
  EXPECT_EQ(decode_job(encode_job(never)).error().code, Errc::unsupported);
}

TEST(Log, HidesTheMiddleOfNumbers) {
  EXPECT_EQ(log::redact("4915550001234@c.us"), "4915***234@c.us");
  EXPECT_EQ(log::redact(""), "***");
}

TEST(FakeScheduler, RunsADayInOrder) {
  test::FakeScheduler scheduler;
  std::string ran;
  Timer late(scheduler);
  Timer early(scheduler);
  late.start(hours(20), [&ran] { ran += "late"; });
  early.start(hours(1), [&ran] { ran += "early "; });
  scheduler.post([&ran] { ran += "posted "; });
  scheduler.advance(hours(24));
  EXPECT_EQ(ran, "posted early late");
  EXPECT_TRUE(scheduler.idle());
}

TEST(MemoryStream, CarriesBytesInPiecesAndReportsTheEnd) {
  test::FakeScheduler scheduler;
  struct Reader : Stream::Handler {
    void on_data(ByteView data) override { pieces.push_back(to_string(data)); }
    void on_closed(Error) override { closed = true; }
    std::vector<std::string> pieces;
    bool closed = false;
  } reader;
  auto pair = test::make_stream_pair(scheduler, 2);
  pair.b->start(reader);
  pair.a->write(to_bytes("hello"));
  pair.a->close();
  scheduler.run_posted();
  EXPECT_EQ(reader.pieces, (std::vector<std::string>{"he", "ll", "o"}));
  EXPECT_TRUE(reader.closed);
}

}  // namespace
}  // namespace posthorn
