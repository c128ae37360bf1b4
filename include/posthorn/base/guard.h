#pragma once

#include <exception>
#include <utility>

namespace posthorn {

/// Logs what was thrown where nobody can catch it. Does not throw, whatever is left of memory.
void tell_thrown(const char* where, const char* what) noexcept;

/// The net at a C boundary: libuv, libcurl, libmicrohttpd and the pool's threads call us from code
/// that no exception may pass. Ours are errors as values, so what arrives here is a fault or the
/// end of memory: it is logged, and the program goes on. False: something was thrown.
template <class F>
bool guarded(const char* where, F&& f) noexcept {
  try {
    std::forward<F>(f)();
    return true;
  } catch (const std::exception& thrown) {
    tell_thrown(where, thrown.what());
  } catch (...) {
    tell_thrown(where, "not a std::exception");
  }
  return false;
}

/// The same for a callback that answers something.
template <class R, class F>
R guarded_or(const char* where, R otherwise, F&& f) noexcept {
  guarded(where, [&] { otherwise = std::forward<F>(f)(); });
  return otherwise;
}

}  // namespace posthorn
