#include "posthorn/net/self_signed.h"

#include <arpa/inet.h>
#include <mbedtls/asn1.h>
#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <memory>

namespace posthorn::net {

namespace {

constexpr std::size_t kPemAtMost = 8192;
constexpr std::size_t kSerialBytes = 15;
constexpr std::size_t kCommonNameAtMost = 64;  // X.520
constexpr std::uint8_t kDnsName = 0x82;        // [2] of GeneralName
constexpr std::uint8_t kIpAddress = 0x87;      // [7]
/// SEQUENCE { OBJECT IDENTIFIER serverAuth }
constexpr std::array<unsigned char, 12> kServerAuth{0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06,
                                                    0x01, 0x05, 0x05, 0x07, 0x03, 0x01};

int draw(void* random, unsigned char* out, std::size_t length) {
  static_cast<Random*>(random)->fill(std::as_writable_bytes(std::span(out, length)));
  return 0;
}

struct Key {
  Key() { mbedtls_pk_init(&pk); }
  ~Key() { mbedtls_pk_free(&pk); }
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  mbedtls_pk_context pk;
};

struct Writer {
  Writer() {
    mbedtls_x509write_crt_init(&crt);
    mbedtls_mpi_init(&serial);
  }
  ~Writer() {
    mbedtls_x509write_crt_free(&crt);
    mbedtls_mpi_free(&serial);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  mbedtls_x509write_cert crt;
  mbedtls_mpi serial;
};

Error crypto_error(const char* what, int status) {
  return {Errc::crypto, std::string(what) + ": mbedTLS " + std::to_string(status)};
}

/// "20260302091504"
std::string asn1_time(Wall wall) {
  std::string out;
  for (const char c : to_iso8601(wall)) {
    if (c >= '0' && c <= '9') out += c;
  }
  return out.substr(0, 14);
}

void append_tlv(std::string& out, std::uint8_t tag, std::string_view value) {
  out += static_cast<char>(tag);
  if (value.size() >= 256) {
    out += '\x82';
    out += static_cast<char>(value.size() >> 8);
  } else if (value.size() >= 128) {
    out += '\x81';
  }
  out += static_cast<char>(value.size() & 0xFF);
  out += value;
}

bool is_dns_name(std::string_view name) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
  return !name.empty() && name.size() <= 253 &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

Result<std::string> encode_alternative_names(const CertificateWish& wish) {
  std::string inner;
  for (const std::string& name : wish.names) {
    if (!is_dns_name(name)) return fail(Errc::malformed, "not a host name: " + name);
    append_tlv(inner, kDnsName, name);
  }
  for (const std::string& address : wish.addresses) {
    std::array<char, 16> bytes{};
    if (inet_pton(AF_INET, address.c_str(), bytes.data()) == 1) {
      append_tlv(inner, kIpAddress, {bytes.data(), 4});
    } else if (inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1) {
      append_tlv(inner, kIpAddress, {bytes.data(), 16});
    } else {
      return fail(Errc::malformed, "not a numeric address: " + address);
    }
  }
  if (inner.size() > 4096) return fail(Errc::malformed, "too many names and addresses");
  std::string out;
  append_tlv(out, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE, inner);
  return out;
}

Result<void> set_extensions(mbedtls_x509write_cert& crt, const CertificateWish& wish) {
  TRY(const std::string names, encode_alternative_names(wish));
  int status = mbedtls_x509write_crt_set_basic_constraints(&crt, 0, -1);
  if (status == 0) {
    status = mbedtls_x509write_crt_set_key_usage(&crt, MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
  }
  if (status == 0) {
    status = mbedtls_x509write_crt_set_extension(&crt, MBEDTLS_OID_EXTENDED_KEY_USAGE,
                                                 MBEDTLS_OID_SIZE(MBEDTLS_OID_EXTENDED_KEY_USAGE),
                                                 0, kServerAuth.data(), kServerAuth.size());
  }
  if (status == 0) {
    status = mbedtls_x509write_crt_set_extension(
        &crt, MBEDTLS_OID_SUBJECT_ALT_NAME, MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), 0,
        reinterpret_cast<const unsigned char*>(names.data()), names.size());
  }
  if (status != 0) return tl::unexpected(crypto_error("certificate extension", status));
  return {};
}

Result<void> set_serial(Writer& writer, Random& random) {
  Bytes serial = random.bytes(kSerialBytes);
  serial.front() |= std::byte{0x40};  // never shorter than it looks
  serial.front() &= std::byte{0x7F};  // and never negative
  int status = mbedtls_mpi_read_binary(
      &writer.serial, reinterpret_cast<const unsigned char*>(serial.data()), serial.size());
  if (status == 0) status = mbedtls_x509write_crt_set_serial(&writer.crt, &writer.serial);
  if (status != 0) return tl::unexpected(crypto_error("certificate serial", status));
  return {};
}

}  // namespace

Result<std::string> make_p256_key(Random& random) {
  Key key;
  int status = mbedtls_pk_setup(&key.pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
  if (status == 0) {
    status = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(key.pk), &draw, &random);
  }
  std::array<unsigned char, kPemAtMost> pem{};
  if (status == 0) status = mbedtls_pk_write_key_pem(&key.pk, pem.data(), pem.size());
  if (status != 0) return tl::unexpected(crypto_error("P-256 key", status));
  return std::string(reinterpret_cast<const char*>(pem.data()));
}

Result<std::string> make_self_signed(Random& random, const std::string& key_pem,
                                     const CertificateWish& wish) {
  if (wish.names.empty()) return fail(Errc::malformed, "a certificate needs a name");
  Key key;
  int status =
      mbedtls_pk_parse_key(&key.pk, reinterpret_cast<const unsigned char*>(key_pem.c_str()),
                           key_pem.size() + 1, nullptr, 0);
  if (status != 0) return fail(Errc::malformed, "the certificate's key cannot be read");
  Writer writer;
  mbedtls_x509write_crt_set_version(&writer.crt, MBEDTLS_X509_CRT_VERSION_3);
  mbedtls_x509write_crt_set_md_alg(&writer.crt, MBEDTLS_MD_SHA256);
  mbedtls_x509write_crt_set_subject_key(&writer.crt, &key.pk);
  mbedtls_x509write_crt_set_issuer_key(&writer.crt, &key.pk);
  TRY(set_serial(writer, random));
  TRY(set_extensions(writer.crt, wish));
  const std::string subject =
      "CN=" + wish.names.front().substr(0, kCommonNameAtMost) + ",O=Posthorn";
  status = mbedtls_x509write_crt_set_subject_name(&writer.crt, subject.c_str());
  if (status == 0) status = mbedtls_x509write_crt_set_issuer_name(&writer.crt, subject.c_str());
  if (status == 0) {
    status = mbedtls_x509write_crt_set_validity(&writer.crt, asn1_time(wish.from).c_str(),
                                                asn1_time(wish.until).c_str());
  }
  std::array<unsigned char, kPemAtMost> pem{};
  if (status == 0) {
    status = mbedtls_x509write_crt_pem(&writer.crt, pem.data(), pem.size(), &draw, &random);
  }
  if (status != 0) return tl::unexpected(crypto_error("certificate", status));
  return std::string(reinterpret_cast<const char*>(pem.data()));
}

bool belong_together(const std::string& certificate_pem, const std::string& key_pem) {
  Key key;
  mbedtls_x509_crt crt;
  mbedtls_x509_crt_init(&crt);
  const bool fit =
      mbedtls_pk_parse_key(&key.pk, reinterpret_cast<const unsigned char*>(key_pem.c_str()),
                           key_pem.size() + 1, nullptr, 0) == 0 &&
      mbedtls_x509_crt_parse(&crt, reinterpret_cast<const unsigned char*>(certificate_pem.c_str()),
                             certificate_pem.size() + 1) == 0 &&
      mbedtls_pk_check_pair(&crt.pk, &key.pk) == 0;
  mbedtls_x509_crt_free(&crt);
  return fit;
}

}  // namespace posthorn::net
