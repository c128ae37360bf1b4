#pragma once

#include <string>

#include "posthorn/base/base64url.h"
#include "posthorn/base/crypto.h"

namespace posthorn::session::core_test {

/// What a browser gives back for a passkey, each part replaceable. Nobody has signed it.
struct PasskeyAnswer {
  std::string type = "public-key";
  std::string raw_id = "cred1";
  std::string client_type = "webauthn.get";
  std::string challenge = "dGhlLWNoYWxsZW5nZQ";
  std::string origin = "https://web.whatsapp.com";
  std::string rp_id = "whatsapp.com";
  unsigned flags = 0x05;
  std::size_t data_bytes = 37;
  std::string more;  ///< further members of the answer

  [[nodiscard]] Bytes client_data() const {
    return to_bytes(R"({"type":")" + client_type + R"(","challenge":")" + challenge +
                    R"(","origin":")" + origin + R"(","crossOrigin":false})");
  }
  [[nodiscard]] Bytes authenticator_data() const {
    Bytes out = to_bytes(crypto::sha256(as_bytes(rp_id)));
    out.push_back(static_cast<std::byte>(flags));
    out.resize(data_bytes);
    return out;
  }
  [[nodiscard]] std::string text() const {
    return R"({"id":")" + base64url_encode(as_bytes(raw_id)) + R"(","rawId":")" +
           base64url_encode(as_bytes(raw_id)) + R"(","type":")" + type + R"(",)" + more +
           R"("response":{"authenticatorData":")" + base64url_encode(authenticator_data()) +
           R"(","clientDataJSON":")" + base64url_encode(client_data()) +
           R"(","signature":"c2ln"}})";
  }
};

/// What it answers: the example of protocol chapter 14 section 2.2.
inline constexpr auto kPasskeyOptions =
    R"({"challenge":"dGhlLWNoYWxsZW5nZQ","timeout":600000,"rpId":"whatsapp.com","allowCredentials":[{"id":"Y3JlZDE","type":"public-key","transports":["internal","hybrid"]}],"userVerification":"required","extensions":{}})";

}  // namespace posthorn::session::core_test
