#include "daemon/service_manager.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "support/fakes.h"

namespace posthorn::daemon {
namespace {

/// systemd's end of the socket.
class Manager {
 public:
  Manager() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    unlink(path.c_str());
    EXPECT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;
  ~Manager() {
    close(socket_);
    unlink(path.c_str());
  }

  /// What was told since the last call.
  std::vector<std::string> told() {
    std::vector<std::string> out;
    std::array<char, 64> text{};
    while (true) {
      const auto length = recv(socket_, text.data(), text.size(), MSG_DONTWAIT);
      if (length < 0) return out;
      out.emplace_back(text.data(), static_cast<std::size_t>(length));
    }
  }

  const std::string path = testing::TempDir() + "notify-" + std::to_string(getpid());

 private:
  int socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

using test::FakeScheduler;
using Lines = std::vector<std::string>;

TEST(ServiceManager, SaysThatItIsUpAndThatItStops) {
  Manager manager;
  FakeScheduler scheduler;
  {
    const ServiceManager service(scheduler, {manager.path, milliseconds(0)});
    EXPECT_EQ(manager.told(), Lines{"READY=1"});
    scheduler.advance(hours(1));
    EXPECT_EQ(manager.told(), Lines{}) << "nobody asked for a watchdog";
  }
  EXPECT_EQ(manager.told(), Lines{"STOPPING=1"});
}

TEST(ServiceManager, KeepsTheWatchdogAwakeTwiceInItsTime) {
  Manager manager;
  FakeScheduler scheduler;
  const ServiceManager service(scheduler, {manager.path, seconds(30)});
  EXPECT_EQ(manager.told(), (Lines{"READY=1", "WATCHDOG=1"}));
  scheduler.advance(seconds(30));
  EXPECT_EQ(manager.told(), (Lines{"WATCHDOG=1", "WATCHDOG=1"}));
}

TEST(ServiceManager, StartedByNobodyItIsSilent) {
  FakeScheduler scheduler;
  const ServiceManager service(scheduler, {});
  scheduler.advance(hours(1));
}

TEST(ServiceManager, ReadsWhatSystemdPutsIntoTheEnvironment) {
  setenv("NOTIFY_SOCKET", "@posthorn", 1);
  setenv("WATCHDOG_USEC", "30000000", 1);
  setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  EXPECT_EQ(ServiceEnvironment::read().socket, "@posthorn");
  EXPECT_EQ(ServiceEnvironment::read().watchdog, seconds(30));
  setenv("WATCHDOG_PID", std::to_string(getppid()).c_str(), 1);
  EXPECT_EQ(ServiceEnvironment::read().watchdog, milliseconds(0)) << "meant for somebody else";
  setenv("WATCHDOG_PID", "", 1);
  setenv("WATCHDOG_USEC", "soon", 1);
  EXPECT_EQ(ServiceEnvironment::read().watchdog, milliseconds(0));
  unsetenv("NOTIFY_SOCKET");
  unsetenv("WATCHDOG_USEC");
  unsetenv("WATCHDOG_PID");
}

}  // namespace
}  // namespace posthorn::daemon
