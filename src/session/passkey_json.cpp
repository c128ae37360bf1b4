#include "session/passkey_json.h"

#include <algorithm>
#include <array>

#include "posthorn/base/base64url.h"
#include "posthorn/base/crypto.h"
#include "posthorn/base/json.h"

namespace posthorn::session::passkey {
namespace {

constexpr std::size_t kMostText = 16 << 10;
constexpr std::size_t kMostValues = 1'000;
constexpr minutes kLongest{60};  // a server that says more does not hold the box longer
constexpr std::string_view kOrigin = "https://web.whatsapp.com";
constexpr std::size_t kAuthenticatorData = 37;  // the least: hash, flags, counter
constexpr std::size_t kFlags = 32;
constexpr std::byte kUserPresent{1};
constexpr std::byte kUserVerified{4};

constexpr auto kCopyAgain = ": copy the answer again, from { to }";

Error broken(const std::string& what) { return {Errc::malformed, what}; }

Result<json::Value> parse_object(std::string_view text) {
  if (text.size() > kMostText) return fail(Errc::malformed, "more than 16 KiB");
  TRY(auto value, json::parse(text, kMostValues));
  if (!value.isObject()) return fail(Errc::malformed, "not an object");
  return value;
}

/// A member of text in base64; missing and empty are errors.
Result<Bytes> bytes_at(const json::Value& object, const char* name) {
  const auto text = json::string_at(object, name);
  const auto bytes = text ? base64_decode(*text) : std::nullopt;
  if (!bytes || bytes->empty())
    return fail(Errc::malformed, std::string(name) + " is missing or not base64");
  return *bytes;
}

/// Absent and null are empty, another type is an error.
Result<std::string> optional_text(const json::Value& object, const char* name) {
  const json::Value& value = json::at(object, name);
  if (value.isNull()) return std::string();
  if (!value.isString()) return fail(Errc::malformed, std::string(name) + " is no text");
  return json::string_at(object, name).value_or("");
}

Result<Options::Verification> parse_verification(const json::Value& object) {
  TRY(const std::string text, optional_text(object, "userVerification"));
  if (text == "required") return Options::Verification::required;
  if (text == "discouraged") return Options::Verification::discouraged;
  if (text.empty() || text == "preferred") return Options::Verification::preferred;
  return fail(Errc::malformed, "userVerification is none of the three that there are");
}

Result<std::vector<Bytes>> parse_allowed(const json::Value& object) {
  const json::Value& list = json::at(object, "allowCredentials");
  std::vector<Bytes> out;
  if (list.isNull()) return out;
  if (!list.isArray()) return fail(Errc::malformed, "allowCredentials is no list");
  for (const json::Value& entry : list) {
    // Leaving one out would ask for less than WhatsApp asks.
    TRY(Bytes id, bytes_at(entry, "id"));
    out.push_back(std::move(id));
  }
  return out;
}

Result<void> check_client_data(const Bytes& bytes, const Options& options) {
  const auto data = parse_object(as_text(bytes));
  if (!data) return fail(Errc::malformed, std::string("clientDataJSON is broken") + kCopyAgain);
  if (json::string_at(*data, "type") != "webauthn.get")
    return fail(Errc::malformed,
                "this is no answer to a passkey request (its type is not webauthn.get)");
  const auto challenge = base64_decode(json::string_at(*data, "challenge").value_or(""));
  if (!challenge || base64url_encode(*challenge) != options.challenge)
    return fail(Errc::malformed,
                "this answers an earlier request (its challenge is another one): do the step in "
                "the browser again with the request that is shown now");
  if (const auto origin = json::string_at(*data, "origin"); origin != kOrigin)
    return fail(Errc::malformed, "the passkey was used on another page (" +
                                     origin.value_or("none").substr(0, 100) +
                                     "): do the step on https://web.whatsapp.com");
  return {};
}

Result<void> check_authenticator_data(const Bytes& bytes, const Options& options) {
  if (bytes.size() < kAuthenticatorData)
    return fail(Errc::malformed, std::string("authenticatorData is too short") + kCopyAgain);
  const auto is_for = [&](std::string_view name) {
    return std::ranges::equal(crypto::sha256(as_bytes(name)), ByteView(bytes).first(kFlags));
  };
  // A request without rpId is for the page's own name.
  const bool meant = options.rp_id.empty() ? is_for("whatsapp.com") || is_for("web.whatsapp.com")
                                           : is_for(options.rp_id);
  if (!meant) return fail(Errc::malformed, "this passkey belongs to another service than WhatsApp");
  const std::byte flags = bytes[kFlags];
  if ((flags & kUserPresent) == std::byte{0})
    return fail(Errc::malformed, "nobody was at the phone: confirm the passkey there");
  const bool must_verify = options.verification == Options::Verification::required;
  if (must_verify && (flags & kUserVerified) == std::byte{0})
    return fail(Errc::malformed,
                "the passkey was used without fingerprint, face or screen lock: set one up on the "
                "phone and do the step again");
  return {};
}

Result<void> check_credential(const Bytes& raw_id, const json::Value& answer,
                              const Options& options) {
  const auto id = json::string_at(answer, "id");
  if (id && base64_decode(*id) != raw_id)
    return fail(Errc::malformed, std::string("id and rawId differ") + kCopyAgain);
  const bool known = options.allowed.empty() ||
                     std::ranges::find(options.allowed, raw_id) != options.allowed.end();
  if (!known)
    return fail(Errc::malformed,
                "this passkey is of another account: take the one of the number that was scanned");
  return {};
}

}  // namespace

Result<Options> parse_options(ByteView json) {
  TRY(const auto value, parse_object(as_text(json)));
  Options out;
  out.text = std::string(as_text(json));
  TRY(const Bytes challenge, bytes_at(value, "challenge"));
  out.challenge = base64url_encode(challenge);
  TRY(out.rp_id, optional_text(value, "rpId"));
  TRY(out.allowed, parse_allowed(value));
  TRY(out.verification, parse_verification(value));
  const auto timeout = json::int_at(value, "timeout");
  if (timeout && *timeout > 0)
    out.timeout = std::min<milliseconds>(milliseconds(*timeout), kLongest);
  return out;
}

Result<Assertion> parse_assertion(std::string_view json, const Options& options) {
  const auto answer = parse_object(json);
  if (!answer)
    return fail(Errc::malformed, "the answer is not the JSON text of a passkey (" +
                                     answer.error().detail + ")" + kCopyAgain);
  if (json::string_at(*answer, "type") != "public-key")
    return fail(Errc::malformed, "the answer is none of a passkey (its type is not public-key)");
  const json::Value& response = json::at(*answer, "response");
  const auto part = [&](const json::Value& from, const char* name) -> Result<Bytes> {
    auto bytes = bytes_at(from, name);
    if (!bytes) return tl::unexpected(broken(bytes.error().detail + kCopyAgain));
    return bytes;
  };
  Assertion out;
  TRY(out.credential_id, part(*answer, "rawId"));
  TRY(const Bytes client_data, part(response, "clientDataJSON"));
  TRY(const Bytes authenticator_data, part(response, "authenticatorData"));
  TRY(const Bytes signature, part(response, "signature"));
  const auto user = json::string_at(response, "userHandle");
  const auto user_handle = base64_decode(user.value_or(""));
  if (!user_handle)
    return fail(Errc::malformed, std::string("userHandle is not base64") + kCopyAgain);
  TRY(check_credential(out.credential_id, *answer, options));
  TRY(check_client_data(client_data, options));
  TRY(check_authenticator_data(authenticator_data, options));

  const auto quoted = [](ByteView bytes) { return '"' + base64url_encode(bytes) + '"'; };
  const std::string id = quoted(out.credential_id);
  out.json = R"({"id":)" + id + R"(,"rawId":)" + id + R"(,"type":"public-key","response":{)" +
             R"("clientDataJSON":)" + quoted(client_data) + R"(,"authenticatorData":)" +
             quoted(authenticator_data) + R"(,"signature":)" + quoted(signature) +
             R"(,"userHandle":)" + (user ? quoted(*user_handle) : "null") + "}}";
  return out;
}

}  // namespace posthorn::session::passkey
