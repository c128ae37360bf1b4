#include "fuzz/fuzz_support.h"
#include "posthorn/wire/noise.h"
#include "support/fakes.h"

using namespace posthorn;
using namespace posthorn::wire;

namespace {

/// The fixed keys of protocol chapter 01 section 12, so that its server hellos pass.
class FixedRandom final : public Random {
 public:
  explicit FixedRandom(unsigned char fill, unsigned char last) : fill_(fill), last_(last) {}
  void fill(std::span<std::byte> out) override {
    std::fill(out.begin(), out.end(), std::byte{fill_});
    if (out.size() == 32) {
      out.front() = static_cast<std::byte>(fill_ - 1);
      out.back() = std::byte{last_};
    }
  }

 private:
  unsigned char fill_;
  unsigned char last_;
};

KeyPair fixed_pair(unsigned char fill, unsigned char last) {
  FixedRandom random(fill, last);
  return make_key_pair(random);
}

bool accept_any(const Key32&, ByteView, ByteView) { return true; }

void client_gets(ByteView server_hello, bool resume) {
  static const KeyPair kStatic = fixed_pair(0x22, 0x62);
  FixedRandom random(0x11, 0x51);
  ClientIdentity identity{kStatic, to_bytes("client payload stands here"), kWhatsAppRootKey,
                          std::nullopt, accept_any};
  if (resume) identity.known_server_key = kStatic.public_key;
  ClientHandshake client(std::move(identity), random);
  fuzz::require(client.hello().has_value(), "our hello can be made");
  const auto finish = client.on_server_hello(server_hello, Wall::from_unix(1'790'000'000));
  if (!finish) {
    fuzz::require(finish.error().code == Errc::malformed || finish.error().code == Errc::crypto,
                  "errors are malformed or crypto");
  }
}

void server_gets(ByteView hello, ByteView finish) {
  FixedRandom random(0x33, 0x73);
  ServerHandshake server({fixed_pair(0x45, 0x44), Bytes(10), true}, random);
  const auto answer = server.on_client_hello(kConnectionHeader, hello);
  if (answer && !server.finished()) {
    const auto done = server.on_client_finish(finish);
    fuzz::require(done.has_value() == server.finished(), "finished says how it went");
  }
}

void chain_is(ByteView chain) {
  const auto certificate = verify_certificate_chain(chain, kWhatsAppRootKey, Key32{},
                                                    Wall::from_unix(1'790'000'000), accept_any);
  if (!certificate) {
    fuzz::require(certificate.error().code == Errc::crypto, "a refused chain is crypto");
  }
}

}  // namespace

/// Input: what the bytes are, then the bytes: a server hello (XX or IK under way), a client hello
/// and finish (with one byte of length between), or the inside of a certificate payload.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  switch (input.byte() % 4) {
    case 0:
      client_gets(input.rest(), false);
      break;
    case 1:
      client_gets(input.rest(), true);
      break;
    case 2: {
      const ByteView hello = input.take(input.byte());
      server_gets(hello, input.rest());
      break;
    }
    default:
      chain_is(input.rest());
  }
  return 0;
}
