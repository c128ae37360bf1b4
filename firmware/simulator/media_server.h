#pragma once

#include <memory>
#include <string>

#include "mhd_loop.h"
#include "posthorn/base/result.h"
#include "posthorn/loop/loop.h"
#include "posthorn/net/certificate.h"
#include "posthorn/simulator/simulator.h"

namespace posthorn {

/// The media host's HTTPS, on the loop and 127.0.0.1 only, with a certificate that is made at the
/// start and that nobody vouches for. What lies there, and what goes wrong, is the simulator's.
class MediaServer {
 public:
  /// Errors: refused (port in use), crypto.
  [[nodiscard]] static Result<std::unique_ptr<MediaServer>> start(loop::Loop& loop, Random& random,
                                                                  std::uint16_t port,
                                                                  simulator::Simulator& simulator);
  MediaServer(const MediaServer&) = delete;
  MediaServer& operator=(const MediaServer&) = delete;
  ~MediaServer() = default;

  [[nodiscard]] std::uint16_t port() const { return http_.port(); }
  /// PEM, for clients that trust it.
  [[nodiscard]] const std::string& certificate() const { return certificate_; }

 private:
  struct Request;

  MediaServer(loop::Loop& loop, simulator::Simulator& simulator)
      : simulator_(simulator), http_(loop) {}
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url,
                               const char* method, const char* version, const char* upload,
                               std::size_t* upload_size, void** context);
  static void on_completed(void* self, MHD_Connection* connection, void** context,
                           MHD_RequestTerminationCode code);

  std::string certificate_;
  std::string key_;
  simulator::Simulator& simulator_;
  MhdLoop http_;
};

}  // namespace posthorn
