#include "hello.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace posthorn::bench {

namespace {

constexpr std::string_view kText = R"({"stateInstance":"authorized"})";

MHD_Result on_request(void* response, MHD_Connection* connection, const char*, const char*,
                      const char*, const char*, std::size_t*, void** seen) {
  if (*seen == nullptr) {
    *seen = response;
    return MHD_YES;
  }
  return MHD_queue_response(connection, MHD_HTTP_OK, static_cast<MHD_Response*>(response));
}

}  // namespace

struct Hello::State {
  MHD_Response* response = nullptr;
  MHD_Daemon* daemon = nullptr;
  std::unique_ptr<loop::Poll> poll;
};

Hello::Hello(loop::Loop& loop) : state_(std::make_unique<State>()) {
  state_->response = MHD_create_response_from_buffer(kText.size(), const_cast<char*>(kText.data()),
                                                     MHD_RESPMEM_PERSISTENT);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  state_->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, nullptr, nullptr, &on_request,
                                    state_->response, MHD_OPTION_SOCK_ADDR, &where, MHD_OPTION_END);
  if (state_->daemon == nullptr) {
    std::perror("MHD_start_daemon");
    std::exit(1);
  }
  const auto* info = MHD_get_daemon_info(state_->daemon, MHD_DAEMON_INFO_EPOLL_FD);
  state_->poll = std::make_unique<loop::Poll>(loop, info->epoll_fd, loop::Poll::readable,
                                              [this](int) { MHD_run(state_->daemon); });
}

Hello::~Hello() {
  state_->poll.reset();
  MHD_stop_daemon(state_->daemon);
  MHD_destroy_response(state_->response);
}

std::uint16_t Hello::port() const {
  return MHD_get_daemon_info(state_->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

}  // namespace posthorn::bench
