#pragma once

#include <microhttpd.h>

#include <cstdint>
#include <memory>

#include "api/connections.h"
#include "posthorn/api/http.h"

namespace posthorn::api {

class MhdServer;

/// One connection that was let in.
struct Peer {
  Connections::Id id = 0;
  int fd = -1;  ///< libmicrohttpd's; only to be shut down
  std::string address;
};

/// One request between its first line and its last byte out.
struct Exchange {
  enum class State : std::uint8_t {
    reading,    ///< the body is coming
    holding,    ///< suspended: who takes the body has no room
    handling,   ///< inside handle() or finish()
    suspended,  ///< to be answered later
    answered,   ///< there is a response
    waiting     ///< suspended: who makes the answer's body has nothing yet
  };

  MhdServer* server = nullptr;           ///< valid while `connection` is
  MHD_Connection* connection = nullptr;  ///< null: gone, an answer has nowhere to go
  const Peer* peer = nullptr;            ///< the same
  State state = State::reading;
  Request request;
  std::string request_key;  ///< web_socket_key, once the request is its handler's
  Terms terms;
  Response response;
  std::size_t received = 0;
  std::size_t kept = 0;    ///< of the server's room for requests
  std::size_t unread = 0;  ///< of its room for answers
};

/// The head of a request; `url` is as the client wrote it, without its query.
[[nodiscard]] Request read_head(MHD_Connection* connection, const char* url, const char* method,
                                const std::string& peer);

}  // namespace posthorn::api
