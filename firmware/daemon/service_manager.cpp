#include "daemon/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "posthorn/base/log.h"

namespace posthorn::daemon {

namespace {

/// A whole number of the environment; nullopt when it is missing or none.
std::optional<std::int64_t> number_in(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') return std::nullopt;
  char* end = nullptr;
  errno = 0;
  const long long value = std::strtoll(text, &end, 10);
  if (errno != 0 || *end != '\0' || value < 0) return std::nullopt;
  return value;
}

}  // namespace

ServiceEnvironment ServiceEnvironment::read() {
  ServiceEnvironment out;
  if (const char* socket = std::getenv("NOTIFY_SOCKET")) out.socket = socket;
  // A watchdog meant for whoever started us is none of ours.
  const auto owner = number_in("WATCHDOG_PID");
  if (const auto us = number_in("WATCHDOG_USEC"); us && (!owner || *owner == getpid())) {
    out.watchdog = milliseconds(*us / 1000);
  }
  return out;
}

ServiceManager::ServiceManager(Scheduler& scheduler, ServiceEnvironment environment)
    : environment_(std::move(environment)), timer_(scheduler) {
  tell("READY=1");
  tick();
}

ServiceManager::~ServiceManager() { tell("STOPPING=1"); }

void ServiceManager::tick() {
  if (environment_.watchdog <= milliseconds(0)) return;
  tell("WATCHDOG=1");
  timer_.start(environment_.watchdog / 2, [this] { tick(); });
}

void ServiceManager::tell(const char* state) const {
  const std::string& name = environment_.socket;
  sockaddr_un address{};
  if (name.empty() || name.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  if (name.front() == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const bool sent =
      descriptor >= 0 && sendto(descriptor, state, std::strlen(state), MSG_NOSIGNAL,
                                reinterpret_cast<const sockaddr*>(&address), length) >= 0;
  if (!sent) log::warn("posthornd", "systemd cannot be told", {{"error", std::strerror(errno)}});
  if (descriptor >= 0) close(descriptor);
}

}  // namespace posthorn::daemon
