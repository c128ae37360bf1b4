#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/wire/wa.pb.h"
#include "simulator/directory.h"
#include "simulator/passkey_link.h"

namespace posthorn::simulator {

class World;

/// Linking of companions by QR code and by link code: the server's and the phone's part.
/// Source: protocol chapter 03, 13 B4.
class Pairing {
 public:
  using Done = Once<void(Result<wire::Jid>)>;

  explicit Pairing(World& world) : world_(world) {}
  ~Pairing();

  /// A connection with a registration payload: sends the refs.
  void begin(Connection& connection, const wa::ClientPayload& payload);
  void on_stanza(Connection& connection, const wire::Node& stanza);
  void on_gone(const Connection& connection);

  void scan(std::string_view qr, std::string_view account, Done done, LinkFlaw flaw);
  void type_link_code(std::string_view account, std::string_view code, Done done);

 private:
  struct Registration {
    std::uint64_t connection = 0;
    wa::ClientPayload payload;
    std::vector<std::string> refs;
    std::size_t used_refs = 0;
    std::string pair_device_id;
    std::unique_ptr<Timer> expiry;
    // Link code.
    std::string phone;  ///< whose code is shown
    std::string code_ref;
    Bytes wrapped_companion;  ///< 80 bytes
    signal::KeyPair primary_ephemeral;
    std::optional<crypto::Key32> shared_ephemeral;
    std::unique_ptr<PasskeyLink> passkey;  ///< asked for, since the phone has scanned
    // After pair-success has been sent.
    Account* account = nullptr;
    std::uint16_t device_id = 0;
    std::uint32_t key_index = 0;
    std::string success_id;
    std::string inner_details;
    Bytes identity;
    LinkFlaw flaw = LinkFlaw::none;
    Done done;
  };

  void expire_ref(Registration& registration);
  [[nodiscard]] Bytes sign_companion(const Registration& registration, const Account& account);
  /// The phone knows this client: pair-success, or first the passkey.
  void on_recognised(Registration& registration, Account& account, ByteView adv_secret);
  void send_success(Registration& registration, Account& account, ByteView adv_secret);
  void on_sign(Connection& connection, Registration& registration, const wire::Node& answer);
  Result<Bytes> check_signed_identity(const Registration& registration, const wire::Node& answer);
  void complete(Connection& connection, Registration& registration, Bytes device_identity);
  void restart(Connection& connection);
  void on_link_code(Connection& connection, Registration& registration, const wire::Node& iq,
                    const wire::Node& child);
  Result<Bytes> open_bundle(const Registration& registration, const wire::Node& child);
  void finish(Registration& registration, Result<wire::Jid> result);

  World& world_;
  std::map<std::uint64_t, Registration> registrations_;
};

}  // namespace posthorn::simulator
