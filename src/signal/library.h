#pragma once

#include <signal/curve.h>
#include <signal/key_helper.h>
#include <signal/protocol.h>
#include <signal/session_builder.h>
#include <signal/session_cipher.h>
#include <signal/session_pre_key.h>
#include <signal/session_record.h>
#include <signal/session_state.h>
#include <signal/signal_protocol.h>

#include <memory>
#include <utility>

#include "posthorn/base/bytes.h"

/// libsignal-protocol-c's objects behind owners. Its functions hand out new objects through a
/// pointer: `call(out(ref), …)`.
namespace posthorn::signal {

/// One reference of a counted object.
template <class T>
class Ref {
 public:
  Ref() = default;
  explicit Ref(T* counted) : counted_(counted) {}
  Ref(Ref&& other) noexcept : counted_(std::exchange(other.counted_, nullptr)) {}
  Ref& operator=(Ref&& other) noexcept {
    std::swap(counted_, other.counted_);
    return *this;
  }
  ~Ref() {
    if (counted_ != nullptr) SIGNAL_UNREF(counted_);
  }

  [[nodiscard]] T* get() const { return counted_; }
  explicit operator bool() const { return counted_ != nullptr; }
  /// Where a function of the library puts a new object; empty before.
  [[nodiscard]] T** out() { return &counted_; }

 private:
  T* counted_ = nullptr;
};

struct FreeBuffer {
  void operator()(signal_buffer* buffer) const { signal_buffer_bzero_free(buffer); }
};
using Buffer = std::unique_ptr<signal_buffer, FreeBuffer>;

inline ByteView view(const signal_buffer* buffer) {
  return {reinterpret_cast<const std::byte*>(signal_buffer_const_data(buffer)),
          signal_buffer_len(buffer)};
}
/// Never null, also for an empty view: the library asserts on null.
inline const std::uint8_t* raw(ByteView bytes) {
  static constexpr std::uint8_t kNothing = 0;
  return bytes.empty() ? &kNothing : reinterpret_cast<const std::uint8_t*>(bytes.data());
}
inline signal_buffer* make_buffer(ByteView bytes) {
  return signal_buffer_create(raw(bytes), bytes.size());
}

}  // namespace posthorn::signal
