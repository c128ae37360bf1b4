#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace posthorn::bench {

/// Clients that each send a request, wait for the whole answer, and send the next.
struct Load {
  std::uint16_t port = 0;
  std::string request;
  int connections = 1;
  std::chrono::milliseconds time{2000};
};

struct Outcome {
  std::uint64_t answers = 0;
  double seconds = 0;
  bool all_200 = true;

  [[nodiscard]] double per_second() const { return static_cast<double>(answers) / seconds; }
};

/// Blocks the calling thread; the server runs on another.
[[nodiscard]] Outcome run_load(const Load& load);

}  // namespace posthorn::bench
