#include "posthorn/fleet/identity.h"

#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <mbedtls/x509_csr.h>

#include <array>
#include <chrono>
#include <cstring>

#include "posthorn/base/crypto.h"
#include "posthorn/net/mbed_objects.h"

namespace posthorn::fleet {

namespace {

using net::mbed::bytes_of;
using net::mbed::Certificate;
using net::mbed::crypto_error;
using net::mbed::draw;
using net::mbed::Key;

constexpr std::size_t kPemAtMost = 4096;
constexpr std::size_t kBoxAtMost = 64;

struct Request {
  Request() { mbedtls_x509write_csr_init(&csr); }
  ~Request() { mbedtls_x509write_csr_free(&csr); }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  mbedtls_x509write_csr csr;
};

/// A level of a topic and a value of a CN at once.
bool is_box(std::string_view box) {
  return !box.empty() && box.size() <= kBoxAtMost &&
         box.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
             std::string_view::npos;
}

std::int64_t unix_of(const mbedtls_x509_time& time) {
  using namespace std::chrono;
  const year_month_day date{year{time.year}, month{static_cast<unsigned>(time.mon)},
                            day{static_cast<unsigned>(time.day)}};
  if (!date.ok()) return 0;
  const auto whole = sys_days{date} + hours{time.hour} + minutes{time.min} + seconds{time.sec};
  return duration_cast<seconds>(whole.time_since_epoch()).count();
}

}  // namespace

std::string box_id_of(std::string_view machine_id) {
  while (!machine_id.empty() && (machine_id.back() == '\n' || machine_id.back() == ' ')) {
    machine_id.remove_suffix(1);
  }
  const auto digest = crypto::hmac_sha256(as_bytes("posthorn-fleet box"), as_bytes(machine_id));
  return hex_encode(ByteView(digest).first(8));
}

Result<std::string> make_request(Random& random, const std::string& key_pem,
                                 const std::string& box) {
  if (!is_box(box)) return fail(Errc::malformed, "no name of a box: " + box);
  Key key;
  if (mbedtls_pk_parse_key(&key.pk, bytes_of(key_pem), key_pem.size() + 1, nullptr, 0) != 0) {
    return fail(Errc::malformed, "the box's key cannot be read");
  }
  Request request;
  mbedtls_x509write_csr_set_key(&request.csr, &key.pk);
  mbedtls_x509write_csr_set_md_alg(&request.csr, MBEDTLS_MD_SHA256);
  const std::string subject = "CN=" + box;
  if (const int status = mbedtls_x509write_csr_set_subject_name(&request.csr, subject.c_str())) {
    return tl::unexpected(crypto_error("name of the request", status));
  }
  std::array<unsigned char, kPemAtMost> pem{};
  if (const int status =
          mbedtls_x509write_csr_pem(&request.csr, pem.data(), pem.size(), draw, &random)) {
    return tl::unexpected(crypto_error("certificate request", status));
  }
  return std::string(reinterpret_cast<const char*>(pem.data()));
}

Result<CertificateFacts> read_certificate(const std::string& pem) {
  if (pem.size() > 65536) return fail(Errc::malformed, "a certificate of that size");
  Certificate certificate;
  if (mbedtls_x509_crt_parse(&certificate.crt, bytes_of(pem), pem.size() + 1) != 0) {
    return fail(Errc::malformed, "no certificate in PEM form");
  }
  CertificateFacts out;
  const mbedtls_x509_crt& crt = certificate.crt;
  for (const mbedtls_asn1_named_data* name = &crt.subject; name != nullptr; name = name->next) {
    if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &name->oid) != 0) continue;
    out.box = std::string(reinterpret_cast<const char*>(name->val.p), name->val.len);
  }
  if (!is_box(out.box)) {
    return fail(Errc::malformed,
                "the certificate's CN must be the box's name: letters, digits, -_.");
  }
  out.from = unix_of(crt.valid_from);
  out.until = unix_of(crt.valid_to);
  return out;
}

}  // namespace posthorn::fleet
