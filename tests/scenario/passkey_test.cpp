// Linking an account with a passkey, through the API as the page and posthornctl do it. The
// simulator checks the signature and everything else that the box sends.

#include <gtest/gtest.h>

#include "scenario/shop.h"

namespace posthorn::scenario {
namespace {

using simulator::AssertionFlaw;
using simulator::PasskeyFlaw;

class PasskeyShop : public testing::Test {
 protected:
  PasskeyShop() { shop.phone = shop.world.add_account().pn.user; }
  ~PasskeyShop() override {
    for (const auto& violation : shop.world.violations()) ADD_FAILURE() << violation.what;
  }

  void passkey(std::optional<PasskeyFlaw> flaw) {
    ASSERT_TRUE(shop.world.set_passkey(shop.phone, flaw).has_value());
  }
  /// Waits for a code and lets the phone scan it.
  void scan() {
    std::string text;
    for (int i = 0; i < 300 && text.empty(); ++i) {
      shop.pass(milliseconds(200));
      text = json::string_at(shop.call("qr").body, "qrText").value_or("");
    }
    ASSERT_FALSE(text.empty()) << json::write(shop.call("qr").body);
    linked.reset();
    shop.world.scan(text, shop.phone,
                    [this](Result<wire::Jid> device) { linked = std::move(device); });
    shop.pass(seconds(1));
  }
  json::Value ask() {
    shop.pass(seconds(1));  // calls a second are counted
    return shop.call("getPasskey").body;
  }
  std::string status() { return ask()["status"].asString(); }
  Shop::Answer answer(AssertionFlaw flaw = AssertionFlaw::none) {
    const auto made = shop.world.passkey_answer(shop.phone, ask()["options"], flaw);
    EXPECT_TRUE(made.has_value());
    return shop.post("sendPasskeyResponse", json::write(*made));
  }
  Shop::Answer confirm(bool match = true) {
    shop.pass(seconds(1));
    return shop.post("confirmPasskey", match ? R"({"match":true})" : R"({"match":false})");
  }
  bool online(seconds within = seconds(30)) {
    for (seconds gone{0}; gone < within; gone += seconds(1)) {
      if (shop.box->status().link == Status::Link::online) return true;
      shop.pass(seconds(1));
    }
    return false;
  }
  [[nodiscard]] simulator::Simulator::PasskeySeen seen() const {
    return *shop.world.passkey_seen(shop.phone);
  }
  /// All of it.
  void link() {
    scan();
    finish();
  }
  /// What follows the scan.
  void finish() {
    const auto taken = answer();
    ASSERT_EQ(taken.status, 200) << json::write(taken.body);
    const json::Value now = ask();
    ASSERT_EQ(now["status"].asString(), "awaitingConfirmation") << json::write(now);
    EXPECT_EQ(now["code"].asString(), seen().code);
    EXPECT_EQ(confirm().status, 200);
    EXPECT_TRUE(online());
    EXPECT_TRUE(linked && *linked);
  }
  /// Another try, nothing in its way.
  void link_without_faults() {
    shop.world.clear_faults();
    passkey(PasskeyFlaw::none);
    link();
  }

  Shop shop;
  std::optional<Result<wire::Jid>> linked;
};

TEST_F(PasskeyShop, IsLinkedThroughTheApiAlone) {
  passkey(PasskeyFlaw::none);
  EXPECT_EQ(status(), "none");
  scan();
  const json::Value qr = shop.call("qr").body;
  EXPECT_EQ(qr["type"].asString(), "passkeyRequired");
  EXPECT_FALSE(qr["message"].asString().empty());
  EXPECT_EQ(qr["passkeyOptions"]["rpId"].asString(), "whatsapp.com");
  shop.pass(seconds(1));
  EXPECT_EQ(shop.call("getStateInstance").body["stateInstance"].asString(), "notAuthorized");
  EXPECT_EQ(shop.box->status().link_cause, "passkey_required");
  const json::Value asked = ask();
  EXPECT_EQ(asked["status"].asString(), "awaitingResponse");
  EXPECT_GT(asked["secondsLeft"].asInt(), 590);
  EXPECT_EQ(*json::parse(asked["optionsText"].asString()), asked["options"]);
  EXPECT_NE(asked["snippet"].asString().find(asked["optionsText"].asString()), std::string::npos);
  finish();
  EXPECT_FALSE(seen().handoff_proof);
  EXPECT_EQ(status(), "none");
}

TEST_F(PasskeyShop, RefusesWhatAWrongBrowserAnswersBeforeItLeavesTheBox) {
  passkey(PasskeyFlaw::none);
  scan();
  for (const auto flaw : {AssertionFlaw::challenge, AssertionFlaw::origin, AssertionFlaw::rp_id,
                          AssertionFlaw::flags, AssertionFlaw::credential}) {
    const auto refused = answer(flaw);
    EXPECT_EQ(refused.status, 400);
    EXPECT_FALSE(refused.body["message"].asString().empty());
    EXPECT_EQ(status(), "awaitingResponse");
  }
  // Only the server can see this one, and asks anew.
  const std::string before = ask()["options"]["challenge"].asString();
  EXPECT_EQ(answer(AssertionFlaw::signature).status, 400);
  EXPECT_NE(ask()["options"]["challenge"].asString(), before);
  shop.pass(seconds(1));
  ASSERT_EQ(answer().status, 200);
  shop.pass(seconds(1));
  EXPECT_EQ(confirm().status, 200);
  EXPECT_TRUE(online());
}

class LinksAnyway : public PasskeyShop, public testing::WithParamInterface<PasskeyFlaw> {};

TEST_P(LinksAnyway, WhateverComesInBetween) {
  passkey(GetParam());
  link();
}

INSTANTIATE_TEST_SUITE_P(Passkey, LinksAnyway,
                         testing::Values(PasskeyFlaw::options_missing, PasskeyFlaw::options_damaged,
                                         PasskeyFlaw::stranger_asks, PasskeyFlaw::secret_retired,
                                         PasskeyFlaw::new_refs, PasskeyFlaw::bare_code_notice,
                                         PasskeyFlaw::phone_first, PasskeyFlaw::phone_twice,
                                         PasskeyFlaw::success_first));

class BreaksOff : public PasskeyShop, public testing::WithParamInterface<PasskeyFlaw> {};

TEST_P(BreaksOff, AndTheNextCodeLinks) {
  passkey(GetParam());
  scan();
  if (status() == "awaitingResponse") {
    EXPECT_EQ(answer().status, 200);
  }
  if (status() == "awaitingConfirmation") (void)confirm();
  for (int i = 0; i < 200 && status() != "none"; ++i) shop.pass(seconds(1));
  const json::Value after = ask();
  EXPECT_EQ(after["status"].asString(), "none");
  EXPECT_NE(shop.box->status().link, Status::Link::online);
  EXPECT_EQ(shop.call("getStateInstance").body["stateInstance"].asString(), "notAuthorized");
  EXPECT_NE(after["message"].asString().find("Begin anew"), std::string::npos);
  link_without_faults();
}

INSTANTIATE_TEST_SUITE_P(Passkey, BreaksOff,
                         testing::Values(PasskeyFlaw::options_withheld, PasskeyFlaw::phone_silent,
                                         PasskeyFlaw::short_key, PasskeyFlaw::short_nonce,
                                         PasskeyFlaw::zero_key, PasskeyFlaw::nonce_refused,
                                         PasskeyFlaw::request_refused, PasskeyFlaw::no_success,
                                         PasskeyFlaw::old_secret));

TEST_F(PasskeyShop, ARefusedAnswerIsAskedForAnew) {
  passkey(PasskeyFlaw::answer_refused);
  scan();
  EXPECT_EQ(answer().status, 400);
  shop.pass(seconds(1));
  EXPECT_EQ(answer().status, 200);
  shop.pass(seconds(1));
  EXPECT_EQ(confirm().status, 200);
  EXPECT_TRUE(online());
}

/// The line breaks before or behind one stanza of the exchange.
struct Break {
  simulator::Fault::Where where;
  simulator::Fault::Action action;
  const char* child;
  const char* type;
};

class LineBreaks : public PasskeyShop, public testing::WithParamInterface<Break> {};

TEST_P(LineBreaks, AndTheNextCodeLinks) {
  passkey(PasskeyFlaw::none);
  simulator::Fault fault;
  fault.where = GetParam().where;
  fault.action = GetParam().action;
  fault.child = GetParam().child;
  fault.type = GetParam().type;
  shop.world.add_fault(fault);
  scan();
  if (status() == "awaitingResponse") (void)answer();
  if (status() == "awaitingConfirmation") (void)confirm();
  shop.pass(seconds(5));
  EXPECT_NE(shop.box->status().link, Status::Link::online);
  link_without_faults();
}

constexpr auto kIn = simulator::Fault::Where::in;
constexpr auto kOut = simulator::Fault::Where::out;
constexpr auto kClose = simulator::Fault::Action::close;
constexpr auto kCloseAfter = simulator::Fault::Action::close_after;

INSTANTIATE_TEST_SUITE_P(Passkey, LineBreaks,
                         testing::Values(Break{kOut, kClose, "", "passkey_prologue_request"},
                                         Break{kOut, kCloseAfter, "", "passkey_prologue_request"},
                                         Break{kIn, kClose, "ref", ""},
                                         Break{kIn, kCloseAfter, "ref", ""},
                                         Break{kIn, kClose, "passkey_prologue", ""},
                                         Break{kIn, kCloseAfter, "passkey_prologue", ""},
                                         Break{kOut, kClose, "", "crsc_continuation"},
                                         Break{kOut, kCloseAfter, "", "crsc_continuation"},
                                         Break{kIn, kClose, "companion_nonce", ""},
                                         Break{kIn, kCloseAfter, "companion_nonce", ""},
                                         Break{kIn, kClose, "encrypted_pairing_request", ""},
                                         Break{kOut, kClose, "pair-success", ""}));

TEST_F(PasskeyShop, APowerCutAtAnyStageLeavesTheNextCodeValid) {
  for (int stage = 0; stage < 3; ++stage) {
    passkey(PasskeyFlaw::no_success);
    scan();
    if (stage >= 1) {
      EXPECT_EQ(answer().status, 200);
    }
    shop.pass(seconds(1));
    if (stage >= 2) {
      EXPECT_EQ(confirm().status, 200);
    }
    shop.end_at_once();
    shop.boot();
  }
  link_without_faults();
}

TEST_F(PasskeyShop, NobodyWhoComparesSaysNoInVain) {
  passkey(PasskeyFlaw::none);
  scan();
  EXPECT_EQ(answer().status, 200);
  EXPECT_EQ(status(), "awaitingConfirmation");
  EXPECT_EQ(confirm(false).body["confirmed"].asBool(), false);
  EXPECT_EQ(status(), "none");
  EXPECT_EQ(seen().stage, "compared");
  link_without_faults();
}

TEST_F(PasskeyShop, ABoxThatIsLinkedAgainProvesIt) {
  shop.link();
  EXPECT_EQ(shop.call("logout").body["isLogout"].asBool(), true);
  passkey(PasskeyFlaw::none);
  scan();
  EXPECT_EQ(answer().status, 200);
  EXPECT_TRUE(online());
  EXPECT_TRUE(seen().handoff_proof);
}

TEST_F(PasskeyShop, AsksAfterATypedCodeToo) {
  passkey(PasskeyFlaw::none);
  shop.pass(seconds(5));
  const auto code = shop.post("getAuthorizationCode", R"({"phoneNumber":")" + shop.phone + "\"}");
  ASSERT_TRUE(code.body["status"].asBool()) << json::write(code.body);
  shop.world.type_link_code(shop.phone, code.body["code"].asString(), [](Result<wire::Jid>) {});
  shop.pass(seconds(2));
  EXPECT_EQ(status(), "awaitingResponse");
  const auto again = shop.post("getAuthorizationCode", R"({"phoneNumber":")" + shop.phone + "\"}");
  EXPECT_FALSE(again.body["status"].asBool());
  EXPECT_EQ(again.body["type"].asString(), "passkeyRequired");
  EXPECT_EQ(answer().status, 200);
  shop.pass(seconds(1));
  EXPECT_EQ(confirm().status, 200);
  EXPECT_TRUE(online());
}

}  // namespace
}  // namespace posthorn::scenario
