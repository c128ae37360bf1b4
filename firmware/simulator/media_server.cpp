#include "media_server.h"

#include <algorithm>

namespace posthorn {

namespace {

constexpr std::size_t kMaxBody = std::size_t{160} << 20;
constexpr std::size_t kBlock = std::size_t{64} << 10;

/// A certificate for this machine, signed by an authority that is forgotten at once.
Result<net::CertifiedKey> make_identity(Random& random, Wall now) {
  constexpr hours kDay{24};
  net::CertifiedKey authority;
  TRY(authority.key, net::make_p256_key(random));
  net::AuthorityWish who;
  who.subject = "posthorn-sim media";
  who.names = {"localhost"};
  who.networks = {"127.0.0.0/8"};
  who.from = now + -kDay;
  who.until = now + 30 * kDay;
  TRY(authority.certificate, net::make_authority(random, authority.key, who));
  net::CertifiedKey out;
  TRY(out.key, net::make_p256_key(random));
  net::CertificateWish wish;
  wish.names = {"localhost"};
  wish.addresses = {"127.0.0.1"};
  wish.from = who.from;
  wish.until = who.until;
  TRY(out.certificate, net::make_certificate(random, authority, out.key, wish));
  out.certificate += authority.certificate;
  return out;
}

/// The bytes of one answer, with where they end before their end.
struct Sending {
  std::shared_ptr<const Bytes> bytes;
  std::uint64_t until = 0;
};

ssize_t read_block(void* user, std::uint64_t at, char* out, std::size_t most) {
  const auto& sending = *static_cast<Sending*>(user);
  if (at >= sending.until) return MHD_CONTENT_READER_END_WITH_ERROR;
  const std::size_t size = std::min<std::uint64_t>(most, sending.until - at);
  const std::string_view text = as_text(*sending.bytes);
  text.copy(out, size, at);
  return static_cast<ssize_t>(size);
}

MHD_Response* response_of(const simulator::MediaAnswer& answer) {
  if (answer.bytes == nullptr) {
    return MHD_create_response_from_buffer(
        answer.text.size(), const_cast<char*>(answer.text.data()), MHD_RESPMEM_MUST_COPY);
  }
  const std::uint64_t size = answer.bytes->size();
  auto* sending = new Sending{answer.bytes, std::min(size, answer.cut_after.value_or(size))};
  return MHD_create_response_from_callback(size, kBlock, read_block, sending,
                                           [](void* user) { delete static_cast<Sending*>(user); });
}

}  // namespace

struct MediaServer::Request {
  Bytes body;
};

Result<std::unique_ptr<MediaServer>> MediaServer::start(loop::Loop& loop, Random& random,
                                                        std::uint16_t port,
                                                        simulator::Simulator& simulator) {
  std::unique_ptr<MediaServer> server(new MediaServer(loop, simulator));
  TRY(net::CertifiedKey identity, make_identity(random, loop.system_wall()));
  server->certificate_ = std::move(identity.certificate);
  server->key_ = std::move(identity.key);
  TRY(server->http_.start(MHD_USE_TLS, port, &MediaServer::on_request, &MediaServer::on_completed,
                          server.get(), "media",
                          {{MHD_OPTION_HTTPS_MEM_KEY, 0, server->key_.data()},
                           {MHD_OPTION_HTTPS_MEM_CERT, 0, server->certificate_.data()}}));
  return server;
}

MHD_Result MediaServer::on_request(void* self, MHD_Connection* connection, const char* url,
                                   const char* method, const char*, const char* upload,
                                   std::size_t* upload_size, void** context) {
  auto& server = *static_cast<MediaServer*>(self);
  if (*context == nullptr) {
    *context = new Request;
    return MHD_YES;
  }
  auto& request = *static_cast<Request*>(*context);
  if (*upload_size > 0) {
    if (request.body.size() + *upload_size > kMaxBody) return MHD_NO;
    append(request.body, as_bytes({upload, *upload_size}));
    *upload_size = 0;
    return MHD_YES;
  }
  std::string target = url;
  for (const char* name : {"auth", "token", "resume", "file_offset"}) {
    const char* value = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
    if (value == nullptr) continue;
    target += target.find('?') == std::string::npos ? "?" : "&";
    target += std::string(name) + "=" + value;
  }
  const auto answer = server.simulator_.media(method, target, std::move(request.body));
  if (answer.bytes == nullptr && answer.cut_after) return MHD_NO;  // the connection breaks
  MHD_Response* response = response_of(answer);
  const MHD_Result queued =
      MHD_queue_response(connection, static_cast<unsigned>(answer.status), response);
  MHD_destroy_response(response);
  return queued;
}

void MediaServer::on_completed(void*, MHD_Connection*, void** context, MHD_RequestTerminationCode) {
  delete static_cast<Request*>(*context);
  *context = nullptr;
}

}  // namespace posthorn
