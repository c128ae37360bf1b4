#pragma once

#include <microhttpd.h>

#include <memory>
#include <set>
#include <unordered_map>

#include "api/connections.h"
#include "api/exchange.h"
#include "api/listen.h"
#include "api/mhd_response.h"
#include "api/web_socket.h"
#include "posthorn/api/server.h"
#include "posthorn/base/alive.h"
#include "posthorn/base/scheduler.h"

namespace posthorn::api {

/// libmicrohttpd on our loop. We listen and accept ourselves and hand it connections one by one:
/// its own listener leaves its epoll set at the limit, and it cannot tell a till from a scanner.
class MhdServer final : public Server {
 public:
  MhdServer(loop::Loop& loop, RequestHandler& handler, const ServerOptions& options);
  ~MhdServer() override;

  Result<void> start(const ServerOptions& options);
  [[nodiscard]] std::uint16_t port() const override;

 private:
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url,
                               const char* method, const char* version, const char* upload,
                               std::size_t* upload_size, void** slot);
  static void on_completed(void* self, MHD_Connection* connection, void** slot,
                           MHD_RequestTerminationCode how);
  static void on_connection(void* self, MHD_Connection* connection, void** context,
                            MHD_ConnectionNotificationCode what);
  static ssize_t on_reader(void* exchange, std::uint64_t position, char* out, std::size_t size);
  MHD_Result queue_web_socket(Exchange& exchange);
  static void on_upgraded(void* self, MHD_Connection* connection, void* slot, const char* extra,
                          std::size_t extra_size, MHD_socket socket,
                          MHD_UpgradeResponseHandle* handle);
  static void on_mhd_log(void* self, const char* format, va_list arguments);

  void accept_all();
  bool accept_one();
  void sweep();
  MHD_Result step(MHD_Connection* connection, const char* url, const char* method,
                  std::string_view upload, void** slot);
  MHD_Result begin(MHD_Connection* connection, const char* url, const char* method, void** slot);
  MHD_Result take_body(const std::shared_ptr<Exchange>& exchange, std::string_view piece);
  MHD_Result answer(const std::shared_ptr<Exchange>& exchange);
  MHD_Result queue(Exchange& exchange);
  void refuse_when_full(Exchange& exchange);
  static void on_response(Exchange& exchange, Response response);
  static void resume(Exchange& exchange, Exchange::State from, Exchange::State to);
  void turn();
  void turn_at(Mono at);
  void arm();

  loop::Loop& loop_;
  RequestHandler& handler_;
  Connections connections_;
  std::unordered_map<Connections::Id, Peer> peers_;
  Peer* coming_ = nullptr;  ///< while it is handed over
  std::unique_ptr<Socket> listener_;
  std::unique_ptr<loop::Poll> accepting_;
  MHD_Daemon* daemon_ = nullptr;
  std::unique_ptr<loop::Poll> poll_;
  Timer timer_;
  Timer accept_timer_;
  Timer sweep_timer_;
  Mono timer_at_{};
  bool stopping_ = false;
  std::size_t kept_ = 0;
  std::size_t unread_ = 0;
  LastResponse last_;
  std::set<std::shared_ptr<MhdWebSocket>> web_sockets_;  ///< shared: with who tells them things
  /// Shared: with the Reply, which may be kept after the request or the server has gone.
  std::unordered_map<Exchange*, std::shared_ptr<Exchange>> exchanges_;
  Alive<MhdServer> alive_{this};
};

}  // namespace posthorn::api
