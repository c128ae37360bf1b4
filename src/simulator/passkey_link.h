#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "posthorn/signal/curve.h"
#include "posthorn/wire/node.h"
#include "posthorn/wire/wa.pb.h"

namespace posthorn::simulator {

class Connection;
class World;
struct Account;

/// Between the scan and pair-success of an account with a passkey: the server's and the phone's
/// part for one connection. Checks everything that a client sends. Source: protocol chapter 14.
class PasskeyLink {
 public:
  using Registration = wa::ClientPayload::DevicePairingRegistrationData;
  /// secret: under which pair-success goes out.
  using Success = std::function<void(ByteView secret)>;

  /// scanned: the secret that the phone knows from the QR code or the typed code.
  PasskeyLink(World& world, Connection& connection, Account& account, const Registration& data,
              ByteView scanned, Success success);

  /// Asks the client for the passkey.
  void demand();
  /// A question of the client. false: it is about something else.
  bool on_iq(Connection& connection, const wire::Node& iq);

 private:
  void send_question(const wire::Jid& from, std::string_view options);
  void disturb();
  void give_options(Connection& connection, const wire::Node& iq);
  void give_ref(Connection& connection, const wire::Node& iq);
  void on_prologue(Connection& connection, const wire::Node& iq, const wire::Node& prologue);
  Result<void> check_prologue(const wire::Node& prologue);
  Result<void> check_payload(ByteView payload);
  void send_identity();
  void on_nonce(Connection& connection, const wire::Node& iq, const wire::Node& nonce);
  void on_request(Connection& connection, const wire::Node& iq, const wire::Node& request);
  [[nodiscard]] Result<Bytes> open_request(const Connection& connection, ByteView sealed) const;
  void refuse(Connection& connection, const wire::Node& iq, const Error& why);
  void deliver(const wire::Node& stanza);
  [[nodiscard]] std::string options() const;

  World& world_;
  std::uint64_t connection_;
  Account& account_;
  Bytes companion_identity_;
  std::uint32_t device_type_ = 0;
  Bytes scanned_;
  Success success_;

  enum class Step : std::uint8_t { asked, prologue_taken, nonce_taken, done } step_ = Step::asked;
  Bytes challenge_;
  std::string ref_;  ///< good for one prologue
  std::string used_ref_;
  Bytes identity_;   ///< CompanionEphemeralIdentity as it came
  Bytes companion_;  ///< the public key in it
  Bytes commitment_;
  signal::KeyPair ephemeral_;
  Bytes nonce_;
  bool refused_once_ = false;
};

}  // namespace posthorn::simulator
