// The two JSON texts of a passkey, the phone's answer to it, and the page that the web version is
// read from.
//
// Input: a byte for the size of the pieces, then the text.

#include "fuzz/fuzz_support.h"
#include "posthorn/base/json.h"
#include "session/passkey_crypto.h"
#include "session/passkey_json.h"
#include "session/version_finder.h"

using namespace posthorn;
using namespace posthorn::session;

namespace {

constexpr std::string_view kAsked =
    R"({"challenge":"dGhlLWNoYWxsZW5nZQ","rpId":"whatsapp.com","allowCredentials":[{"id":"Y3JlZDE"}]})";

std::optional<std::string> scan(ByteView bytes, std::size_t piece) {
  RevisionScanner scanner;
  while (!bytes.empty()) {
    const ByteView now = bytes.first(std::min(piece, bytes.size()));
    bytes = bytes.subspan(now.size());
    scanner.feed(now);
  }
  return scanner.found();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto kOptions = passkey::parse_options(as_bytes(kAsked));
  fuzz::Input input(data, size);
  const std::size_t piece = 1 + input.byte();
  const ByteView bytes = input.rest();
  if (const auto options = passkey::parse_options(bytes)) {
    fuzz::require(options->text == as_text(bytes), "the browser gets it byte for byte");
    fuzz::require(!options->challenge.empty() &&
                      options->challenge.find_first_of("=+/\"\\") == std::string::npos,
                  "a challenge is base64url");
    fuzz::require(options->timeout > milliseconds(0) && options->timeout <= hours(1), "an hour");
  }
  if (const auto answer = passkey::parse_assertion(as_text(bytes), *kOptions)) {
    fuzz::require(as_text(answer->credential_id) == "cred1", "only what was asked for");
    fuzz::require(json::parse(answer->json).has_value(), "what is sent is JSON");
  }
  if (const auto phone = passkey::decode_primary_identity(bytes)) {
    fuzz::require(passkey::compare_code(Bytes(32), *phone).size() == 8, "eight characters");
    (void)passkey::request_key(crypto::Key32{std::byte{1}}, *phone, "ref");
  }
  const auto found = scan(bytes, bytes.size());
  fuzz::require(scan(bytes, piece) == found, "pieces do not matter");
  if (found) {
    fuzz::require(found->find_first_not_of("0123456789") == std::string::npos, "digits");
    const auto revision = accept_revision(*found, 1'000);
    fuzz::require(!revision || *revision > 1'000, "only a newer one");
  }
  return 0;
}
