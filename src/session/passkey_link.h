#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "posthorn/base/clock.h"
#include "posthorn/base/config.h"
#include "posthorn/base/random.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/session/linking.h"
#include "posthorn/signal/curve.h"
#include "session/passkey_crypto.h"
#include "session/passkey_json.h"
#include "session/questions.h"

namespace posthorn::session {

/// From WhatsApp's question for the account's passkey to the moment before pair-success. One at a
/// time; everything secret lives in memory only and ends with it. Source: protocol chapter 14
/// sections 2.1 to 2.7.
class PasskeyLink {
 public:
  static constexpr milliseconds kAnswerDue{15'000};  ///< of each question
  static constexpr minutes kHandoffValid{5};
  static constexpr minutes kWaitForPhone{3};
  static constexpr minutes kWaitForComparison{5};
  static constexpr seconds kWaitForSuccess{60};

  struct Outside {
    Scheduler& scheduler;
    Clock& clock;
    Random& random;
    Questions& questions;
  };
  /// Who this box is.
  struct Keys {
    crypto::Key32 noise_public;
    crypto::Key32 identity_public;
    Bytes adv_secret;  ///< that the phone knows from the QR code, or from the typed code
    bool linked_before = false;
  };
  struct Host {
    virtual ~Host() = default;
    [[nodiscard]] virtual Result<Keys> passkey_keys() = 0;
    /// Stage, code or time have changed.
    virtual void on_passkey_news() = 0;
    /// WhatsApp has taken the request: the new secret is to be kept.
    virtual Result<void> keep_secret(const Bytes& adv_secret) = 0;
    /// It is over without a link; the connection is to be closed.
    virtual void on_passkey_failed(std::string cause, std::string what_to_do) = 0;
  };

  PasskeyLink(Outside outside, PasskeyHandoff handoff, Host& host);
  PasskeyLink(const PasskeyLink&) = delete;
  PasskeyLink& operator=(const PasskeyLink&) = delete;
  ~PasskeyLink();

  [[nodiscard]] bool active() const { return step_ != Step::none; }
  [[nodiscard]] Passkey passkey() const;
  /// Under which pair-success is to be accepted now; nullopt: the stored one.
  [[nodiscard]] std::optional<Bytes> candidate() const;

  /// <notification type="passkey_prologue_request"> of the server; also while one is open, unless
  /// the request has left already.
  void on_request(const wire::Node& notification);
  /// <notification type="crsc_continuation"> of the server; ignored where nobody waits for it.
  void on_continuation(const wire::Node& notification);
  void answer(const std::string& response, Once<void(Result<void>)> done);
  void confirm(Linking::Codes codes, Once<void(Result<void>)> done);

  void on_linked();
  /// pair-success came and did not fit.
  void on_link_refused();
  void on_offline();

 private:
  enum class Step : std::uint8_t {
    none,
    asking_options,
    awaiting_response,
    getting_ref,
    sending_prologue,
    awaiting_phone,
    sending_nonce,
    awaiting_confirmation,
    sending_request,
    awaiting_success,
  };
  /// One try with one ref.
  struct Try {
    signal::KeyPair ephemeral;
    Bytes nonce;
    Bytes secret;
    std::string ref;
    Bytes key;  ///< of the request
    std::string code;
    bool proven = false;  ///< a handoff proof went along
  };
  using Done = Once<void(Result<void>)>;
  using Answered = void (PasskeyLink::*)(Result<wire::Node>);

  void enter(Step step, std::optional<milliseconds> at_most = {});
  void on_time_over();
  void ask(wire::Node iq, Answered answered);
  void take_options(passkey::Options options);
  void ask_options();
  void on_options(Result<wire::Node> answer);
  void get_ref();
  void on_ref(Result<wire::Node> answer);
  void send_prologue(const std::string& ref);
  [[nodiscard]] bool proof_wanted() const;
  void on_prologue(Result<wire::Node> answer);
  void on_accepted();
  void refused(const Error& why);
  void send_nonce(const passkey::PrimaryIdentity& primary);
  void on_nonce(Result<wire::Node> answer);
  void send_request();
  void on_request_taken(Result<wire::Node> answer);
  void end(const Error& why);
  void give_up(std::string cause, std::string what_to_do);
  void settle(Result<void> result);

  Outside out_;
  PasskeyHandoff handoff_;
  Host& host_;
  Step step_ = Step::none;
  std::uint64_t generation_ = 0;  ///< answers of an earlier step fall silent
  Timer timer_;
  std::optional<Wall> until_;
  passkey::Options options_;
  passkey::Assertion assertion_;
  bool repeated_ = false;  ///< the same assertion went a second time
  Bytes handoff_key_;      ///< used once; empty: none
  Mono handoff_made_;
  Try try_;
  Done done_;  ///< of the person's last word
  std::string last_failure_;
};

}  // namespace posthorn::session
