#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"
#include "posthorn/base/time.h"

/// The two JSON texts of a passkey: what WhatsApp asks, and what a browser answers. Pure.
/// Source: protocol chapter 14 section 2.2; W3C Web Authentication Level 3, sections 5.1.3, 5.8.1
/// and 6.1.
namespace posthorn::session::passkey {

/// PublicKeyCredentialRequestOptions.
struct Options {
  enum class Verification : std::uint8_t { required, preferred, discouraged };

  std::string text;            ///< as it came, byte for byte: what the browser gets
  std::string challenge;       ///< base64url without padding
  std::string rp_id;           ///< empty: not named
  std::vector<Bytes> allowed;  ///< ids of credentials; empty: any
  Verification verification = Verification::preferred;
  milliseconds timeout{600'000};
};
/// Errors: malformed, with what is wrong. What may be left out or unknown may be: other members
/// stay in the text.
[[nodiscard]] Result<Options> parse_options(ByteView json);

struct Assertion {
  Bytes credential_id;
  std::string json;  ///< with WhatsApp's members only, in its order, unpadded base64url
};
/// What a person brought back from the browser (PublicKeyCredential.toJSON(), also with padded or
/// standard base64). Checks everything that the server would check and the box can.
/// Errors: malformed, with a sentence for that person.
[[nodiscard]] Result<Assertion> parse_assertion(std::string_view json, const Options& options);

}  // namespace posthorn::session::passkey
