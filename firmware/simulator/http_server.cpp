#include "http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

namespace posthorn {

namespace {
constexpr std::size_t kMaxBody = 1U << 20;
constexpr milliseconds kLongestSleep{1000};
}  // namespace

/// Lives until microhttpd is done with the request and the answer has been given.
struct HttpServer::Request {
  std::string body;
  bool handed_over = false;
  bool suspended = false;
  bool answered = false;
  int status = 0;
  std::string json;
};

Result<std::unique_ptr<HttpServer>> HttpServer::start(loop::Loop& loop, std::uint16_t port,
                                                      Handler handler) {
  std::unique_ptr<HttpServer> server(new HttpServer(loop, std::move(handler)));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  server->daemon_ = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, nullptr, nullptr,
                                     &HttpServer::on_request, server.get(), MHD_OPTION_SOCK_ADDR,
                                     &address, MHD_OPTION_NOTIFY_COMPLETED,
                                     &HttpServer::on_completed, server.get(), MHD_OPTION_END);
  if (server->daemon_ == nullptr) {
    return fail(Errc::refused, "control port " + std::to_string(port) + " cannot be opened");
  }
  const auto* bound = MHD_get_daemon_info(server->daemon_, MHD_DAEMON_INFO_BIND_PORT);
  server->port_ = bound == nullptr ? port : bound->port;
  const auto* epoll = MHD_get_daemon_info(server->daemon_, MHD_DAEMON_INFO_EPOLL_FD);
  server->poll_ = std::make_unique<loop::Poll>(loop, epoll->epoll_fd, loop::Poll::readable,
                                               [self = server.get()](int) { self->run(); });
  server->run();
  return server;
}

HttpServer::~HttpServer() {
  timer_.stop();
  poll_.reset();
  if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
}

void HttpServer::run() {
  MHD_run(daemon_);
  MHD_UNSIGNED_LONG_LONG wait = 0;
  milliseconds next = kLongestSleep;
  if (MHD_get_timeout(daemon_, &wait) == MHD_YES) {
    next = std::min(
        next, milliseconds(static_cast<std::int64_t>(std::min<unsigned long long>(wait, 1000))));
  }
  timer_.start(next, [this] { run(); });
}

MHD_Result HttpServer::on_request(void* self, MHD_Connection* connection, const char* url,
                                  const char* method, const char*, const char* upload,
                                  std::size_t* upload_size, void** context) {
  auto& server = *static_cast<HttpServer*>(self);
  if (*context == nullptr) {
    *context =
        new std::shared_ptr<Request>(std::make_shared<Request>());  // shared: MHD and the answer
    return MHD_YES;
  }
  const auto request = *static_cast<std::shared_ptr<Request>*>(*context);
  if (*upload_size > 0) {
    if (request->body.size() + *upload_size > kMaxBody) return MHD_NO;
    request->body.append(upload, *upload_size);
    *upload_size = 0;
    return MHD_YES;
  }
  if (!request->handed_over) {
    request->handed_over = true;
    std::string path = url;
    std::string query;
    MHD_get_connection_values(
        connection, MHD_GET_ARGUMENT_KIND,
        [](void* out, MHD_ValueKind, const char* key, const char* value) {
          auto& text = *static_cast<std::string*>(out);
          text.append(text.empty() ? "?" : "&").append(key).append("=");
          for (const char c : std::string(value == nullptr ? "" : value)) {
            // microhttpd has decoded it; '&', '+' and '%' must survive the second decoding.
            if (c == '&') {
              text.append("%26");
            } else if (c == '+') {
              text.append("%2B");
            } else if (c == '%') {
              text.append("%25");
            } else {
              text.push_back(c);
            }
          }
          return MHD_YES;
        },
        &query);
    server.handler_(method, path + query, request->body,
                    [&server, connection, request](int status, std::string json) {
                      request->answered = true;
                      request->status = status;
                      request->json = std::move(json);
                      if (!request->suspended) return;
                      MHD_resume_connection(connection);
                      server.timer_.start(milliseconds(0), [&server] { server.run(); });
                    });
  }
  if (!request->answered) {
    request->suspended = true;
    MHD_suspend_connection(connection);
    return MHD_YES;
  }
  MHD_Response* response = MHD_create_response_from_buffer(
      request->json.size(), request->json.data(), MHD_RESPMEM_MUST_COPY);
  MHD_add_response_header(response, "Content-Type", "application/json; charset=utf-8");
  const MHD_Result queued =
      MHD_queue_response(connection, static_cast<unsigned>(request->status), response);
  MHD_destroy_response(response);
  return queued;
}

void HttpServer::on_completed(void*, MHD_Connection*, void** context, MHD_RequestTerminationCode) {
  delete static_cast<std::shared_ptr<Request>*>(*context);
  *context = nullptr;
}

}  // namespace posthorn
