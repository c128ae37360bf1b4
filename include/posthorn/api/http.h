#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "posthorn/base/once.h"

namespace posthorn::api {

/// One request as the handlers see it: no sockets, so a test makes one by hand.
enum class Verb : std::uint8_t { get, post, del, options, head, other };

struct Request {
  Verb verb = Verb::get;
  std::string path;  ///< percent-decoded, as sent: "/waInstance4100012345/getSettings/5f0c…"
  std::vector<std::pair<std::string, std::string>> query;  ///< decoded, in order; values may be ""
  std::string body;
  std::string content_type;
  std::string idempotency_key;  ///< header Idempotency-Key
  std::string host;             ///< header Host
  std::string peer;             ///< address of the client, without its port
  bool body_too_large = false;  ///< `body` was not kept

  /// The first value of that name; "" when there is none (an empty value means "default").
  [[nodiscard]] std::string_view query_value(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string body;
  std::string content_type = "application/json; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> headers;  ///< besides Content-Type and CORS
};

/// The duty to answer one request. Move it along and call send() once, in this turn or a later one;
/// dropping it unanswered sends 500 and logs a bug.
class Reply {
 public:
  explicit Reply(Once<void(Response)> sink) : sink_(std::move(sink)) {}
  Reply(Reply&&) = default;
  Reply& operator=(Reply&&) = delete;
  ~Reply();

  void send(Response response) { sink_(std::move(response)); }

 private:
  Once<void(Response)> sink_;
};

/// What a server hands requests to.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;

  /// Largest body worth keeping for this request, whose body has not come yet.
  [[nodiscard]] virtual std::size_t body_limit(const Request& head) const = 0;
  virtual void handle(Request request, Reply reply) = 0;
};

}  // namespace posthorn::api
