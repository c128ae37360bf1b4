#include <gtest/gtest.h>

#include <algorithm>

#include "box.h"
#include "passkey_answer.h"
#include "posthorn/base/crypto.h"
#include "posthorn/base/log.h"
#include "posthorn/wire/passkey.pb.h"
#include "session/link_code.h"
#include "session/passkey_crypto.h"
#include "session/stanzas.h"

// Linking an account with a passkey, with a scripted WhatsApp. Protocol chapter 14.
namespace posthorn::session {
namespace {

using core_test::Box;
using core_test::FakeServer;
using core_test::kPasskeyOptions;
using core_test::PasskeyAnswer;
using Stage = Passkey::Stage;

wire::Node leaf(const char* tag, ByteView bytes) { return {tag, {}, to_bytes(bytes)}; }

/// The server's and the phone's part. Every step can be left to the test.
class Server {
 public:
  explicit Server(Box& box) : box_(box) {
    box.server.on_stanza = [this](FakeServer::Line&, const wire::Node& stanza) {
      return stanza.tag == "iq" && !stanza.children().empty() && on_iq(stanza);
    };
  }

  /// The phone scans the code on screen, or has entered one.
  void scan() {
    if (!box_.session->qr()) box_.run(seconds(5));  // asking begins a round
    const std::string qr = box_.session->qr().value();
    std::string fields = qr.substr(qr.find('#') + 1);
    for (int i = 0; i < 3; ++i) fields = fields.substr(fields.find(',') + 1);
    scanned_ = *base64_decode(fields.substr(0, fields.find(',')));
    ask();
  }
  void ask(const std::string& options = kPasskeyOptions, wire::Jid from = server_jid()) {
    std::vector<wire::Node> children;
    if (!options.empty()) children.push_back(leaf("passkey_request_options", as_bytes(options)));
    notify("passkey_prologue_request", std::move(children), from);
  }
  void notify(const char* type, std::vector<wire::Node> children, wire::Jid from = server_jid()) {
    box_.server_says(
        wire::Node("notification",
                   {{"type", type}, {"from", from}, {"id", "P" + std::to_string(++notifications_)}},
                   std::move(children)));
  }
  /// The phone's keys.
  void continue_with(ByteView key, ByteView nonce) {
    wa::PrimaryEphemeralIdentity message;
    message.set_publickey(std::string(as_text(key)));
    message.set_nonce(std::string(as_text(nonce)));
    notify("crsc_continuation",
           {leaf("primary_ephemeral_identity", as_bytes(message.SerializeAsString()))});
  }
  void continue_linking() { continue_with(phone_.public_key, nonce_); }
  void succeed(ByteView secret) {
    box_.server.send(box_.server.pair_success(secret, identity_public_));
    box_.run();
  }

  /// Tags that do not arrive; that are not answered; that are answered with an error, once.
  std::vector<std::string> silent;
  std::vector<std::string> unanswered;
  std::string refused;
  std::string options_given = kPasskeyOptions;
  // What came.
  std::vector<std::string> asked;
  bool proof = false;
  Bytes new_secret;
  [[nodiscard]] std::string code() const {
    return link_code::for_people(passkey::compare_code(companion_nonce_, phone()));
  }
  [[nodiscard]] auto times(const std::string& tag) const { return std::ranges::count(asked, tag); }
  [[nodiscard]] Bytes scanned() const { return scanned_; }

 private:
  [[nodiscard]] passkey::PrimaryIdentity phone() const {
    passkey::PrimaryIdentity out;
    out.public_key = phone_.public_key;
    std::ranges::copy(nonce_, out.nonce.begin());
    return out;
  }

  bool on_iq(const wire::Node& iq) {
    const wire::Node& child = iq.children().front();
    const std::string& tag = child.tag;
    const std::vector<std::string> mine{"passkey_request_options", "ref", "passkey_prologue",
                                        "companion_nonce", "encrypted_pairing_request"};
    if (std::ranges::find(mine, tag) == mine.end()) return false;
    EXPECT_EQ(iq.text_attr("xmlns"), "md");
    asked.push_back(tag);
    if (std::ranges::find(silent, tag) != silent.end()) return true;
    wire::Node answer("iq", {{"type", "result"}, {"id", iq.text_attr("id")}});
    if (tag == refused) {
      refused.clear();
      answer.set_attr("type", "error");
      answer.content = std::vector{wire::Node("error", {{"code", "401"}, {"text", "no"}})};
    } else if (tag == "passkey_request_options") {
      answer.content = std::vector{leaf("passkey_request_options", as_bytes(options_given))};
    } else if (tag == "ref") {
      ref_ = "3@REF" + std::to_string(asked.size());
      answer.content = std::vector{leaf("ref", as_bytes(ref_))};
    } else if (tag == "passkey_prologue") {
      take_prologue(child);
    } else if (tag == "companion_nonce") {
      companion_nonce_ = to_bytes(child.bytes());
      EXPECT_TRUE(std::ranges::equal(crypto::sha256(concat({identity_, companion_nonce_})),
                                     as_bytes(commitment_)));
    } else {
      take_request(child);
    }
    if (std::ranges::find(unanswered, tag) == unanswered.end()) box_.server.send(answer);
    return true;
  }

  void take_prologue(const wire::Node& prologue) {
    wa::ProloguePayload payload;
    wa::CompanionEphemeralIdentity identity;
    const Bytes bytes = to_bytes(prologue.child("prologue_payload")->bytes());
    ASSERT_TRUE(payload.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    ASSERT_TRUE(identity.ParseFromString(payload.companionephemeralidentity()));
    EXPECT_EQ(identity.ref(), ref_);
    EXPECT_EQ(as_text(prologue.child("credential_id")->bytes()), "cred1");
    identity_ = to_bytes(payload.companionephemeralidentity());
    commitment_ = payload.commitment().hash();
    std::ranges::copy(as_bytes(identity.publickey()), companion_.public_key.begin());
    const wire::Node* given = prologue.child("pairing_handoff_proof");
    proof = given != nullptr;
    if (proof) {
      EXPECT_TRUE(std::ranges::equal(
          given->bytes(), passkey::handoff_proof(passkey::handoff_key(scanned_), bytes)));
    }
  }

  void take_request(const wire::Node& request) {
    wa::EncryptedPairingRequest outer;
    wa::PairingRequest inner;
    const ByteView bytes = request.bytes();
    ASSERT_TRUE(outer.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    const auto key = passkey::request_key(phone_.private_key, companion_, ref_);
    const auto plain =
        crypto::aes_gcm_decrypt(*key, as_bytes(outer.iv()), {}, as_bytes(outer.encryptedpayload()));
    ASSERT_TRUE(plain.has_value());
    ASSERT_TRUE(inner.ParseFromArray(plain->data(), static_cast<int>(plain->size())));
    new_secret = to_bytes(inner.advsecret());
    identity_public_ = to_bytes(inner.companionidentitykey());
    EXPECT_EQ(box_.server.line().payload.devicepairingdata().eident(),
              inner.companionidentitykey());
    EXPECT_NE(new_secret, scanned_);
  }

  Box& box_;
  signal::KeyPair phone_ = signal::make_key_pair(box_.server.random);
  Bytes nonce_ = box_.server.random.bytes(32);
  Bytes scanned_;
  std::string ref_;
  Bytes identity_;
  std::string commitment_;
  passkey::PrimaryIdentity companion_;
  Bytes companion_nonce_;
  Bytes identity_public_;
  int notifications_ = 0;
};

/// How a call ended.
struct Ended {
  std::optional<Result<void>> got;
  Once<void(Result<void>)> done() {
    return [this](Result<void> answer) { got = std::move(answer); };
  }
  [[nodiscard]] bool well() const { return got && got->has_value(); }
  [[nodiscard]] Errc code() const { return got && !*got ? got->error().code : Errc::io; }
};

class PasskeyLinking : public testing::Test {
 protected:
  void boot() {
    box.boot();
    box.run();
  }
  Stage stage() { return box.session->passkey().stage; }
  Ended answer(const std::string& text = PasskeyAnswer().text()) {
    Ended ended;
    box.session->answer_passkey(text, ended.done());
    box.run();
    return ended;
  }
  Ended confirm(Linking::Codes codes = Linking::Codes::match) {
    Ended ended;
    box.session->confirm_passkey(codes, ended.done());
    box.run();
    return ended;
  }
  /// Up to the code on screen.
  void compare() {
    server.scan();
    ASSERT_TRUE(answer().well());
    server.continue_linking();
    ASSERT_EQ(stage(), Stage::awaiting_confirmation);
  }
  void finish() {
    box.server.send(FakeServer::stream_error("515"));
    box.run(seconds(4));
    EXPECT_EQ(box.state(), State::online);
  }
  /// The next round, by a code without a passkey.
  void link_by_next_code() {
    (void)box.session->qr();
    box.run(seconds(20));
    const auto qr = box.session->qr();
    ASSERT_TRUE(qr.has_value());
    box.server.scan(*qr);
    box.run(seconds(8));
    EXPECT_EQ(box.state(), State::online);
  }

  Box box;
  Server server{box};
};

TEST_F(PasskeyLinking, GoesFromTheScanOverAnswerAndCodeToOnline) {
  boot();
  server.scan();
  EXPECT_EQ(box.state(), State::pairing);
  EXPECT_EQ(box.session->state().cause, "passkey_required");
  EXPECT_FALSE(box.session->qr().has_value());
  const Passkey asked = box.session->passkey();
  EXPECT_EQ(asked.options, kPasskeyOptions);
  EXPECT_LE(*asked.until, box.clock->now() + minutes(10));
  EXPECT_GE(*asked.until, box.clock->now() + minutes(10) - seconds(1));
  EXPECT_EQ(box.server.line().all("ack").size(), 1U);

  EXPECT_TRUE(answer().well());
  EXPECT_FALSE(server.proof) << "a first link has nothing to prove: only the code does";
  EXPECT_EQ(stage(), Stage::finishing);
  server.continue_linking();
  const Passkey shown = box.session->passkey();
  EXPECT_EQ(shown.stage, Stage::awaiting_confirmation);
  EXPECT_EQ(shown.code, server.code());
  EXPECT_EQ(box.session->state().cause, "passkey_code");
  EXPECT_EQ(server.times("encrypted_pairing_request"), 0);
  EXPECT_TRUE(confirm().well());
  server.succeed(server.new_secret);
  EXPECT_EQ(box.server.line().all("iq", "pair-device-sign").size(), 1U);
  EXPECT_EQ(stage(), Stage::none);
  finish();
  box.boot();
  box.run(seconds(4));
  EXPECT_EQ(box.state(), State::online);
}

TEST_F(PasskeyLinking, AsksForOptionsThatAreMissingOrBroken) {
  boot();
  server.ask("");
  EXPECT_EQ(stage(), Stage::awaiting_response);
  EXPECT_EQ(server.times("passkey_request_options"), 1);
  server.ask(R"({"challenge":7})");
  EXPECT_EQ(stage(), Stage::awaiting_response);
  EXPECT_EQ(server.times("passkey_request_options"), 2);
  server.options_given = "[]";
  server.ask("");
  EXPECT_EQ(stage(), Stage::none);
  EXPECT_EQ(box.session->state().cause, "passkey_failed");
}

TEST_F(PasskeyLinking, IgnoresWhatIsNotTheServers) {
  boot();
  server.ask(kPasskeyOptions, wire::Jid{"4915550001234", "s.whatsapp.net", 0});
  EXPECT_EQ(stage(), Stage::none);
  EXPECT_TRUE(box.session->qr().has_value());
  server.continue_linking();
  EXPECT_EQ(stage(), Stage::none);
  EXPECT_EQ(box.server.line().all("ack").size(), 2U);
  server.scan();
  server.ask(R"({"challenge":"b3RoZXI"})", wire::Jid{"4915550001234", "s.whatsapp.net", 0});
  EXPECT_EQ(box.session->passkey().options, kPasskeyOptions);
}

TEST_F(PasskeyLinking, KeepsTheConnectionAliveWhileTheOwnerIsBusy) {
  boot();
  server.scan();
  box.run(minutes(9));
  EXPECT_EQ(box.server.lines.size(), 1U);
  EXPECT_FALSE(box.server.line().ended());
  EXPECT_EQ(stage(), Stage::awaiting_response);
  EXPECT_GE(std::ranges::count_if(
                box.server.line().received,
                [](const wire::Node& node) { return node.text_attr("xmlns") == "w:p"; }),
            18);
  EXPECT_TRUE(answer().well());
}

TEST_F(PasskeyLinking, GivesUpWhenNobodyAnswersAndDoesNotBeginAgainByItself) {
  boot();
  server.scan();
  box.run(minutes(10) + seconds(1));
  EXPECT_EQ(box.state(), State::logged_out);
  EXPECT_EQ(box.session->state().cause, "passkey_too_late");
  EXPECT_NE(box.session->passkey().message.find("new QR code"), std::string::npos);
  EXPECT_EQ(answer().code(), Errc::not_found);
  box.run(minutes(30));
  EXPECT_EQ(box.server.lines.size(), 1U);
  link_by_next_code();
  EXPECT_EQ(box.session->passkey().message, "");
}

TEST_F(PasskeyLinking, RefusesAnAnswerThatDoesNotFitAndASecondOneMeanwhile) {
  boot();
  EXPECT_EQ(answer().code(), Errc::not_found);
  EXPECT_EQ(confirm().code(), Errc::not_found);
  server.scan();
  PasskeyAnswer old;
  old.challenge = "b2xk";
  EXPECT_EQ(answer(old.text()).code(), Errc::malformed);
  EXPECT_EQ(answer("hello").code(), Errc::malformed);
  EXPECT_EQ(server.times("ref"), 0);
  EXPECT_EQ(confirm().code(), Errc::not_found);
  server.silent = {"ref"};
  Ended first;
  box.session->answer_passkey(PasskeyAnswer().text(), first.done());
  EXPECT_EQ(answer().code(), Errc::busy);
  box.run(seconds(31));
  EXPECT_EQ(first.code(), Errc::timeout);
}

TEST_F(PasskeyLinking, SendsTheSameAnswerOnceMoreThroughSilence) {
  boot();
  server.scan();
  server.silent = {"passkey_prologue"};
  Ended first;
  box.session->answer_passkey(PasskeyAnswer().text(), first.done());
  box.run(seconds(16));
  server.silent.clear();
  EXPECT_FALSE(first.got.has_value());
  box.run(seconds(15));
  EXPECT_EQ(first.code(), Errc::timeout) << "both were sent into silence";
  EXPECT_EQ(server.times("ref"), 2);
  EXPECT_EQ(server.times("passkey_prologue"), 2);
  EXPECT_EQ(server.times("passkey_request_options"), 1);
  EXPECT_EQ(stage(), Stage::awaiting_response);

  server.silent = {"passkey_prologue"};
  Ended second;
  box.session->answer_passkey(PasskeyAnswer().text(), second.done());
  box.run(seconds(5));
  server.silent.clear();
  box.run(seconds(11));
  EXPECT_TRUE(second.well());
}

TEST_F(PasskeyLinking, AsksAnewAfterARefusal) {
  for (const char* step : {"ref", "passkey_prologue"}) {
    boot();
    server.scan();
    server.refused = step;
    EXPECT_EQ(answer().code(), Errc::refused) << step;
    EXPECT_EQ(stage(), Stage::awaiting_response);
    EXPECT_TRUE(answer().well());
  }
  EXPECT_EQ(server.times("passkey_request_options"), 2);
}

TEST_F(PasskeyLinking, TakesTheWholeMinutesOfAFreshQuestion) {
  boot();
  server.scan();
  box.run(minutes(9));
  server.refused = "passkey_prologue";
  EXPECT_EQ(answer().code(), Errc::refused);
  box.run(minutes(9));
  EXPECT_TRUE(answer().well());
}

TEST_F(PasskeyLinking, BreaksOffOnKeysThatAreNoneAndOnRefusals) {
  const Bytes key = box.server.random.bytes(32);
  for (int fault = 0; fault < 5; ++fault) {
    boot();
    server.scan();
    ASSERT_TRUE(answer().well());
    if (fault == 0) server.continue_with(ByteView(key).first(31), key);
    if (fault == 1) server.continue_with(key, ByteView(key).first(16));
    if (fault == 2) server.continue_with(Bytes(32), key);  // all-zero shared secret
    if (fault == 3) server.notify("crsc_continuation", {});
    if (fault == 4) server.refused = "companion_nonce";
    if (fault == 4) server.continue_linking();
    EXPECT_EQ(box.state(), State::logged_out) << fault;
    EXPECT_EQ(box.session->state().cause, "passkey_failed") << fault;
    link_by_next_code();
    box.session->log_out([](Result<void>) {});
    box.run(seconds(12));
  }
}

TEST_F(PasskeyLinking, TheFirstKeysOfThePhoneCount) {
  boot();
  server.scan();
  ASSERT_TRUE(answer().well());
  server.continue_linking();
  const std::string code = box.session->passkey().code;
  server.continue_with(box.server.random.bytes(32), box.server.random.bytes(32));
  EXPECT_EQ(box.session->passkey().code, code);
  EXPECT_EQ(server.times("companion_nonce"), 1);
  EXPECT_TRUE(confirm().well());
  server.succeed(server.new_secret);
  finish();
}

TEST_F(PasskeyLinking, ThePhoneAndPairSuccessMayOvertakeTheAnswers) {
  boot();
  server.scan();
  server.unanswered = {"passkey_prologue", "encrypted_pairing_request"};
  Ended answered;
  box.session->answer_passkey(PasskeyAnswer().text(), answered.done());
  box.run(milliseconds(50));
  EXPECT_FALSE(answered.got.has_value());
  server.continue_linking();
  EXPECT_TRUE(answered.well()) << "the phone speaks, so it was taken";
  Ended confirmed;
  box.session->confirm_passkey(Linking::Codes::match, confirmed.done());
  box.run(seconds(20));
  EXPECT_FALSE(confirmed.got.has_value());
  server.succeed(server.new_secret);
  EXPECT_TRUE(confirmed.well());
  finish();
}

TEST_F(PasskeyLinking, KeepsTheOldSecretUntilTheNewOneIsTaken) {
  boot();
  compare();
  const auto stored = [&] {
    const auto blob = box.store->load("session.credentials");
    return std::string(as_text(**blob));
  };
  EXPECT_NE(stored().find(base64_encode(server.scanned())), std::string::npos);
  EXPECT_TRUE(confirm().well());
  EXPECT_NE(stored().find(base64_encode(server.new_secret)), std::string::npos);
}

TEST_F(PasskeyLinking, RefusesALinkUnderTheSecretOfBefore) {
  boot();
  compare();
  EXPECT_TRUE(confirm().well());
  server.succeed(server.scanned());
  EXPECT_TRUE(box.server.line().all("iq", "pair-device-sign").empty());
  EXPECT_EQ(box.session->state().cause, "link_refused");
  link_by_next_code();
}

TEST_F(PasskeyLinking, EndsAMinuteAfterTheRequestWhenNoLinkComes) {
  boot();
  compare();
  EXPECT_TRUE(confirm().well());
  box.run(seconds(61));
  EXPECT_EQ(box.session->state().cause, "passkey_unfinished");
  link_by_next_code();
}

TEST_F(PasskeyLinking, AnAbandonedTryLeavesTheNextCodeValidAtEveryStage) {
  for (int at = 0; at < 5; ++at) {
    boot();
    server.scan();
    if (at >= 1) server.silent = {at == 1 ? "ref" : ""};
    Ended answered;
    if (at >= 1) box.session->answer_passkey(PasskeyAnswer().text(), answered.done());
    box.run();
    if (at >= 3) server.continue_linking();
    Ended confirmed;
    if (at == 4) box.session->confirm_passkey(Linking::Codes::match, confirmed.done());
    box.run();
    if (at % 2 == 0) box.pull_the_plug();
    if (at % 2 == 0) box.boot();
    if (at % 2 == 1) box.server.line().close();
    box.run(seconds(2));
    if (at % 2 == 1) {
      EXPECT_NE(box.session->passkey().message.find("was lost"), std::string::npos) << at;
    }
    server.silent.clear();
    link_by_next_code();
    box.session->log_out([](Result<void>) {});
    box.run(seconds(12));
  }
}

TEST_F(PasskeyLinking, DifferentCodesBreakItOff) {
  boot();
  compare();
  EXPECT_TRUE(confirm(Linking::Codes::differ).well());
  EXPECT_EQ(server.times("encrypted_pairing_request"), 0);
  EXPECT_EQ(box.session->state().cause, "passkey_broken_off");
  box.run(minutes(5));
  EXPECT_EQ(box.server.lines.size(), 1U);
  link_by_next_code();
}

TEST_F(PasskeyLinking, MayBeBrokenOffBeforeThereIsACode) {
  boot();
  server.scan();
  EXPECT_TRUE(confirm(Linking::Codes::differ).well());
  EXPECT_EQ(stage(), Stage::none);
  link_by_next_code();
}

TEST_F(PasskeyLinking, ABoxThatWasLinkedBeforeProvesItAndShowsNoCode) {
  box.link();
  box.session->log_out([](Result<void>) {});
  box.run(seconds(12));
  (void)box.session->qr();
  box.run(seconds(5));
  server.scan();
  EXPECT_TRUE(answer().well());
  EXPECT_TRUE(server.proof);
  server.continue_linking();
  EXPECT_EQ(stage(), Stage::finishing);
  EXPECT_EQ(server.times("encrypted_pairing_request"), 1);
  server.succeed(server.new_secret);
  finish();
}

TEST_F(PasskeyLinking, AProofIsGoodForFiveMinutesAndTheSettingMakesOneAlways) {
  box.config.passkey_handoff = PasskeyHandoff::always;
  boot();
  server.scan();
  EXPECT_TRUE(answer().well());
  EXPECT_TRUE(server.proof);
  EXPECT_TRUE(confirm(Linking::Codes::differ).well());
  (void)box.session->qr();
  box.run(seconds(5));
  server.scan();
  box.run(minutes(5) + seconds(1));
  EXPECT_TRUE(answer().well());
  EXPECT_FALSE(server.proof);
  server.continue_linking();
  EXPECT_EQ(stage(), Stage::awaiting_confirmation);
}

TEST_F(PasskeyLinking, NewRefsAndARetiredSecretChangeNothingMeanwhile) {
  boot();
  server.scan();
  std::vector<wire::Node> refs{leaf("ref", as_bytes("2@LATE"))};
  box.server_says(
      wire::Node("iq", {{"type", "set"}, {"xmlns", "md"}, {"from", server_jid()}, {"id", "pair-9"}},
                 std::vector{wire::Node("pair-device", {}, std::move(refs))}));
  server.notify("companion_reg_refresh", {wire::Node("pair-device-rotate-qr")});
  EXPECT_FALSE(box.session->qr().has_value());
  EXPECT_EQ(stage(), Stage::awaiting_response);
  EXPECT_TRUE(answer().well());
  server.continue_linking();
  EXPECT_TRUE(confirm().well());
  server.succeed(server.new_secret);
  finish();
}

TEST_F(PasskeyLinking, ATypedCodeWaitsForItAndSaysWhy) {
  boot();
  server.scan();
  std::optional<Result<std::string>> code;
  box.session->request_link_code("4915550001234",
                                 [&](Result<std::string> got) { code = std::move(got); });
  ASSERT_TRUE(code && !*code);
  EXPECT_EQ(code->error().code, Errc::busy);
  EXPECT_NE(code->error().detail.find("passkey"), std::string::npos);
}

TEST_F(PasskeyLinking, NeverLogsWhatIsSecret) {
  static std::string logged;  // the sink is a plain function
  logged.clear();
  log::set_sink([](log::Level, std::string_view line) { logged += line; });
  boot();
  compare();
  const std::string code = box.session->passkey().code;
  EXPECT_TRUE(confirm().well());
  server.succeed(server.new_secret);
  finish();
  log::set_sink([](log::Level, std::string_view) {});
  EXPECT_NE(logged.find("passkey"), std::string::npos);
  for (const std::string& secret :
       {code, std::string("c2ln"), std::string("dGhlLWNoYWxsZW5nZQ"),
        base64_encode(server.new_secret), hex_encode(server.new_secret)})
    EXPECT_EQ(logged.find(secret), std::string::npos) << secret;
}

}  // namespace
}  // namespace posthorn::session
