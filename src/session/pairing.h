#pragma once

#include <memory>
#include <optional>
#include <string>

#include "posthorn/base/clock.h"
#include "posthorn/base/worker.h"
#include "posthorn/signal/protocol.h"
#include "posthorn/store/store.h"
#include "session/adv.h"
#include "session/credentials.h"
#include "session/link_code.h"
#include "session/passkey_link.h"
#include "session/qr.h"
#include "session/questions.h"

namespace posthorn::session {

/// Links the box to an account, by QR code or by a code typed on the phone, on a connection with a
/// registration payload; where WhatsApp asks for a passkey in between, PasskeyLink answers.
/// Source: protocol chapter 03.
class Pairing final : private PasskeyLink::Host {
 public:
  static constexpr seconds kCodeValid{180};
  static constexpr seconds kWaitForSuccess{60};
  /// How often a round without QR codes asks whether its code has ended.
  static constexpr seconds kLookAgain{5};
  static constexpr seconds kWaitForConnection{30};
  static constexpr int kMostPrimaryHellos = 3;
  static constexpr milliseconds kTimeout{30'000};

  struct Outside {
    Scheduler& scheduler;
    Clock& clock;
    Random& random;
    Worker& worker;
    store::Store& store;
    signal::Protocol& protocol;
    Questions& questions;
    CredentialStore& credentials;
  };
  struct Host {
    virtual ~Host() = default;
    virtual void write_pairing(wire::Node stanza) = 0;
    /// Credentials are on disk and the answer is on its way: the restart follows.
    virtual void on_paired() = 0;
    /// The QR codes of this round are used up and nobody waits for a typed code.
    virtual void on_round_over() = 0;
    /// PasskeyLink goes on: what a person is to do now is in passkey().
    virtual void on_passkey() = 0;
    /// This attempt failed; the connection is to be closed. again: a new round may begin by itself.
    enum class Again : bool { no, yes };
    virtual void on_pairing_failed(std::string cause, std::string what_to_do, Again again) = 0;
  };

  Pairing(Outside outside, PasskeyHandoff handoff, Host& host);
  ~Pairing() override;

  /// The text of the QR code to show now.
  [[nodiscard]] std::optional<std::string> qr();
  /// Waits for the connection if there is none yet. See Session::request_link_code.
  void request_code(const std::string& phone, Once<void(Result<std::string>)> done);
  /// Somebody waits for a typed code, or one is shown: do not end the connection for lack of refs.
  [[nodiscard]] bool code_active() const { return code_state_ != CodeState::none; }
  /// WhatsApp asks for a passkey, or how that ended.
  [[nodiscard]] PasskeyLink& passkey() { return passkey_; }
  [[nodiscard]] const PasskeyLink& passkey() const { return passkey_; }

  /// Stanzas of a connection that is not linked yet. false: not for pairing.
  bool on_iq(const wire::Node& iq);
  bool on_notification(const wire::Node& notification);
  /// The connection is gone. Codes on screen are void.
  void on_offline();

 private:
  enum class CodeState : std::uint8_t {
    none,
    waiting,    ///< for the connection to be ready
    wrapping,   ///< PBKDF2 for companion_hello
    asked,      ///< companion_hello sent
    shown,      ///< the person types
    finishing,  ///< PBKDF2 for companion_finish, or it is sent and pair-success is awaited
  };
  struct Code {
    std::string phone;
    std::string code;
    signal::KeyPair ephemeral;
    Bytes ref;
    Mono made;
    int primary_hellos = 0;
    bool finished_once = false;
    Once<void(Result<std::string>)> done;
  };

  void on_pair_device(const wire::Node& iq);
  void on_pair_success(const wire::Node& iq);
  Result<void> commit(const PairSuccess& success, const Attestation& attestation,
                      const Bytes& adv_secret);
  void refuse(const std::string& id, const Error& why);
  void show_next_ref();

  void begin_code();
  void send_companion_hello(const Bytes& wrapped);
  void on_companion_hello(Result<wire::Node> answer);
  void on_code_notification(const wire::Node& registration);
  void on_primary_hello(const wire::Node& registration);
  void send_companion_finish(crypto::Key32 primary_identity, Result<crypto::Key32> ephemeral);
  void on_companion_finish(Result<wire::Node> answer);
  void end_code(Error why);
  void on_secret_retired(const wire::Node& notification);
  void on_passkey_notification(const wire::Node& notification, const std::string& type);

  // PasskeyLink::Host
  Result<PasskeyLink::Keys> passkey_keys() override;
  void on_passkey_news() override { host_.on_passkey(); }
  Result<void> keep_secret(const Bytes& adv_secret) override;
  void on_passkey_failed(std::string cause, std::string what_to_do) override;

  Result<void> rotate_secret();
  void ack(const wire::Node& notification);

  Outside out_;
  Host& host_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< shared with Worker and disk
  std::uint64_t connection_ = 0;  ///< answers of an earlier connection fall silent
  bool ready_ = false;            ///< pair-device has been answered
  bool committing_ = false;
  QrRound round_;
  Timer ref_timer_;
  CodeState code_state_ = CodeState::none;
  Code code_;
  Timer code_timer_;
  PasskeyLink passkey_;
};

}  // namespace posthorn::session
