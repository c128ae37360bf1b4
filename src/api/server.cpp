#include "api/server.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "posthorn/base/guard.h"
#include "posthorn/base/log.h"

namespace posthorn::api {

namespace {

constexpr std::size_t kConnectionMemory = std::size_t{24} << 10;
/// What is read and thrown away of a body that is too large, so that its sender gets the 413. One
/// that says before that it will be larger is answered at once.
constexpr std::size_t kDiscarded = std::size_t{1} << 20;
/// Bodies that are kept in memory, of all requests together, until they are answered.
constexpr std::size_t kKeptAtMost = std::size_t{4} << 20;
/// Answers in memory that their clients have not taken, together; short ones do not count.
constexpr std::size_t kUnreadAtMost = std::size_t{4} << 20;
constexpr std::size_t kShortAnswer = std::size_t{4} << 10;
/// libmicrohttpd still counts those that are being closed.
constexpr unsigned kClosing = 64;
constexpr int kAcceptedInATurn = 32;
constexpr int kRunsInATurn = 16;
constexpr milliseconds kNoDescriptors{100};
constexpr seconds kSweepEvery{1};

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

Response no_room() {
  return Response{.status = 503,
                  .body = R"({"statusCode":503,"message":"the box is busy with other large )"
                          R"(requests, try again in a second"})",
                  .headers = {{"Retry-After", "1"}}};
}

ConnectionLimits limits_of(const ServerOptions& options) {
  ConnectionLimits limits;
  limits.all = options.connections;
  limits.strangers = options.connections * 7 / 10;
  limits.stranger_each = options.connections * 3 / 10;
  limits.till_each = options.connections * 6 / 10;
  limits.unfinished = options.unfinished;
  return limits;
}

}  // namespace

MhdServer::MhdServer(loop::Loop& loop, RequestHandler& handler, const ServerOptions& options)
    : loop_(loop),
      handler_(handler),
      connections_(limits_of(options)),
      timer_(loop),
      accept_timer_(loop),
      sweep_timer_(loop) {}

Result<void> MhdServer::start(const ServerOptions& options) {
  TRY(auto listener, listen_on(options.listen, options.port));
  listener_ = std::make_unique<Socket>(std::move(listener));
  const unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                         MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_UPGRADE |
                         (options.tls ? unsigned{MHD_USE_TLS} : 0U);
  const std::vector<MHD_OptionItem> tls = tls_options(options.tls);
  daemon_ = MHD_start_daemon(
      flags, 0, nullptr, nullptr, &MhdServer::on_request, this, MHD_OPTION_EXTERNAL_LOGGER,
      &MhdServer::on_mhd_log, this, MHD_OPTION_NOTIFY_COMPLETED, &MhdServer::on_completed, this,
      MHD_OPTION_NOTIFY_CONNECTION, &MhdServer::on_connection, this, MHD_OPTION_CONNECTION_LIMIT,
      options.connections + kClosing, MHD_OPTION_CONNECTION_TIMEOUT,
      static_cast<unsigned>(options.idle.count()), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      kConnectionMemory, MHD_OPTION_ARRAY, tls.data(), MHD_OPTION_END);
  if (daemon_ == nullptr) return fail(Errc::refused, "libmicrohttpd does not start");
  const auto* info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD);
  if (info == nullptr) return fail(Errc::unsupported, "libmicrohttpd without epoll");
  poll_ = std::make_unique<loop::Poll>(loop_, info->epoll_fd, loop::Poll::readable,
                                       [this](int) { turn(); });
  accepting_ = std::make_unique<loop::Poll>(loop_, listener_->get(), loop::Poll::readable,
                                            [this](int) { accept_all(); });
  return {};
}

MhdServer::~MhdServer() {
  accepting_.reset();
  poll_.reset();
  timer_.stop();
  accept_timer_.stop();
  sweep_timer_.stop();
  stopping_ = true;
  for (const auto& socket : std::exchange(web_sockets_, {})) socket->end();
  if (daemon_ == nullptr) return;
  // MHD asserts that nothing is suspended when it stops.
  for (const auto& [key, exchange] : exchanges_) {
    using State = Exchange::State;
    if (exchange->state == State::suspended) {
      exchange->response = Response{.status = 503, .body = {}, .headers = {}};
    }
    for (const State state : {State::suspended, State::holding, State::waiting}) {
      resume(*exchange, state, State::answered);
    }
  }
  MHD_run(daemon_);
  MHD_stop_daemon(daemon_);
}

std::uint16_t MhdServer::port() const { return port_of(*listener_); }

void MhdServer::accept_all() {
  for (int i = 0; i < kAcceptedInATurn; ++i) {
    if (!accept_one()) break;
  }
  if (!connections_.empty() && !sweep_timer_.active()) {
    sweep_timer_.start(kSweepEvery, [this] { sweep(); });
  }
  turn();
}

/// False: nobody waits any more.
bool MhdServer::accept_one() {
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  Socket socket(::accept4(listener_->get(), reinterpret_cast<sockaddr*>(&from), &size,
                          SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket.get() < 0) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
      // The listener stays readable: looked at again when something may have been given back.
      accepting_->watch(0);
      accept_timer_.start(kNoDescriptors, [this] { accepting_->watch(loop::Poll::readable); });
    }
    return errno == ECONNABORTED || errno == EINTR;
  }
  std::string address = address_text(reinterpret_cast<sockaddr*>(&from));
  const Connections::Admission admission = connections_.open(address, loop_.now());
  if (admission.evict) {
    if (const auto old = peers_.find(*admission.evict); old != peers_.end()) {
      ::shutdown(old->second.fd, SHUT_RDWR);
    }
  }
  if (!admission.id) return true;
  Peer& peer = peers_[*admission.id];
  peer = {*admission.id, socket.get(), std::move(address)};
  coming_ = &peer;
  const MHD_Result taken =
      MHD_add_connection(daemon_, socket.release(), reinterpret_cast<sockaddr*>(&from), size);
  // Refused, it has closed the socket and told nobody.
  if (std::exchange(coming_, nullptr) != nullptr || taken != MHD_YES) {
    connections_.on_closed(*admission.id);
    peers_.erase(*admission.id);
  }
  return true;
}

void MhdServer::sweep() {
  for (const Connections::Id id : connections_.overdue(loop_.now())) {
    if (const auto peer = peers_.find(id); peer != peers_.end()) {
      ::shutdown(peer->second.fd, SHUT_RDWR);
    }
    connections_.on_closed(id);
  }
  if (!connections_.empty()) sweep_timer_.start(kSweepEvery, [this] { sweep(); });
}

void MhdServer::on_connection(void* self, MHD_Connection*, void** context,
                              MHD_ConnectionNotificationCode what) {
  auto& server = *static_cast<MhdServer*>(self);
  if (what == MHD_CONNECTION_NOTIFY_STARTED) {
    *context = std::exchange(server.coming_, nullptr);
    return;
  }
  const auto* peer = static_cast<Peer*>(std::exchange(*context, nullptr));
  if (peer == nullptr) return;
  const Connections::Id id = peer->id;
  server.connections_.on_closed(id);
  server.peers_.erase(id);
}

void MhdServer::turn() {
  // A run takes one piece of each body; while there are more, a turn of the loop for each would
  // cost as much again.
  MHD_UNSIGNED_LONG_LONG wait = 0;
  int runs = 0;
  do {
    MHD_run(daemon_);
  } while (++runs < kRunsInATurn && MHD_get_timeout(daemon_, &wait) == MHD_YES && wait == 0);
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

MHD_Result MhdServer::on_request(void* self, MHD_Connection* connection, const char* url,
                                 const char* method, const char*, const char* upload,
                                 std::size_t* upload_size, void** slot) {
  auto& server = *static_cast<MhdServer*>(self);
  const std::string_view piece(upload, std::exchange(*upload_size, 0));
  MHD_Result out = MHD_NO;
  if (guarded("api", [&] { out = server.step(connection, url, method, piece, slot); })) return out;
  // What was thrown dropped the Reply on its way, which answers 500.
  auto* exchange = static_cast<Exchange*>(*slot);
  if (exchange == nullptr || exchange->state != Exchange::State::answered) return MHD_NO;
  return guarded_or("api", MHD_NO, [&] { return server.queue(*exchange); });
}

MHD_Result MhdServer::step(MHD_Connection* connection, const char* url, const char* method,
                           std::string_view upload, void** slot) {
  if (*slot == nullptr) return begin(connection, url, method, slot);
  const std::shared_ptr<Exchange> exchange =
      exchanges_.at(static_cast<Exchange*>(*slot));  // shared: see `exchanges_`
  if (!upload.empty()) return take_body(exchange, upload);
  if (exchange->state == Exchange::State::answered) return queue(*exchange);
  return answer(exchange);
}

MHD_Result MhdServer::begin(MHD_Connection* connection, const char* url, const char* method,
                            void** slot) {
  auto made = std::make_shared<Exchange>();
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  made->server = this;
  made->connection = connection;
  made->peer = info != nullptr ? static_cast<const Peer*>(info->socket_context) : nullptr;
  if (made->peer == nullptr) return MHD_NO;
  made->request = read_head(connection, url, method, made->peer->address);
  made->request_key = made->request.web_socket_key;
  made->terms = handler_.terms(made->request);
  const std::shared_ptr<Exchange> exchange = made;
  exchanges_.emplace(made.get(), made);
  *slot = made.get();
  connections_.on_head(made->peer->id, loop_.now());
  if (made->terms.trusted) connections_.on_trusted(made->peer->id, loop_.now());
  if (made->terms.sink) {
    connections_.on_whole(made->peer->id);
    made->terms.sink->on_room([weak = std::weak_ptr(exchange)] {
      const auto still = weak.lock();
      if (still) resume(*still, Exchange::State::holding, Exchange::State::reading);
    });
    return MHD_YES;
  }
  // Not read for nothing: whoever waits for "100 Continue", or has much to say, is told before.
  const std::uint64_t length = made->request.content_length.value_or(0);
  const bool asks =
      MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_EXPECT) != nullptr;
  if (length <= made->terms.body_limit || (!asks && length <= kDiscarded)) return MHD_YES;
  made->request.body_too_large = true;
  return answer(exchange);
}

MHD_Result MhdServer::take_body(const std::shared_ptr<Exchange>& exchange, std::string_view piece) {
  if (exchange->state == Exchange::State::answered) return MHD_NO;  // we are stopping
  exchange->received += piece.size();
  if (exchange->terms.sink) {
    if (exchange->terms.sink->write(piece)) return MHD_YES;
    exchange->state = Exchange::State::holding;
    MHD_suspend_connection(exchange->connection);
    return MHD_YES;
  }
  Request& request = exchange->request;
  if (exchange->received > exchange->terms.body_limit) request.body_too_large = true;
  if (kept_ + piece.size() > kKeptAtMost) request.no_room = true;
  if (request.body_too_large || request.no_room) {
    request.body = {};
    return exchange->received > exchange->terms.body_limit + kDiscarded ? MHD_NO : MHD_YES;
  }
  request.body += piece;
  exchange->kept += piece.size();
  kept_ += piece.size();
  return MHD_YES;
}

MHD_Result MhdServer::answer(const std::shared_ptr<Exchange>& exchange) {
  if (exchange->state != Exchange::State::reading || stopping_) return MHD_NO;
  exchange->state = Exchange::State::handling;
  connections_.on_whole(exchange->peer->id);
  Reply reply([exchange](Response response) { on_response(*exchange, std::move(response)); });
  if (exchange->terms.sink) {
    exchange->terms.sink->finish(std::move(reply));
    exchange->terms.sink.reset();
  } else if (exchange->request.no_room) {
    reply.send(no_room());
  } else {
    handler_.handle(std::move(exchange->request), std::move(reply));
  }
  if (exchange->state == Exchange::State::answered) return queue(*exchange);
  exchange->state = Exchange::State::suspended;
  MHD_suspend_connection(exchange->connection);
  return MHD_YES;
}

void MhdServer::on_response(Exchange& exchange, Response response) {
  if (exchange.connection == nullptr || exchange.state == Exchange::State::answered) return;
  exchange.response = std::move(response);
  exchange.server->refuse_when_full(exchange);
  if (exchange.state == Exchange::State::suspended) {
    resume(exchange, Exchange::State::suspended, Exchange::State::answered);
  } else {
    exchange.state = Exchange::State::answered;
  }
}

/// Whoever asks and does not read must not fill the memory of the box.
void MhdServer::refuse_when_full(Exchange& exchange) {
  const std::size_t size = exchange.response.body.size();
  if (size <= kShortAnswer) return;
  if (unread_ + size > kUnreadAtMost && unread_ > 0) {
    exchange.response = no_room();
    return;
  }
  exchange.unread = size;
  unread_ += size;
}

void MhdServer::resume(Exchange& exchange, Exchange::State from, Exchange::State to) {
  if (exchange.connection == nullptr || exchange.state != from) return;
  exchange.state = to;
  MHD_resume_connection(exchange.connection);
  // Without threads MHD has no means of its own to wake its epoll descriptor for this.
  MhdServer& server = *exchange.server;
  if (!server.stopping_) server.turn_at(server.loop_.now());
}

MHD_Result MhdServer::queue(Exchange& exchange) {
  const auto status = static_cast<unsigned>(exchange.response.status);
  const bool any_origin = exchange.terms.any_origin;
  if (exchange.response.opened) return queue_web_socket(exchange);
  if (MHD_Response* known = last_.find_or_make(exchange.response, any_origin)) {
    return MHD_queue_response(exchange.connection, status, known);
  }
  if (exchange.response.stream) {
    const auto found = exchanges_.find(&exchange);
    if (found == exchanges_.end()) return MHD_NO;
    exchange.response.stream->on_ready([weak = std::weak_ptr(found->second)] {
      const auto still = weak.lock();
      if (still) resume(*still, Exchange::State::waiting, Exchange::State::answered);
    });
  }
  const ResponseHandle response =
      exchange.response.stream
          ? to_mhd(exchange.response, any_origin, &MhdServer::on_reader, &exchange)
          : to_mhd(exchange.response, any_origin, MHD_RESPMEM_PERSISTENT);
  if (!response) return MHD_NO;
  return MHD_queue_response(exchange.connection, status, response.get());
}

MHD_Result MhdServer::queue_web_socket(Exchange& exchange) {
  const ResponseHandle response(MHD_create_response_for_upgrade(&MhdServer::on_upgraded, this));
  if (!response) return MHD_NO;
  const std::string accept = web_socket_accept(exchange.request_key);
  MHD_add_response_header(response.get(), MHD_HTTP_HEADER_UPGRADE, "websocket");
  MHD_add_response_header(response.get(), "Sec-WebSocket-Accept", accept.c_str());
  return MHD_queue_response(exchange.connection, MHD_HTTP_SWITCHING_PROTOCOLS, response.get());
}

void MhdServer::on_upgraded(void* self, MHD_Connection*, void* slot, const char* extra,
                            std::size_t extra_size, MHD_socket socket,
                            MHD_UpgradeResponseHandle* handle) {
  auto& server = *static_cast<MhdServer*>(self);
  auto* exchange = static_cast<Exchange*>(slot);
  bool owned = false;
  guarded("api", [&] {
    auto opened = std::move(exchange->response.opened);
    // Its end is told from inside of it: it goes in a later turn.
    auto slot_of_it = std::make_shared<std::weak_ptr<MhdWebSocket>>();
    auto made = std::make_shared<MhdWebSocket>(server.loop_, socket, handle, [&server, slot_of_it] {
      if (server.stopping_) return;
      server.loop_.post(server.alive_.bind(
          [&server, gone = slot_of_it->lock()] { server.web_sockets_.erase(gone); }));
      server.turn_at(server.loop_.now());
    });
    owned = true;
    *slot_of_it = made;
    server.web_sockets_.insert(made);
    made->begin({extra, extra_size});
    opened(made);
  });
  if (!owned) MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
}

ssize_t MhdServer::on_reader(void* self, std::uint64_t, char* out, std::size_t size) {
  auto& exchange = *static_cast<Exchange*>(self);
  ssize_t result = MHD_CONTENT_READER_END_WITH_ERROR;
  if (exchange.server->stopping_) return result;
  guarded("api", [&] {
    const BodySource::Piece piece = exchange.response.stream->read({out, size});
    switch (piece.more) {
      case BodySource::More::bytes:
        result = static_cast<ssize_t>(piece.size);
        break;
      case BodySource::More::later:
        exchange.state = Exchange::State::waiting;
        MHD_suspend_connection(exchange.connection);
        result = 0;
        break;
      case BodySource::More::end:
        result = MHD_CONTENT_READER_END_OF_STREAM;
        break;
      case BodySource::More::failed:
        break;
    }
  });
  return result;
}

void MhdServer::on_completed(void* self, MHD_Connection*, void** slot, MHD_RequestTerminationCode) {
  auto* exchange = static_cast<Exchange*>(std::exchange(*slot, nullptr));
  if (exchange == nullptr) return;
  auto& server = *static_cast<MhdServer*>(self);
  server.kept_ -= exchange->kept;
  server.unread_ -= exchange->unread;
  server.connections_.on_answered(exchange->peer->id, server.loop_.now());
  exchange->connection = nullptr;
  guarded("api", [&] {
    exchange->terms.sink.reset();  // the client has gone in the middle of it
    exchange->response = {};
    server.exchanges_.erase(exchange);
  });
}

void MhdServer::on_mhd_log(void*, const char* format, va_list arguments) {
  if (!log::enabled(log::Level::debug)) return;
  std::array<char, 256> text{};
  std::vsnprintf(text.data(), text.size(), format, arguments);
  guarded("api", [&] { log::debug("api", "http", {{"detail", text.data()}}); });
}

Result<std::unique_ptr<Server>> serve(loop::Loop& loop, const ServerOptions& options,
                                      RequestHandler& handler) {
  auto server = std::make_unique<MhdServer>(loop, handler, options);
  TRY(server->start(options));
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace posthorn::api
