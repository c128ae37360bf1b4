#include "mhd_loop.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

namespace posthorn {

namespace {
constexpr milliseconds kLongestSleep{1000};
}  // namespace

Result<void> MhdLoop::start(unsigned flags, std::uint16_t port,
                            MHD_AccessHandlerCallback on_request,
                            MHD_RequestCompletedCallback on_completed, void* self, const char* name,
                            std::vector<MHD_OptionItem> options) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  options.push_back({MHD_OPTION_END, 0, nullptr});
  daemon_ = MHD_start_daemon(MHD_USE_EPOLL | flags, 0, nullptr, nullptr, on_request, self,
                             MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED,
                             on_completed, self, MHD_OPTION_ARRAY, options.data(), MHD_OPTION_END);
  if (daemon_ == nullptr) {
    return fail(Errc::refused,
                std::string(name) + " port " + std::to_string(port) + " cannot be opened");
  }
  const auto* bound = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_BIND_PORT);
  port_ = bound == nullptr ? port : bound->port;
  const auto* epoll = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD);
  poll_ = std::make_unique<loop::Poll>(loop_, epoll->epoll_fd, loop::Poll::readable,
                                       [this](int) { run(); });
  run();
  return {};
}

MhdLoop::~MhdLoop() {
  timer_.stop();
  poll_.reset();
  if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
}

void MhdLoop::wake() {
  timer_.start(milliseconds(0), [this] { run(); });
}

void MhdLoop::run() {
  MHD_run(daemon_);
  MHD_UNSIGNED_LONG_LONG wait = 0;
  milliseconds next = kLongestSleep;
  if (MHD_get_timeout(daemon_, &wait) == MHD_YES) {
    next = std::min(
        next, milliseconds(static_cast<std::int64_t>(std::min<unsigned long long>(wait, 1000))));
  }
  timer_.start(next, [this] { run(); });
}

}  // namespace posthorn
