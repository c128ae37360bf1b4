#pragma once

#include <cassert>
#include <exception>
#include <utility>

#include "posthorn/base/function.h"

namespace posthorn {

template <class Signature>
class Once;

/// The answer to a call that finishes later: moved along, run exactly once, asserts when it is
/// dropped unrun or run twice. `done(result)` empties it.
template <class R, class... A>
class Once<R(A...)> {
 public:
  Once() = default;
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, Once> &&
           std::is_invocable_r_v<R, std::remove_cvref_t<F>&, A...>) Once(F&& f)
      : callee_(std::forward<F>(f)) {}

  Once(Once&& other) noexcept : callee_(std::exchange(other.callee_, {})) {}
  Once& operator=(Once&& other) noexcept {
    assert(!callee_ && "an unanswered Once was overwritten");
    callee_ = std::exchange(other.callee_, {});
    return *this;
  }
  /// While something thrown unwinds the stack nobody is left to run it.
  ~Once() {
    assert((!callee_ || std::uncaught_exceptions() > 0) && "a Once was dropped without being run");
  }

  explicit operator bool() const { return static_cast<bool>(callee_); }
  R operator()(A... a) {
    assert(callee_ && "a Once was run twice, or never set");
    Function<R(A...)> callee = std::exchange(callee_, {});
    return callee(std::forward<A>(a)...);
  }

 private:
  Function<R(A...)> callee_;
};

}  // namespace posthorn
