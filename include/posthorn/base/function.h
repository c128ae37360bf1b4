#pragma once

#include <cassert>
#include <concepts>
#include <memory>
#include <utility>

namespace posthorn {

template <class Signature>
class Function;

/// A callable that is moved, never copied, so it may own what it captures (std::function may not;
/// std::move_only_function needs -std=c++23).
template <class R, class... A>
class Function<R(A...)> {
 public:
  Function() = default;
  Function(std::nullptr_t) {}
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, Function> &&
           std::is_invocable_r_v<R, std::remove_cvref_t<F>&, A...>) Function(F&& f)
      : callee_(std::make_unique<Holder<std::remove_cvref_t<F>>>(std::forward<F>(f))) {}

  explicit operator bool() const { return callee_ != nullptr; }
  R operator()(A... a) {
    assert(callee_ != nullptr);
    return callee_->call(std::forward<A>(a)...);
  }

 private:
  struct Callee {
    virtual ~Callee() = default;
    virtual R call(A... a) = 0;
  };
  template <class F>
  struct Holder final : Callee {
    template <class G>
    explicit Holder(G&& g) : f(std::forward<G>(g)) {}
    R call(A... a) override { return static_cast<R>(f(std::forward<A>(a)...)); }
    F f;
  };

  std::unique_ptr<Callee> callee_;
};

/// Work to be done later, once; dropping it unrun is fine (a cancelled timer).
using Task = Function<void()>;

}  // namespace posthorn
