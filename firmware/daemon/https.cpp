#include "daemon/https.h"

#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <array>

#include "posthorn/base/json.h"
#include "posthorn/base/log.h"
#include "posthorn/net/self_signed.h"

/// A certificate's dates are compared with the client's clock, not with ours, and ours may stand in
/// 1970. So its time begins at what Clock answers, which is never before this program was built or
/// before the time saved last, less a day for tills that are late; and it ends 825 days later, the
/// longest that Apple's systems accept. Should the real time turn out to be outside of that (a box
/// that lay three years on a shelf), the look that follows the clock's correction makes a new one.
namespace posthorn::daemon {

namespace {

constexpr std::string_view kBlob = "https/certificate";
constexpr hours kBackdated{24};
constexpr hours kLife{24 * 825};
constexpr hours kRenewBefore{24 * 60};
constexpr minutes kLookEvery{1};
constexpr std::size_t kNamesAtMost = 32;
/// A TLS session costs some 40 KB; a shop has a handful of tills.
constexpr unsigned kConnectionsAtMost = 32;

json::Value to_json(const std::vector<std::string>& texts) {
  json::Value out(::Json::arrayValue);
  for (const std::string& text : texts) out.append(text);
  return out;
}

std::vector<std::string> texts_at(const json::Value& object, const char* key) {
  std::vector<std::string> out;
  const json::Value& list = json::at(object, key);
  if (!list.isArray()) return out;
  for (const json::Value& one : list) {
    if (one.isString()) out.push_back(json::text_of(one).value_or(""));
  }
  return out;
}

BoxCertificate parse_certificate(ByteView saved) {
  BoxCertificate out;
  const auto parsed = json::parse(as_text(saved));
  if (!parsed) return out;
  out.pem.key = json::string_at(*parsed, "key").value_or("");
  out.pem.certificate = json::string_at(*parsed, "certificate").value_or("");
  out.names = texts_at(*parsed, "names");
  out.addresses = texts_at(*parsed, "addresses");
  out.from = Wall::from_unix(json::int_at(*parsed, "from").value_or(0));
  out.until = Wall::from_unix(json::int_at(*parsed, "until").value_or(0));
  return out;
}

Result<void> save(BlobStore& blobs, const BoxCertificate& certificate) {
  json::Value out;
  out["key"] = certificate.pem.key;
  out["certificate"] = certificate.pem.certificate;
  out["names"] = to_json(certificate.names);
  out["addresses"] = to_json(certificate.addresses);
  out["from"] = static_cast<::Json::Int64>(certificate.from.unix_seconds());
  out["until"] = static_cast<::Json::Int64>(certificate.until.unix_seconds());
  return blobs.save(kBlob, as_bytes(json::write(out)));
}

bool has_all(const std::vector<std::string>& some, const std::vector<std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&some](const std::string& one) {
    return std::find(some.begin(), some.end(), one) != some.end();
  });
}

}  // namespace

std::string why_renew(const BoxCertificate& old, const std::vector<std::string>& names,
                      const std::vector<std::string>& addresses, Wall now) {
  if (old.pem.certificate.empty() || old.pem.key.empty()) return "there is none";
  if (!has_all(old.names, names)) return "the host name is new";
  if (!has_all(old.addresses, addresses)) return "the address is new";
  if (now < old.from) return "it begins in the future";
  if (old.until - now < kRenewBefore) return "it ends soon";
  return "";
}

Result<BoxCertificate> load_certificate(BlobStore& blobs, Random& random,
                                        const std::vector<std::string>& names,
                                        const std::vector<std::string>& addresses, Wall now) {
  TRY(const auto saved, blobs.load(kBlob));
  BoxCertificate certificate;
  if (saved) certificate = parse_certificate(*saved);
  const std::string why = why_renew(certificate, names, addresses, now);
  if (why.empty()) return certificate;
  if (certificate.pem.key.empty()) {
    TRY(certificate.pem.key, net::make_p256_key(random));
  }
  certificate.names = names;
  certificate.addresses = addresses;
  certificate.from = now - kBackdated;
  certificate.until = certificate.from + kLife;
  TRY(certificate.pem.certificate,
      net::make_self_signed(random, certificate.pem.key,
                            {names, addresses, certificate.from, certificate.until}));
  TRY(save(blobs, certificate));
  log::info("https", "a certificate was made", {{"because", why}});
  return certificate;
}

std::vector<std::string> own_names() {
  std::vector<std::string> names{"posthorn.local"};
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) return names;
  std::string name = host.data();
  name = name.substr(0, name.find('.'));
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
  if (name.empty() || name.find_first_not_of(kAllowed) != std::string::npos) return names;
  for (const std::string& one : {name + ".local", name}) {
    if (std::find(names.begin(), names.end(), one) == names.end()) names.push_back(one);
  }
  return names;
}

std::vector<std::string> own_addresses() {
  std::vector<std::string> out;
  uv_interface_address_t* found = nullptr;
  int count = 0;
  if (uv_interface_addresses(&found, &count) != 0) return out;
  for (int i = 0; i < count && out.size() < kNamesAtMost; ++i) {
    std::array<char, 64> text{};
    const auto& address = found[i].address;
    const bool v6 = address.address4.sin_family == AF_INET6;
    if (found[i].is_internal != 0) continue;
    if (v6 ? uv_ip6_name(&address.address6, text.data(), text.size()) != 0
           : uv_ip4_name(&address.address4, text.data(), text.size()) != 0) {
      continue;
    }
    // Link-local addresses need a zone, which no certificate can name.
    const std::string one = text.data();
    if (!one.starts_with("fe80:")) out.push_back(one);
  }
  uv_free_interface_addresses(found, count);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Result<std::unique_ptr<Https>> Https::start(Outside outside, api::ServerOptions options) {
  options.connections = std::min(options.connections, kConnectionsAtMost);
  std::unique_ptr<Https> https(new Https(outside, std::move(options)));
  TRY(https->certificate_, load_certificate(outside.blobs, outside.random, own_names(),
                                            own_addresses(), outside.clock.now()));
  const api::TlsIdentity& kept = https->certificate_.pem;
  if (!net::belong_together(kept.certificate, kept.key)) {
    log::error("https", "the kept certificate is damaged; another one is made");
    TRY(outside.blobs.save(kBlob, as_bytes("{}")));
    TRY(https->certificate_, load_certificate(outside.blobs, outside.random, own_names(),
                                              own_addresses(), outside.clock.now()));
  }
  // A port that is taken may become free; meanwhile tills have HTTP.
  if (const auto served = https->serve(); !served) {
    log::error("https", "not available", {{"error", served.error()}});
  }
  return https;
}

Result<void> Https::serve() {
  options_.tls = certificate_.pem;
  timer_.start(kLookEvery, [this] { look(); });
  server_.reset();  // the port must be free again
  TRY(server_, api::serve(outside_.loop, options_, outside_.handler));
  options_.port = server_->port();
  return {};
}

void Https::look() {
  timer_.start(kLookEvery, [this] { look(); });
  auto current = load_certificate(outside_.blobs, outside_.random, own_names(), own_addresses(),
                                  outside_.clock.now());
  if (!current) {
    log::warn("https", "the certificate cannot be renewed", {{"error", current.error()}});
    return;
  }
  if (listening() && current->pem.certificate == certificate_.pem.certificate) return;
  certificate_ = std::move(*current);
  if (const auto served = serve(); !served) {
    log::error("https", "cannot listen again", {{"error", served.error()}});
  }
}

}  // namespace posthorn::daemon
