#pragma once

#include "posthorn/base/random.h"
#include "signal/library.h"

namespace posthorn::signal {

/// The library's global context with mbedTLS underneath. Random outlives it.
class Context {
 public:
  explicit Context(Random& random);
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context();

  [[nodiscard]] signal_context* get() const { return context_; }

 private:
  signal_context* context_ = nullptr;
};

}  // namespace posthorn::signal
