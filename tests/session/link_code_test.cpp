#include <gtest/gtest.h>

#include <algorithm>

#include "box.h"
#include "posthorn/base/crypto.h"
#include "session/link_code.h"
#include "session/stanzas.h"

// Linking by a code typed on the phone, with a scripted phone. Protocol chapter 03 section 4.
namespace posthorn::session {
namespace {

using core_test::Box;
using core_test::FakeServer;

constexpr auto kPhone = "4915550001234";

/// The phone's side: it answers companion_hello, and links after companion_finish.
class Phone {
 public:
  explicit Phone(Box& box) : box_(box) {
    box.server.on_stanza = [this](FakeServer::Line& line, const wire::Node& stanza) {
      const wire::Node* registration = stanza.child("link_code_companion_reg");
      if (registration == nullptr || stanza.tag != "iq") return false;
      const std::string stage = registration->text_attr("stage");
      if (stage == "companion_hello") return on_hello(line, stanza, *registration);
      return on_finish(line, stanza, *registration);
    };
  }

  /// The person types this code.
  void type(const std::string& code) {
    std::string plain = code;
    std::erase(plain, '-');
    const auto companion = link_code::unwrap_ephemeral(plain, wrapped_companion_);
    ASSERT_TRUE(companion.has_value());
    companion_ = *companion;
    const Bytes wrapped = link_code::wrap_ephemeral(plain, box_.random.bytes(32),
                                                    box_.random.bytes(16), ephemeral_.public_key);
    notify("primary_hello",
           {wire::Node("link_code_pairing_ref", {}, to_bytes("REF-1")),
            wire::Node("link_code_pairing_wrapped_primary_ephemeral_pub", {}, wrapped),
            wire::Node("primary_identity_pub", {}, to_bytes(box_.server.account.public_key))});
  }

  void notify(const char* stage, std::vector<wire::Node> children) {
    wire::Node registration("link_code_companion_reg", {{"stage", stage}}, std::move(children));
    box_.server_says(wire::Node("notification",
                                {{"type", "link_code_companion_reg"},
                                 {"from", server_jid()},
                                 {"id", "L" + std::to_string(++notifications_)}},
                                std::vector{std::move(registration)}));
  }

  int refuse_hello_with = 0;
  wire::Node hello;
  int finishes = 0;

 private:
  static wire::Node result(const wire::Node& iq) {
    return wire::Node("iq", {{"type", "result"}, {"id", iq.text_attr("id")}});
  }

  bool on_hello(FakeServer::Line& line, const wire::Node& iq, const wire::Node& registration) {
    hello = registration;
    if (refuse_hello_with != 0) {
      wire::Node error("iq", {{"type", "error"}, {"id", iq.text_attr("id")}});
      error.content = std::vector{
          wire::Node("error", {{"code", std::to_string(refuse_hello_with)}, {"text", "no"}})};
      line.send(error);
      return true;
    }
    wrapped_companion_ =
        to_bytes(registration.child("link_code_pairing_wrapped_companion_ephemeral_pub")->bytes());
    wire::Node answer = result(iq);
    answer.content = std::vector{
        wire::Node("link_code_companion_reg", {},
                   std::vector{wire::Node("link_code_pairing_ref", {}, to_bytes("REF-1"))})};
    line.send(answer);
    return true;
  }

  /// Opens the bundle as a phone does, and signs the identity that is in it.
  bool on_finish(FakeServer::Line& line, const wire::Node& iq, const wire::Node& registration) {
    ++finishes;
    const ByteView bundle = registration.child("link_code_pairing_wrapped_key_bundle")->bytes();
    const ByteView identity = registration.child("companion_identity_public")->bytes();
    const auto shared = crypto::x25519(ephemeral_.private_key, companion_);
    const Bytes key = crypto::hkdf_sha256(
        *shared, bundle.first(32), as_bytes("link_code_pairing_key_bundle_encryption_key"), 32);
    const auto plain = crypto::aes_gcm_decrypt(key, bundle.subspan(32, 12), {}, bundle.subspan(44));
    if (!plain) {  // the person typed another code
      wire::Node error("iq", {{"type", "error"}, {"id", iq.text_attr("id")}});
      error.content = std::vector{wire::Node("error", {{"code", "400"}, {"text", "bad-request"}})};
      line.send(error);
      return true;
    }
    EXPECT_TRUE(std::ranges::equal(ByteView(*plain).first(32), identity));
    const auto shared_identity = crypto::x25519(box_.server.account.private_key, identity);
    const Bytes secret =
        crypto::hkdf_sha256(concat({*shared, *shared_identity, ByteView(*plain).subspan(64)}), {},
                            as_bytes("adv_secret"), 32);
    line.send(box_.server.pair_success(secret, identity));  // may overtake the answer
    line.send(result(iq));
    return true;
  }

  Box& box_;
  signal::KeyPair ephemeral_ = signal::make_key_pair(box_.server.random);
  crypto::Key32 companion_{};
  Bytes wrapped_companion_;
  int notifications_ = 0;
};

struct Answer {
  std::optional<Result<std::string>> got;
  Once<void(Result<std::string>)> done() {
    return [this](Result<std::string> answer) { got = std::move(answer); };
  }
};

TEST(LinkByCode, GoesThroughBothStagesToOnline) {
  Box box;
  Phone phone(box);
  box.boot();
  box.run();
  Answer answer;
  box.session->request_link_code(kPhone, answer.done());
  box.run();
  ASSERT_TRUE(answer.got && *answer.got);
  const std::string code = **answer.got;
  EXPECT_EQ(code.size(), 9U);
  EXPECT_EQ(code[4], '-');
  EXPECT_EQ(phone.hello.text_attr("jid"), "4915550001234@s.whatsapp.net");
  EXPECT_EQ(phone.hello.text_attr("should_show_push_notification"), "true");
  EXPECT_EQ(phone.hello.child("link_code_pairing_nonce")->bytes().size(), 1U);
  phone.type(code);
  box.run();
  EXPECT_EQ(box.server.line().all("iq", "pair-device-sign").size(), 1U);
  EXPECT_EQ(box.server.line().all("ack").size(), 1U);
  box.run(seconds(8));
  EXPECT_EQ(box.state(), State::online);
}

TEST(LinkByCode, BeginsARoundWhenNoneRuns) {
  Box box;
  Phone phone(box);
  box.boot();
  box.run(minutes(5));
  ASSERT_EQ(box.state(), State::logged_out);
  Answer answer;
  box.session->request_link_code(kPhone, answer.done());
  box.run(seconds(2));
  EXPECT_TRUE(answer.got && *answer.got);
}

TEST(LinkByCode, ShowsTheSameCodeAgainAndNoSecondOne) {
  Box box;
  Phone phone(box);
  box.boot();
  box.run();
  Answer first;
  Answer same;
  Answer other;
  box.session->request_link_code(kPhone, first.done());
  box.run();
  box.session->request_link_code(kPhone, same.done());
  box.session->request_link_code("4915550009999", other.done());
  box.run();
  EXPECT_EQ(**first.got, **same.got);
  EXPECT_EQ(other.got->error().code, Errc::busy);
  box.run(seconds(181));
  Answer later;
  box.session->request_link_code("4915550009999", later.done());
  box.run(seconds(5));
  EXPECT_TRUE(later.got && *later.got);
}

TEST(LinkByCode, SaysWhyThereIsNoCode) {
  for (const auto& [code, word] : std::vector<std::pair<int, std::string>>{
           {400, "wait"}, {403, "QR"}, {429, "attempts"}, {452, "not available"}, {500, "again"}}) {
    Box box;
    Phone phone(box);
    phone.refuse_hello_with = code;
    box.boot();
    box.run();
    Answer answer;
    box.session->request_link_code(kPhone, answer.done());
    box.run();
    ASSERT_TRUE(answer.got && !*answer.got);
    EXPECT_EQ(answer.got->error().code, Errc::refused);
    EXPECT_NE(answer.got->error().detail.find(word), std::string::npos) << code;
    EXPECT_TRUE(box.session->qr().has_value());  // QR still works
  }
  Box box;
  box.boot();
  Answer answer;
  box.session->request_link_code("+49 155", answer.done());
  EXPECT_EQ(answer.got->error().code, Errc::malformed);
}

TEST(LinkByCode, SurvivesAMistypedCode) {
  Box box;
  Phone phone(box);
  box.boot();
  box.run();
  Answer answer;
  box.session->request_link_code(kPhone, answer.done());
  box.run();
  phone.type("1111-1111");
  box.run(seconds(1));
  EXPECT_TRUE(box.session->account().phone.empty());
  EXPECT_EQ(phone.finishes, 1);
  Answer again;
  box.session->request_link_code(kPhone, again.done());
  box.run();
  ASSERT_TRUE(again.got && *again.got);
  phone.type(**again.got);
  box.run(seconds(8));
  EXPECT_EQ(box.state(), State::online);
}

TEST(LinkByCode, IgnoresStagesAndRefsThatAreNotForIt) {
  Box box;
  Phone phone(box);
  box.boot();
  box.run();
  Answer answer;
  box.session->request_link_code(kPhone, answer.done());
  box.run();
  phone.notify("primary_hello", {wire::Node("link_code_pairing_ref", {}, to_bytes("OTHER"))});
  phone.notify("something_else", {wire::Node("link_code_pairing_ref", {}, to_bytes("REF-1"))});
  // Beside a passkey request the server sends one without the phone's keys.
  phone.notify("primary_hello", {wire::Node("link_code_pairing_ref", {}, to_bytes("REF-1"))});
  EXPECT_EQ(phone.finishes, 0);
  phone.type(**answer.got);
  box.run(seconds(8));
  EXPECT_EQ(box.state(), State::online);
}

TEST(LinkByCode, EndsWhenTheServerVoidsTheCode) {
  Box box;
  Phone phone(box);
  box.boot();
  box.run();
  Answer answer;
  box.session->request_link_code(kPhone, answer.done());
  box.run();
  const std::string first = **answer.got;
  phone.notify("refresh_code", {wire::Node("link_code_pairing_ref", {}, to_bytes("REF-1"))});
  Answer again;
  box.session->request_link_code(kPhone, again.done());
  box.run();
  ASSERT_TRUE(again.got && *again.got);
  EXPECT_NE(**again.got, first);
}

TEST(LinkByCode, IsRefusedWhenLinkedAndCancelledAtTheEnd) {
  Box box;
  box.dialer.refuse = true;
  box.boot();
  Answer waiting;
  box.session->request_link_code(kPhone, waiting.done());
  box.pull_the_plug();
  ASSERT_TRUE(waiting.got.has_value());
  EXPECT_FALSE(waiting.got->has_value());
  box.dialer.refuse = false;
  box.link();
  Answer answer;
  box.session->request_link_code(kPhone, answer.done());
  EXPECT_EQ(answer.got->error().code, Errc::refused);
}

TEST(LinkByCode, ACodeThatOutlivesTheQrCodesLeavesAWayOn) {
  Box box;
  Phone phone(box);
  box.boot();
  box.run(seconds(30));
  Answer answer;
  box.session->request_link_code(kPhone, answer.done());
  box.run(seconds(140));  // the QR codes are used up
  EXPECT_EQ(box.state(), State::pairing);
  EXPECT_FALSE(box.session->qr());
  box.run(seconds(60));  // nobody has typed the code
  (void)box.session->qr();
  box.run(seconds(5));
  EXPECT_TRUE(box.session->qr());
}

}  // namespace
}  // namespace posthorn::session
