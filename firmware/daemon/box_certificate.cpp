#include "daemon/box_certificate.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include "daemon/own_addresses.h"
#include "posthorn/base/json.h"
#include "posthorn/base/log.h"

/// A certificate's dates are compared with the client's clock, not with ours, and ours may stand in
/// 1970. So its time begins at what Clock answers, which is never before this program was built or
/// before the time saved last, less a day for tills that are late; and it ends 825 days later, the
/// longest that Apple's systems accept. Should the real time turn out to be outside of that (a box
/// that lay three years on a shelf), the look that follows the clock's correction makes a new one.
/// The authority's dates are fixed, so that no clock, however wrong, costs the tills their trust.
namespace posthorn::daemon {

namespace {

constexpr std::string_view kBlob = "https/certificate";
constexpr hours kBackdated{24};
constexpr hours kLife{24 * 825};
constexpr hours kRenewBefore{24 * 60};
constexpr std::int64_t kAuthorityFrom = 1'704'067'200;  // 2024-01-01
constexpr std::int64_t kAuthorityUntil =
    2'524'607'999;  // 2049-12-31: later dates have another form
/// What stands in a shop's network: names of multicast DNS, and addresses that mean nothing outside
/// (RFC 1918, 3927, 6598, 4193, loopback). The authority may not speak for anybody else's.
constexpr std::string_view kLocal = "local";
constexpr std::array<std::string_view, 8> kPrivate{
    "10.0.0.0/8",    "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
    "100.64.0.0/10", "127.0.0.0/8",   "fc00::/7",       "::1/128"};

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

json::Value to_json(const CalledAs& called) {
  json::Value out(::Json::objectValue);
  out["names"] = to_json(called.names);
  out["addresses"] = to_json(called.addresses);
  return out;
}

CalledAs called_at(const json::Value& object, const char* key) {
  const json::Value& inner = json::at(object, key);
  return {texts_at(inner, "names"), texts_at(inner, "addresses")};
}

BoxCertificate parse_certificate(ByteView saved) {
  BoxCertificate out;
  const auto parsed = json::parse(as_text(saved));
  if (!parsed) return out;
  out.authority.key = json::string_at(*parsed, "authorityKey").value_or("");
  out.authority.certificate = json::string_at(*parsed, "authority").value_or("");
  out.may_name = called_at(*parsed, "mayName");
  out.pem.key = json::string_at(*parsed, "key").value_or("");
  out.pem.certificate = json::string_at(*parsed, "certificate").value_or("");
  out.called = called_at(*parsed, "called");
  out.from = Wall::from_unix(json::int_at(*parsed, "from").value_or(0));
  out.until = Wall::from_unix(json::int_at(*parsed, "until").value_or(0));
  return out;
}

bool has_all(const std::vector<std::string>& some, const std::vector<std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&some](const std::string& one) {
    return std::find(some.begin(), some.end(), one) != some.end();
  });
}

bool has_all(const CalledAs& some, const CalledAs& wanted) {
  return has_all(some.names, wanted.names) && has_all(some.addresses, wanted.addresses);
}

/// 10.*, 192.168.*, 172.16-31.*, 169.254.*, 100.64-127.*, 127.*, fc00::/7 and ::1.
bool is_private(const std::string& address) {
  const auto second = [&address](int low, int high) {
    const int number = std::atoi(address.c_str() + address.find('.') + 1);
    return number >= low && number <= high;
  };
  if (address.find(':') != std::string::npos) {
    return address == "::1" || address.starts_with("fc") || address.starts_with("fd");
  }
  return address.starts_with("10.") || address.starts_with("127.") ||
         address.starts_with("192.168.") || address.starts_with("169.254.") ||
         (address.starts_with("172.") && second(16, 31)) ||
         (address.starts_with("100.") && second(64, 127));
}

/// What the authority must be allowed one by one.
CalledAs beyond_local(const CalledAs& called) {
  CalledAs out;
  for (const std::string& name : called.names) {
    if (!name.ends_with(".local")) out.names.push_back(name);
  }
  for (const std::string& address : called.addresses) {
    if (!is_private(address)) out.addresses.push_back(address);
  }
  return out;
}

/// Another name for each box, so that a till that looks after several tells them apart.
std::string authority_name(Random& random) {
  return "Posthorn " + hex_encode(random.bytes(3)) + " (this box only)";
}

Result<void> make_authority(Random& random, BoxCertificate& out, const CalledAs& called) {
  if (out.authority.key.empty()) {
    TRY(out.authority.key, net::make_p256_key(random));
  }
  out.may_name = beyond_local(called);
  net::AuthorityWish wish;
  wish.subject = authority_name(random);
  wish.names.emplace_back(kLocal);
  wish.names.insert(wish.names.end(), out.may_name.names.begin(), out.may_name.names.end());
  wish.networks.assign(kPrivate.begin(), kPrivate.end());
  for (const std::string& address : out.may_name.addresses) {
    wish.networks.push_back(address + (address.find(':') == std::string::npos ? "/32" : "/128"));
  }
  wish.from = Wall::from_unix(kAuthorityFrom);
  wish.until = Wall::from_unix(kAuthorityUntil);
  TRY(out.authority.certificate, net::make_authority(random, out.authority.key, wish));
  log::info("https", "an authority was made: tills that check it need /certificate.pem anew");
  return {};
}

bool has_authority(const BoxCertificate& certificate) {
  return net::belong_together(certificate.authority.certificate, certificate.authority.key);
}

}  // namespace

Result<void> save_certificate(BlobStore& blobs, const BoxCertificate& certificate) {
  json::Value out;
  out["authorityKey"] = certificate.authority.key;
  out["authority"] = certificate.authority.certificate;
  out["mayName"] = to_json(certificate.may_name);
  out["key"] = certificate.pem.key;
  out["certificate"] = certificate.pem.certificate;
  out["called"] = to_json(certificate.called);
  out["from"] = static_cast<::Json::Int64>(certificate.from.unix_seconds());
  out["until"] = static_cast<::Json::Int64>(certificate.until.unix_seconds());
  return blobs.save(kBlob, as_bytes(json::write(out)));
}

std::string why_renew(const BoxCertificate& old, const CalledAs& called, Wall now) {
  if (old.pem.certificate.empty() || old.pem.key.empty()) return "there is none";
  if (old.authority.certificate.empty()) return "there is no authority";
  if (!has_all(old.called.names, called.names)) return "the host name is new";
  if (!has_all(old.called.addresses, called.addresses)) return "the address is new";
  if (now < old.from) return "it begins in the future";
  if (old.until - now < kRenewBefore) return "it ends soon";
  return "";
}

Result<BoxCertificate> load_certificate(BlobStore& blobs, Random& random, const CalledAs& called,
                                        Wall now) {
  TRY(const auto saved, blobs.load(kBlob));
  BoxCertificate certificate;
  if (saved) certificate = parse_certificate(*saved);
  const std::string why = why_renew(certificate, called, now);
  if (why.empty()) return certificate;
  if (!has_authority(certificate) || !has_all(certificate.may_name, beyond_local(called))) {
    if (!has_authority(certificate)) certificate.authority = {};
    TRY(make_authority(random, certificate, called));
  }
  if (certificate.pem.key.empty()) {
    TRY(certificate.pem.key, net::make_p256_key(random));
  }
  certificate.called = called;
  certificate.from = now - kBackdated;
  certificate.until = certificate.from + kLife;
  TRY(certificate.pem.certificate,
      net::make_certificate(random, certificate.authority, certificate.pem.key,
                            {called.names, called.addresses, certificate.from, certificate.until}));
  certificate.pem.certificate += certificate.authority.certificate;
  TRY(save_certificate(blobs, certificate));
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

namespace {

/// Link-local addresses need a zone, which no certificate can name.
std::vector<std::string> named_addresses() {
  std::vector<std::string> out;
  for (const OwnAddress& own : own_addresses()) {
    if (!own.v6 || is_private(own.address)) out.push_back(own.address);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace

CalledAs called_as(const std::string& listen) {
  const bool all = listen == "0.0.0.0" || listen == "::";
  return {own_names(), all ? named_addresses() : std::vector<std::string>{listen}};
}

}  // namespace posthorn::daemon
