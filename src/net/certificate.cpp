#include "posthorn/net/certificate.h"

#include <arpa/inet.h>
#include <mbedtls/asn1.h>
#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>

#include "posthorn/net/mbed_objects.h"

namespace posthorn::net {

namespace {

using mbed::bytes_of;
using mbed::Certificate;
using mbed::crypto_error;
using mbed::draw;
using mbed::Key;

constexpr std::size_t kPemAtMost = 8192;
constexpr std::size_t kSerialBytes = 15;
constexpr std::size_t kCommonNameAtMost = 64;                 // X.520
constexpr std::uint8_t kDnsName = 0x82;                       // [2] of GeneralName
constexpr std::uint8_t kIpAddress = 0x87;                     // [7]
constexpr std::uint8_t kPermitted = 0xA0;                     // [0] of NameConstraints
constexpr std::string_view kNameConstraints{"\x55\x1D\x1E"};  // 2.5.29.30
/// SEQUENCE { OBJECT IDENTIFIER serverAuth }
constexpr std::array<unsigned char, 12> kServerAuth{0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06,
                                                    0x01, 0x05, 0x05, 0x07, 0x03, 0x01};

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

/// PEM is read with its final zero.
Result<void> read_key(Key& key, const std::string& pem) {
  if (mbedtls_pk_parse_key(&key.pk, bytes_of(pem), pem.size() + 1, nullptr, 0) == 0) return {};
  return fail(Errc::malformed, "the certificate's key cannot be read");
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

/// The 4 or 16 bytes of a numeric address.
Result<std::string> address_bytes(const std::string& address) {
  std::array<char, 16> bytes{};
  if (inet_pton(AF_INET, address.c_str(), bytes.data()) == 1) return std::string(bytes.data(), 4);
  if (inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1) return std::string(bytes.data(), 16);
  return fail(Errc::malformed, "not a numeric address: " + address);
}

std::string sequence(std::string_view inner) {
  std::string out;
  append_tlv(out, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE, inner);
  return out;
}

Result<std::string> encode_alternative_names(const CertificateWish& wish) {
  std::string inner;
  for (const std::string& name : wish.names) {
    if (!is_dns_name(name)) return fail(Errc::malformed, "not a host name: " + name);
    append_tlv(inner, kDnsName, name);
  }
  for (const std::string& address : wish.addresses) {
    TRY(const std::string bytes, address_bytes(address));
    append_tlv(inner, kIpAddress, bytes);
  }
  if (inner.size() > 4096) return fail(Errc::malformed, "too many names and addresses");
  return sequence(inner);
}

/// "10.0.0.0/8" -> the address and its mask.
Result<std::string> network_bytes(const std::string& network) {
  const std::size_t slash = network.find('/');
  if (slash == std::string::npos) return fail(Errc::malformed, "not a network: " + network);
  TRY(std::string out, address_bytes(network.substr(0, slash)));
  const std::size_t size = out.size();
  std::size_t bits = 0;
  const char* const end = network.data() + network.size();
  if (std::from_chars(network.data() + slash + 1, end, bits).ptr != end || bits > size * 8) {
    return fail(Errc::malformed, "not a network: " + network);
  }
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t ones = std::min<std::size_t>(bits > i * 8 ? bits - i * 8 : 0, 8);
    out += static_cast<char>(0xFF00U >> ones);
  }
  return out;
}

Result<std::string> encode_name_constraints(const AuthorityWish& wish) {
  std::string subtrees;
  const auto add = [&subtrees](std::uint8_t kind, std::string_view value) {
    std::string name;
    append_tlv(name, kind, value);
    subtrees += sequence(name);
  };
  for (const std::string& name : wish.names) {
    if (!is_dns_name(name)) return fail(Errc::malformed, "not a host name: " + name);
    add(kDnsName, name);
  }
  for (const std::string& network : wish.networks) {
    TRY(const std::string bytes, network_bytes(network));
    add(kIpAddress, bytes);
  }
  if (subtrees.size() > 4096) return fail(Errc::malformed, "too many names and networks");
  std::string permitted;
  append_tlv(permitted, kPermitted, subtrees);
  return sequence(permitted);
}

int set_extension(mbedtls_x509write_cert& crt, std::string_view oid, std::string_view value) {
  return mbedtls_x509write_crt_set_extension(&crt, oid.data(), oid.size(), 0, bytes_of(value),
                                             value.size());
}

Result<void> set_extensions(mbedtls_x509write_cert& crt, const CertificateWish& wish) {
  TRY(const std::string names, encode_alternative_names(wish));
  int status = mbedtls_x509write_crt_set_basic_constraints(&crt, 0, -1);
  if (status == 0) {
    status = mbedtls_x509write_crt_set_key_usage(&crt, MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
  }
  if (status == 0) status = mbedtls_x509write_crt_set_subject_key_identifier(&crt);
  if (status == 0) status = mbedtls_x509write_crt_set_authority_key_identifier(&crt);
  if (status == 0) {
    status = set_extension(crt, MBEDTLS_OID_EXTENDED_KEY_USAGE,
                           {reinterpret_cast<const char*>(kServerAuth.data()), kServerAuth.size()});
  }
  if (status == 0) status = set_extension(crt, MBEDTLS_OID_SUBJECT_ALT_NAME, names);
  if (status != 0) return tl::unexpected(crypto_error("certificate extension", status));
  return {};
}

Result<void> set_extensions(mbedtls_x509write_cert& crt, const AuthorityWish& wish) {
  TRY(const std::string constraints, encode_name_constraints(wish));
  int status = mbedtls_x509write_crt_set_basic_constraints(&crt, 1, 0);
  if (status == 0) {
    status = mbedtls_x509write_crt_set_key_usage(&crt, MBEDTLS_X509_KU_KEY_CERT_SIGN);
  }
  if (status == 0) status = mbedtls_x509write_crt_set_subject_key_identifier(&crt);
  if (status == 0) status = set_extension(crt, kNameConstraints, constraints);
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

/// Who signs, and what the two certificates have in common.
struct Issue {
  Key& subject_key;
  Key& issuer_key;
  std::string subject;
  std::string issuer;
};

std::string named(std::string_view common_name) {
  return "CN=" + std::string(common_name.substr(0, kCommonNameAtMost)) + ",O=Posthorn";
}

template <class Wish>
Result<std::string> issue(Random& random, Issue by, const Wish& wish) {
  Writer writer;
  mbedtls_x509write_crt_set_version(&writer.crt, MBEDTLS_X509_CRT_VERSION_3);
  mbedtls_x509write_crt_set_md_alg(&writer.crt, MBEDTLS_MD_SHA256);
  mbedtls_x509write_crt_set_subject_key(&writer.crt, &by.subject_key.pk);
  mbedtls_x509write_crt_set_issuer_key(&writer.crt, &by.issuer_key.pk);
  TRY(set_serial(writer, random));
  TRY(set_extensions(writer.crt, wish));
  int status = mbedtls_x509write_crt_set_subject_name(&writer.crt, by.subject.c_str());
  if (status == 0) status = mbedtls_x509write_crt_set_issuer_name(&writer.crt, by.issuer.c_str());
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

Result<std::string> make_authority(Random& random, const std::string& key_pem,
                                   const AuthorityWish& wish) {
  Key key;
  TRY(read_key(key, key_pem));
  const std::string name = named(wish.subject);
  return issue(random, {key, key, name, name}, wish);
}

Result<std::string> make_certificate(Random& random, const CertifiedKey& authority,
                                     const std::string& key_pem, const CertificateWish& wish) {
  if (wish.names.empty()) return fail(Errc::malformed, "a certificate needs a name");
  Key key;
  Key issuer_key;
  TRY(read_key(key, key_pem));
  TRY(read_key(issuer_key, authority.key));
  Certificate issuer;
  const std::string& pem = authority.certificate;
  std::array<char, 256> issuer_name{};
  if (mbedtls_x509_crt_parse(&issuer.crt, bytes_of(pem), pem.size() + 1) != 0 ||
      mbedtls_x509_dn_gets(issuer_name.data(), issuer_name.size(), &issuer.crt.subject) < 0) {
    return fail(Errc::malformed, "the authority's certificate cannot be read");
  }
  return issue(random, {key, issuer_key, named(wish.names.front()), issuer_name.data()}, wish);
}

bool belong_together(const std::string& certificate_pem, const std::string& key_pem) {
  Key key;
  Certificate of;
  return read_key(key, key_pem) &&
         mbedtls_x509_crt_parse(&of.crt, bytes_of(certificate_pem), certificate_pem.size() + 1) ==
             0 &&
         mbedtls_pk_check_pair(&of.crt.pk, &key.pk) == 0;
}

}  // namespace posthorn::net
