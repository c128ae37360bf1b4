#include "posthorn/api/server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_map>

#include "posthorn/base/log.h"
#include "posthorn/base/scheduler.h"

namespace posthorn::api {

namespace {

constexpr std::size_t kConnectionMemory = std::size_t{24} << 10;
/// What is read and thrown away of a body that is too large, so that its sender gets the 413.
constexpr std::size_t kDiscarded = std::size_t{100} << 20;
constexpr unsigned kConnectionsPerAddress = 100;

/// A listening address for MHD.
struct Address {
  sockaddr_storage storage{};
  bool v6 = false;
};

Result<Address> parse_address(const std::string& text, std::uint16_t port) {
  Address address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    return address;
  }
  if (inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.v6 = true;
    return address;
  }
  return fail(Errc::malformed, "api.listen: not a numeric address: " + text);
}

Verb verb_of(std::string_view method) {
  if (method == MHD_HTTP_METHOD_GET) return Verb::get;
  if (method == MHD_HTTP_METHOD_POST) return Verb::post;
  if (method == MHD_HTTP_METHOD_DELETE) return Verb::del;
  if (method == MHD_HTTP_METHOD_OPTIONS) return Verb::options;
  if (method == MHD_HTTP_METHOD_HEAD) return Verb::head;
  return Verb::other;
}

std::string header(MHD_Connection* connection, const char* name) {
  const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value != nullptr ? value : "";
}

std::string peer_of(MHD_Connection* connection) {
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  if (info == nullptr || info->client_addr == nullptr) return "";
  std::array<char, INET6_ADDRSTRLEN> text{};
  const sockaddr* address = info->client_addr;
  const void* bytes =
      address->sa_family == AF_INET6
          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr)
          : &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
  return inet_ntop(address->sa_family, bytes, text.data(), text.size()) != nullptr ? text.data()
                                                                                   : "";
}

MHD_Result collect_query(void* query, MHD_ValueKind, const char* name, const char* value) {
  using Query = std::vector<std::pair<std::string, std::string>>;
  static_cast<Query*>(query)->emplace_back(name, value != nullptr ? value : "");
  return MHD_YES;
}

Request head_of(MHD_Connection* connection, const char* path, const char* method) {
  Request request;
  request.verb = verb_of(method);
  request.path = path;
  MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, collect_query, &request.query);
  request.content_type = header(connection, MHD_HTTP_HEADER_CONTENT_TYPE);
  request.idempotency_key = header(connection, "Idempotency-Key");
  request.host = header(connection, MHD_HTTP_HEADER_HOST);
  request.peer = peer_of(connection);
  return request;
}

struct DropResponse {
  void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
};
using ResponseHandle = std::unique_ptr<MHD_Response, DropResponse>;

/// mode PERSISTENT: the body stays where it is, and its owner keeps it until the request has
/// completed.
ResponseHandle to_mhd(const Response& response, MHD_ResponseMemoryMode mode) {
  ResponseHandle out(MHD_create_response_from_buffer(
      response.body.size(), const_cast<char*>(response.body.data()), mode));
  if (!out) return out;
  if (response.status != MHD_HTTP_NO_CONTENT) {
    MHD_add_response_header(out.get(), MHD_HTTP_HEADER_CONTENT_TYPE, response.content_type.c_str());
  }
  MHD_add_response_header(out.get(), MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_ORIGIN, "*");
  for (const auto& [name, value] : response.headers) {
    MHD_add_response_header(out.get(), name.c_str(), value.c_str());
  }
  return out;
}

/// Clients poll, and most polls have the same short answer as the one before: making MHD's object
/// for it anew costs a tenth of the whole request.
class LastResponse {
 public:
  static constexpr std::size_t kLongest = 256;

  /// Null: this response is not one to keep.
  MHD_Response* find_or_make(const Response& response) {
    if (response.body.size() > kLongest || !response.headers.empty()) return nullptr;
    if (!mhd_ || response.body != body_ || response.content_type != content_type_ ||
        (response.status == MHD_HTTP_NO_CONTENT) != no_content_) {
      mhd_ = to_mhd(response, MHD_RESPMEM_MUST_COPY);
      body_ = response.body;
      content_type_ = response.content_type;
      no_content_ = response.status == MHD_HTTP_NO_CONTENT;
    }
    return mhd_.get();
  }

 private:
  ResponseHandle mhd_;
  std::string body_;
  std::string content_type_;
  bool no_content_ = false;
};

/// GnuTLS's own defaults without what is older than TLS 1.2.
constexpr const char* kTlsPriorities = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

/// What MHD needs for HTTPS; it copies none of it before it has read it, so `tls` stays meanwhile.
std::vector<MHD_OptionItem> tls_options(const std::optional<TlsIdentity>& tls) {
  std::vector<MHD_OptionItem> out;
  if (tls) {
    out.push_back({MHD_OPTION_HTTPS_MEM_CERT, 0, const_cast<char*>(tls->certificate.c_str())});
    out.push_back({MHD_OPTION_HTTPS_MEM_KEY, 0, const_cast<char*>(tls->key.c_str())});
    out.push_back({MHD_OPTION_HTTPS_PRIORITIES, 0, const_cast<char*>(kTlsPriorities)});
  }
  out.push_back({MHD_OPTION_END, 0, nullptr});
  return out;
}

/// One request between its first line and its last byte out.
class MhdServer;
struct Exchange {
  enum class State : std::uint8_t { reading, handling, suspended, answered };

  MhdServer* server = nullptr;           ///< valid while `connection` is
  MHD_Connection* connection = nullptr;  ///< null: gone, an answer has nowhere to go
  State state = State::reading;
  Request request;
  Response response;
  std::size_t limit = 0;
  std::size_t received = 0;
};

class MhdServer final : public Server {
 public:
  MhdServer(loop::Loop& loop, RequestHandler& handler)
      : loop_(loop), handler_(handler), timer_(loop) {}
  ~MhdServer() override;

  Result<void> start(const ServerOptions& options, const Address& address);
  [[nodiscard]] std::uint16_t port() const override;

 private:
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* path,
                               const char* method, const char* version, const char* upload,
                               std::size_t* upload_size, void** exchange);
  static void on_completed(void* self, MHD_Connection* connection, void** exchange,
                           MHD_RequestTerminationCode how);
  static void on_mhd_log(void* self, const char* format, va_list arguments);

  MHD_Result begin(MHD_Connection* connection, const char* path, const char* method, void** slot);
  MHD_Result take_body(Exchange& exchange, std::string_view piece);
  MHD_Result answer(const std::shared_ptr<Exchange>& exchange);
  MHD_Result queue(Exchange& exchange);
  static void on_response(Exchange& exchange, Response response);
  void turn();
  void turn_at(Mono at);
  void arm();

  loop::Loop& loop_;
  RequestHandler& handler_;
  MHD_Daemon* daemon_ = nullptr;
  std::unique_ptr<loop::Poll> poll_;
  Timer timer_;
  Mono timer_at_{};
  bool stopping_ = false;
  LastResponse last_;
  /// Shared: with the Reply, which may be kept after the request or the server has gone.
  std::unordered_map<Exchange*, std::shared_ptr<Exchange>> exchanges_;
};

Result<void> MhdServer::start(const ServerOptions& options, const Address& address) {
  // MHD_OPTION_LISTENING_ADDRESS_REUSE stays away: it would let two boxes share one port unnoticed.
  const unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                         (address.v6 ? unsigned{MHD_USE_DUAL_STACK} : 0U) |
                         (options.tls ? unsigned{MHD_USE_TLS} : 0U);
  const std::vector<MHD_OptionItem> tls = tls_options(options.tls);
  daemon_ = MHD_start_daemon(
      flags, 0, nullptr, nullptr, &MhdServer::on_request, this, MHD_OPTION_EXTERNAL_LOGGER,
      &MhdServer::on_mhd_log, this, MHD_OPTION_SOCK_ADDR, &address.storage,
      MHD_OPTION_NOTIFY_COMPLETED, &MhdServer::on_completed, this, MHD_OPTION_CONNECTION_LIMIT,
      options.connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
      std::min(options.connections, kConnectionsPerAddress), MHD_OPTION_CONNECTION_TIMEOUT,
      static_cast<unsigned>(options.idle.count()), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      kConnectionMemory, MHD_OPTION_ARRAY, tls.data(), MHD_OPTION_END);
  if (daemon_ == nullptr) {
    return fail(Errc::refused, options.listen + " port " + std::to_string(options.port) +
                                   ": cannot listen there: " + std::strerror(errno));
  }
  const auto* info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD);
  if (info == nullptr) return fail(Errc::unsupported, "libmicrohttpd without epoll");
  poll_ = std::make_unique<loop::Poll>(loop_, info->epoll_fd, loop::Poll::readable,
                                       [this](int) { turn(); });
  return {};
}

MhdServer::~MhdServer() {
  poll_.reset();
  timer_.stop();
  stopping_ = true;
  if (daemon_ == nullptr) return;
  // MHD asserts that nothing is suspended when it stops.
  for (const auto& [key, exchange] : exchanges_) {
    if (exchange->state == Exchange::State::suspended) {
      exchange->state = Exchange::State::answered;
      exchange->response = Response{.status = 503, .body = {}, .headers = {}};
      MHD_resume_connection(exchange->connection);
    }
  }
  MHD_run(daemon_);
  MHD_stop_daemon(daemon_);
}

std::uint16_t MhdServer::port() const {
  const auto* info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_BIND_PORT);
  return info != nullptr ? info->port : std::uint16_t{0};
}

void MhdServer::turn() {
  MHD_run(daemon_);
  arm();
}

void MhdServer::arm() {
  MHD_UNSIGNED_LONG_LONG wait = 0;
  if (MHD_get_timeout(daemon_, &wait) != MHD_YES) return timer_.stop();
  turn_at(loop_.now() + milliseconds(static_cast<std::int64_t>(wait)));
}

void MhdServer::turn_at(Mono at) {
  // A timer that is due earlier than it must be costs one idle turn; arming it each time costs
  // more.
  if (timer_.active() && timer_at_ <= at) return;
  timer_at_ = at;
  timer_.start_at(at, [this] { turn(); });
}

MHD_Result MhdServer::on_request(void* self, MHD_Connection* connection, const char* path,
                                 const char* method, const char*, const char* upload,
                                 std::size_t* upload_size, void** slot) {
  auto& server = *static_cast<MhdServer*>(self);
  if (*slot == nullptr) return server.begin(connection, path, method, slot);
  auto& exchange = *static_cast<Exchange*>(*slot);
  if (*upload_size > 0) {
    const std::string_view piece(upload, std::exchange(*upload_size, 0));
    return server.take_body(exchange, piece);
  }
  if (exchange.state == Exchange::State::answered) return server.queue(exchange);
  return server.answer(server.exchanges_.at(&exchange));
}

MHD_Result MhdServer::begin(MHD_Connection* connection, const char* path, const char* method,
                            void** slot) {
  auto exchange = std::make_shared<Exchange>();
  exchange->server = this;
  exchange->connection = connection;
  exchange->request = head_of(connection, path, method);
  *slot = exchange.get();
  exchanges_.emplace(exchange.get(), std::move(exchange));
  return MHD_YES;
}

MHD_Result MhdServer::take_body(Exchange& exchange, std::string_view piece) {
  if (exchange.received == 0) exchange.limit = handler_.body_limit(exchange.request);
  exchange.received += piece.size();
  if (exchange.received > exchange.limit) {
    exchange.request.body_too_large = true;
    exchange.request.body = {};
    return exchange.received > kDiscarded ? MHD_NO : MHD_YES;
  }
  exchange.request.body += piece;
  return MHD_YES;
}

MHD_Result MhdServer::answer(const std::shared_ptr<Exchange>& exchange) {
  if (exchange->state != Exchange::State::reading) return MHD_NO;
  if (stopping_) return MHD_NO;
  exchange->state = Exchange::State::handling;
  handler_.handle(std::move(exchange->request), Reply([exchange](Response response) {
                    on_response(*exchange, std::move(response));
                  }));
  if (exchange->state == Exchange::State::answered) return queue(*exchange);
  exchange->state = Exchange::State::suspended;
  MHD_suspend_connection(exchange->connection);
  return MHD_YES;
}

void MhdServer::on_response(Exchange& exchange, Response response) {
  if (exchange.connection == nullptr || exchange.state == Exchange::State::answered) return;
  exchange.response = std::move(response);
  const bool suspended = exchange.state == Exchange::State::suspended;
  exchange.state = Exchange::State::answered;
  if (!suspended) return;
  MHD_resume_connection(exchange.connection);
  // Without threads MHD has no means of its own to wake its epoll descriptor for this.
  exchange.server->turn_at(exchange.server->loop_.now());
}

MHD_Result MhdServer::queue(Exchange& exchange) {
  const auto status = static_cast<unsigned>(exchange.response.status);
  if (MHD_Response* known = last_.find_or_make(exchange.response)) {
    return MHD_queue_response(exchange.connection, status, known);
  }
  const ResponseHandle response = to_mhd(exchange.response, MHD_RESPMEM_PERSISTENT);
  if (!response) return MHD_NO;
  return MHD_queue_response(exchange.connection, status, response.get());
}

void MhdServer::on_completed(void* self, MHD_Connection*, void** slot, MHD_RequestTerminationCode) {
  auto* exchange = static_cast<Exchange*>(std::exchange(*slot, nullptr));
  if (exchange == nullptr) return;
  exchange->connection = nullptr;
  static_cast<MhdServer*>(self)->exchanges_.erase(exchange);
}

void MhdServer::on_mhd_log(void*, const char* format, va_list arguments) {
  if (!log::enabled(log::Level::debug)) return;
  std::array<char, 256> text{};
  std::vsnprintf(text.data(), text.size(), format, arguments);
  log::debug("api", "http", {{"detail", text.data()}});
}

}  // namespace

Result<std::unique_ptr<Server>> serve(loop::Loop& loop, const ServerOptions& options,
                                      RequestHandler& handler) {
  TRY(const Address address, parse_address(options.listen, options.port));
  auto server = std::make_unique<MhdServer>(loop, handler);
  TRY(server->start(options, address));
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace posthorn::api
