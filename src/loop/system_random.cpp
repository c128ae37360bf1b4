#include <mbedtls/ctr_drbg.h>
#include <sys/random.h>

#include <algorithm>
#include <cstdlib>

#include "posthorn/loop/loop.h"

namespace posthorn::loop {

namespace {

int from_kernel(void*, unsigned char* out, std::size_t length) {
  while (length > 0) {
    const ssize_t got = getrandom(out, length, 0);
    if (got <= 0) return MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED;
    out += got;
    length -= static_cast<std::size_t>(got);
  }
  return 0;
}

}  // namespace

struct SystemRandom::State {
  mbedtls_ctr_drbg_context drbg{};
};

SystemRandom::SystemRandom() : state_(std::make_unique<State>()) {
  mbedtls_ctr_drbg_init(&state_->drbg);
  // Without randomness nothing that we do is safe: better not to start.
  if (mbedtls_ctr_drbg_seed(&state_->drbg, &from_kernel, nullptr, nullptr, 0) != 0) std::abort();
}

SystemRandom::~SystemRandom() { mbedtls_ctr_drbg_free(&state_->drbg); }

void SystemRandom::fill(std::span<std::byte> out) {
  while (!out.empty()) {
    const std::size_t n = std::min<std::size_t>(out.size(), MBEDTLS_CTR_DRBG_MAX_REQUEST);
    if (mbedtls_ctr_drbg_random(&state_->drbg, reinterpret_cast<unsigned char*>(out.data()), n) !=
        0) {
      std::abort();
    }
    out = out.subspan(n);
  }
}

}  // namespace posthorn::loop
