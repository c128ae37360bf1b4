#pragma once

#include <string>

#include "posthorn/base/scheduler.h"

namespace posthorn::daemon {

/// What systemd tells a service in its environment; all empty when nobody started us as one.
struct ServiceEnvironment {
  std::string socket;       ///< NOTIFY_SOCKET: a path, or "@name" in the abstract space
  milliseconds watchdog{};  ///< WATCHDOG_USEC when it is meant for this process; 0: none

  [[nodiscard]] static ServiceEnvironment read();
};

/// Tells systemd that we are up, every half of its watchdog time that the loop still turns, and
/// that we stop. Speaks the protocol of sd_notify(3) itself, three lines of text in a datagram:
/// libsystemd would bring libgcrypt and four compressors along, 0.7 MiB of memory.
class ServiceManager {
 public:
  ServiceManager(Scheduler& scheduler, ServiceEnvironment environment);
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

 private:
  void tick();
  void tell(const char* state) const;

  ServiceEnvironment environment_;
  Timer timer_;
};

}  // namespace posthorn::daemon
