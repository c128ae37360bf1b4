#pragma once

#include <memory>
#include <vector>

#include "mhd_loop.h"
#include "posthorn/base/result.h"
#include "posthorn/loop/loop.h"
#include "posthorn/net/http_client.h"
#include "posthorn/simulator/cloud.h"

namespace posthorn {

/// The official API's HTTP, on the loop and 127.0.0.1 only, and its webhooks out. What it says is
/// the simulator's.
class CloudServer {
 public:
  /// port 0: any free one. Errors: refused (port in use).
  [[nodiscard]] static Result<std::unique_ptr<CloudServer>> start(loop::Loop& loop,
                                                                  std::uint16_t port);
  CloudServer(const CloudServer&) = delete;
  CloudServer& operator=(const CloudServer&) = delete;
  ~CloudServer();

  [[nodiscard]] std::uint16_t port() const { return http_.port(); }
  [[nodiscard]] simulator::Cloud& cloud() { return cloud_; }

 private:
  struct Exchange;

  explicit CloudServer(loop::Loop& loop);
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url,
                               const char* method, const char* version, const char* upload,
                               std::size_t* upload_size, void** context);
  static void on_completed(void* self, MHD_Connection* connection, void** context,
                           MHD_RequestTerminationCode code);

  std::unique_ptr<net::HttpClient> client_;
  simulator::Cloud cloud_;
  MhdLoop http_;
  std::vector<MHD_Connection*> hanging_;
};

}  // namespace posthorn
