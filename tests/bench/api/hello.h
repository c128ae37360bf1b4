#pragma once

#include <cstdint>
#include <memory>

#include "posthorn/loop/loop.h"

namespace posthorn::bench {

/// libmicrohttpd's smallest server on our loop: one ready-made answer for everything. What the API
/// is measured against.
class Hello {
 public:
  explicit Hello(loop::Loop& loop);
  Hello(const Hello&) = delete;
  Hello& operator=(const Hello&) = delete;
  ~Hello();

  [[nodiscard]] std::uint16_t port() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace posthorn::bench
