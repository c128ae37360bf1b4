#pragma once

#include <memory>
#include <utility>

namespace posthorn {

/// Somebody's address that knows when they have gone. Callbacks that a disk, a worker or the other
/// end answer later hold this instead of `this`.
template <class T>
class Weak {
 public:
  explicit Weak(std::weak_ptr<T*> self) : self_(std::move(self)) {}

  /// Null when they have gone.
  [[nodiscard]] T* get() const {
    const auto self = self_.lock();
    return self ? *self : nullptr;
  }

 private:
  std::weak_ptr<T*> self_;
};

/// A member of whoever is called back later; the last one, so that it goes first.
///
///     disk.sync([self = alive_.weak(), done = std::move(done)](Result<void> r) mutable {
///       if (auto* me = self.get()) me->on_synced(r);   // nothing of ours is touched otherwise
///       done(std::move(r));                            // but whoever asked is answered
///     });
///     disk.sync(alive_.bind([this](Result<void> r) { on_synced(r); }));  // or not called at all
template <class T>
class Alive {
 public:
  explicit Alive(T* self) : self_(std::make_shared<T*>(self)) {}
  Alive(const Alive&) = delete;
  Alive& operator=(const Alive&) = delete;

  [[nodiscard]] Weak<T> weak() const { return Weak<T>(self_); }

  /// f, unless its owner has gone by then. For what owes nobody an answer.
  template <class F>
  [[nodiscard]] auto bind(F f) const {
    return [self = weak(), f = std::move(f)](auto&&... args) mutable {
      if (self.get() != nullptr) f(std::forward<decltype(args)>(args)...);
    };
  }
  /// From here on nobody is called any more: for owners that stop before they go.
  void end() { self_.reset(); }

 private:
  std::shared_ptr<T*> self_;  // shared: with the callbacks, which only look
};

}  // namespace posthorn
