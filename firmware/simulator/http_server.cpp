#include "http_server.h"

namespace posthorn {

namespace {
constexpr std::size_t kMaxBody = 1U << 20;
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
  TRY(server->http_.start(MHD_ALLOW_SUSPEND_RESUME, port, &HttpServer::on_request,
                          &HttpServer::on_completed, server.get(), "control"));
  return server;
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
                      server.http_.wake();
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
