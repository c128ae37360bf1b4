#pragma once

#include <memory>
#include <string>

#include "posthorn/base/config.h"
#include "posthorn/base/result.h"
#include "posthorn/base/status.h"
#include "posthorn/loop/loop.h"

namespace posthorn::daemon {

/// The program: gives the box (app.h) its edges, which are disk, network, HTTP server, LED and
/// button, and stops everything in reverse order.
class Appliance {
 public:
  /// Errors: what keeps the box from starting, with what to do: io or full (data directory),
  /// refused (port in use), malformed (configuration).
  [[nodiscard]] static Result<std::unique_ptr<Appliance>> start(loop::Loop& loop,
                                                                const Config& config);
  ~Appliance();
  Appliance(const Appliance&) = delete;
  Appliance& operator=(const Appliance&) = delete;

  /// Where the API listens, e.g. "http://127.0.0.1:8080".
  [[nodiscard]] std::string url() const;
  /// The same over HTTPS; empty without it.
  [[nodiscard]] std::string https_url() const;
  [[nodiscard]] std::uint64_t id_instance() const;
  [[nodiscard]] const std::string& token() const;
  [[nodiscard]] Status status() const;
  /// The loop was stopped because the store failed: end with an error, to be started again.
  [[nodiscard]] bool failed() const;

 private:
  class Impl;
  explicit Appliance(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace posthorn::daemon
