#include "session/target.h"

#include <algorithm>
#include <charconv>

namespace posthorn::session {
namespace {

constexpr std::uint16_t kTlsPort = 443;
constexpr std::uint16_t kPlainPort = 80;

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

/// "host", "host:port" or "[v6]:port"; port stays when there is none.
Result<std::string> split_authority(std::string_view authority, std::uint16_t& port) {
  std::string_view host = authority;
  std::string_view digits;
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) return fail(Errc::malformed, "whatsapp.url: missing ]");
    host = authority.substr(1, end - 1);
    const auto rest = authority.substr(end + 1);
    if (!rest.empty() && !rest.starts_with(':'))
      return fail(Errc::malformed, "whatsapp.url: text after ]");
    digits = rest.empty() ? rest : rest.substr(1);
    if (!rest.empty() && digits.empty()) return fail(Errc::malformed, "whatsapp.url: empty port");
  } else if (const auto colon = authority.rfind(':'); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    digits = authority.substr(colon + 1);
    if (digits.empty()) return fail(Errc::malformed, "whatsapp.url: empty port");
  }
  if (host.empty()) return fail(Errc::malformed, "whatsapp.url: no host");
  if (!digits.empty()) {
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, port);
    if (error != std::errc() || stop != end || port == 0)
      return fail(Errc::malformed, "whatsapp.url: the port must be 1 .. 65535");
  }
  return std::string(host);
}

}  // namespace

Result<Target> make_target(const WhatsAppConfig& config) {
  Target target;
  std::string_view rest = config.url;
  if (rest.starts_with("wss://")) {
    target.endpoint.tls = true;
    rest.remove_prefix(6);
  } else if (rest.starts_with("ws://")) {
    target.endpoint.tls = false;
    rest.remove_prefix(5);
  } else {
    return fail(Errc::malformed, "whatsapp.url must begin with wss:// (ws:// for loopback only)");
  }
  target.endpoint.port = target.endpoint.tls ? kTlsPort : kPlainPort;
  const std::uint16_t usual_port = target.endpoint.port;
  const auto slash = std::min(rest.find('/'), rest.size());
  TRY(target.endpoint.host, split_authority(rest.substr(0, slash), target.endpoint.port));
  if (!target.endpoint.tls && !is_loopback(target.endpoint.host))
    return fail(Errc::malformed, "whatsapp.url: ws:// is allowed for loopback only");
  target.endpoint.tls_ca_file = config.tls_ca_file;

  target.request.host = target.endpoint.host.find(':') == std::string::npos
                            ? target.endpoint.host
                            : "[" + target.endpoint.host + "]";
  if (target.endpoint.port != usual_port)
    target.request.host += ":" + std::to_string(target.endpoint.port);
  target.request.path = slash < rest.size() ? std::string(rest.substr(slash)) : "/";

  target.root_key = wire::kWhatsAppRootKey;
  target.production = config.noise_root_key.empty();
  if (!target.production) {
    const auto key = hex_decode(config.noise_root_key);
    if (!key || key->size() != target.root_key.size())
      return fail(Errc::malformed, "whatsapp.noise_root_key must be 64 hex digits");
    std::ranges::copy(*key, target.root_key.begin());
  }
  return target;
}

}  // namespace posthorn::session
