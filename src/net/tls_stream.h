#pragma once

#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include <functional>
#include <memory>
#include <string>

#include "net/tcp_stream.h"
#include "posthorn/base/random.h"

namespace posthorn::net {

/// Parsed trust roots; needed during the handshake only.
struct TrustRoots {
  TrustRoots() { mbedtls_x509_crt_init(&chain); }
  TrustRoots(const TrustRoots&) = delete;
  TrustRoots& operator=(const TrustRoots&) = delete;
  ~TrustRoots() { mbedtls_x509_crt_free(&chain); }

  mbedtls_x509_crt chain;
};

/// Reads a PEM file of roots. Slow (about 140 certificates in a system file): runs on the pool.
/// Errors: not_found, malformed.
[[nodiscard]] Result<std::unique_ptr<TrustRoots>> load_roots(const std::string& pem_file);

/// A client's TLS 1.2 over a TcpStream.
class TlsStream final : public Stream, private Stream::Handler {
 public:
  struct Options {
    std::string host;  ///< must be in the certificate
    std::unique_ptr<TrustRoots> roots;
    bool accept_future_dates = false;  ///< the clock is not to be believed
  };

  TlsStream(loop::Loop& loop, std::unique_ptr<TcpStream> tcp, Random& random, Options options);
  ~TlsStream() override;

  /// Runs the handshake; done once: {} or crypto (certificate, with the reason), disconnected.
  void handshake(Once<void(Result<void>)> done);
  /// Gives the handshake up; its done then gets Errc::cancelled.
  void abandon();

  void start(Stream::Handler& handler) override;
  void write(Bytes data) override;
  [[nodiscard]] std::size_t unsent() const override;
  void pause_reading(bool paused) override;
  void close() override;

 private:
  void on_data(ByteView data) override;
  void on_closed(Error why) override;

  void step_handshake();
  void finish_handshake(Result<void> result);
  void deliver();
  void deliver_later();
  void end(Error why);
  static int bio_send(void* self, const unsigned char* data, std::size_t length);
  static int bio_receive(void* self, unsigned char* out, std::size_t length);
  static int random_bytes(void* self, unsigned char* out, std::size_t length);
  static int verify(void* self, mbedtls_x509_crt* certificate, int depth, std::uint32_t* flags);

  loop::Loop& loop_;
  std::unique_ptr<TcpStream> tcp_;
  Random& random_;
  Options options_;
  mbedtls_ssl_config config_{};
  mbedtls_ssl_context ssl_{};
  Bytes incoming_;
  std::size_t consumed_ = 0;
  Once<void(Result<void>)> handshake_done_;
  Stream::Handler* handler_ = nullptr;
  bool established_ = false;
  bool paused_ = false;
  bool tcp_ended_ = false;
  Error tcp_error_;
  Timer deliver_timer_;
};

}  // namespace posthorn::net
