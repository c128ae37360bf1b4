#pragma once

#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>

#include <span>
#include <string>
#include <string_view>

#include "posthorn/base/random.h"
#include "posthorn/base/result.h"

/// mbedTLS's objects of keys and certificates, with an end of their own.
namespace posthorn::net::mbed {

struct Key {
  Key() { mbedtls_pk_init(&pk); }
  ~Key() { mbedtls_pk_free(&pk); }
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  mbedtls_pk_context pk;
};

struct Certificate {
  Certificate() { mbedtls_x509_crt_init(&crt); }
  ~Certificate() { mbedtls_x509_crt_free(&crt); }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;
  mbedtls_x509_crt crt;
};

/// A random source as mbedTLS calls it; random: a Random.
inline int draw(void* random, unsigned char* out, std::size_t length) {
  static_cast<Random*>(random)->fill(std::as_writable_bytes(std::span(out, length)));
  return 0;
}

inline const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

inline Error crypto_error(const char* what, int status) {
  return {Errc::crypto, std::string(what) + ": mbedTLS " + std::to_string(status)};
}

}  // namespace posthorn::net::mbed
