#pragma once

#include <functional>
#include <memory>
#include <string>

#include "mhd_loop.h"
#include "posthorn/base/once.h"
#include "posthorn/base/result.h"
#include "posthorn/loop/loop.h"

namespace posthorn {

/// The control interface's HTTP: whole requests in, whole JSON answers out, on the loop and
/// 127.0.0.1 only. Answers may come later (long polls).
class HttpServer {
 public:
  using Answer = Once<void(int status, std::string json)>;
  using Handler = std::function<void(const std::string& method, const std::string& path_and_query,
                                     const std::string& body, Answer answer)>;

  /// port 0: any free one. Errors: refused (port in use).
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> start(loop::Loop& loop,
                                                                 std::uint16_t port,
                                                                 Handler handler);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  /// Every request must have been answered before.
  ~HttpServer() = default;

  [[nodiscard]] std::uint16_t port() const { return http_.port(); }

 private:
  struct Request;

  HttpServer(loop::Loop& loop, Handler handler) : handler_(std::move(handler)), http_(loop) {}
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url,
                               const char* method, const char* version, const char* upload,
                               std::size_t* upload_size, void** context);
  static void on_completed(void* self, MHD_Connection* connection, void** context,
                           MHD_RequestTerminationCode code);

  Handler handler_;
  MhdLoop http_;
};

}  // namespace posthorn
