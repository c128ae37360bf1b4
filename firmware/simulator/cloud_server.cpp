#include "cloud_server.h"

#include <string>

namespace posthorn {
namespace {

constexpr std::size_t kMaxBody = std::size_t{110} << 20;
constexpr seconds kWebhookWait{20};

std::string header(MHD_Connection* connection, const char* name) {
  const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value == nullptr ? "" : value;
}

MHD_Result take_argument(void* out, MHD_ValueKind, const char* key, const char* value) {
  (*static_cast<std::map<std::string, std::string>*>(out))[key] = value == nullptr ? "" : value;
  return MHD_YES;
}

/// Posts one webhook of the stand-in.
void post(net::HttpClient& client, const std::string& url, const std::string& signature,
          const std::string& body, Once<void(int status)> done) {
  net::HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers.emplace_back("Content-Type", "application/json");
  request.headers.emplace_back("X-Hub-Signature-256", signature);
  request.body = body;
  request.timeout = kWebhookWait;
  request.any_certificate = true;
  client.send(std::move(request),
              [done = std::move(done)](const Result<net::HttpResponse>& answer) mutable {
                done(answer ? answer->status : 0);
              });
}

}  // namespace

/// A request while it comes in; suspended to the end when it is to hang.
struct CloudServer::Exchange {
  std::string body;
  bool hangs = false;
};

CloudServer::CloudServer(loop::Loop& loop)
    : client_(net::make_http_client(loop)),
      cloud_({}, {loop,
                  [this](const std::string& url, const std::string& signature,
                         const std::string& body, Once<void(int status)> done) {
                    post(*client_, url, signature, body, std::move(done));
                  }}),
      http_(loop) {}

/// microhttpd ends with none suspended.
CloudServer::~CloudServer() {
  for (MHD_Connection* connection : hanging_) MHD_resume_connection(connection);
}

Result<std::unique_ptr<CloudServer>> CloudServer::start(loop::Loop& loop, std::uint16_t port) {
  std::unique_ptr<CloudServer> server(new CloudServer(loop));
  TRY(server->http_.start(MHD_ALLOW_SUSPEND_RESUME, port, &CloudServer::on_request,
                          &CloudServer::on_completed, server.get(), "cloud"));
  return server;
}

MHD_Result CloudServer::on_request(void* self, MHD_Connection* connection, const char* url,
                                   const char* method, const char*, const char* upload,
                                   std::size_t* upload_size, void** context) {
  auto& server = *static_cast<CloudServer*>(self);
  if (*context == nullptr) {
    *context = new Exchange;
    return MHD_YES;
  }
  auto& exchange = *static_cast<Exchange*>(*context);
  if (exchange.hangs) return MHD_NO;
  if (*upload_size > 0) {
    if (exchange.body.size() + *upload_size > kMaxBody) return MHD_NO;
    exchange.body.append(upload, *upload_size);
    *upload_size = 0;
    return MHD_YES;
  }
  simulator::CloudRequest request{method, url};
  MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_argument, &request.query);
  request.host = header(connection, "Host");
  request.authorization = header(connection, "Authorization");
  request.content_type = header(connection, "Content-Type");
  request.body = std::move(exchange.body);
  const simulator::CloudAnswer answer = server.cloud_.graph(request);
  if (answer.how == simulator::CloudAnswer::How::drop) return MHD_NO;
  if (answer.how == simulator::CloudAnswer::How::hang) {
    exchange.hangs = true;
    server.hanging_.push_back(connection);
    MHD_suspend_connection(connection);
    return MHD_YES;
  }
  MHD_Response* response = MHD_create_response_from_buffer(
      answer.body.size(), const_cast<char*>(answer.body.data()), MHD_RESPMEM_MUST_COPY);
  MHD_add_response_header(response, "Content-Type", answer.content_type.c_str());
  const MHD_Result queued =
      MHD_queue_response(connection, static_cast<unsigned>(answer.status), response);
  MHD_destroy_response(response);
  return queued;
}

void CloudServer::on_completed(void*, MHD_Connection*, void** context, MHD_RequestTerminationCode) {
  delete static_cast<Exchange*>(*context);
  *context = nullptr;
}

}  // namespace posthorn
