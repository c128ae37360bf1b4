#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "posthorn/base/once.h"

namespace posthorn::api {

/// One request as the handlers see it: no sockets, so a test makes one by hand.
enum class Verb : std::uint8_t { get, post, put, del, options, head, other };

struct Request {
  Verb verb = Verb::get;
  std::string path;  ///< percent-decoded, as sent: "/waInstance4100012345/getSettings/5f0c…"
  std::vector<std::pair<std::string, std::string>> query;  ///< decoded, in order; values may be ""
  std::string body;
  std::string content_type;
  std::string idempotency_key;  ///< header Idempotency-Key
  std::string file_name;        ///< header GA-Filename
  std::string host;             ///< of the target when that is a whole URL, else header Host
  std::string authorization;    ///< header Authorization
  std::string range;            ///< header Range
  std::string if_range;         ///< header If-Range
  std::string if_none_match;    ///< header If-None-Match
  std::string cookie;           ///< header Cookie
  std::string signature;        ///< header X-Hub-Signature-256
  std::string origin;           ///< header Origin
  std::string web_socket_key;   ///< header Sec-WebSocket-Key of who asks for one; else empty
  std::string fetch_site;     ///< header Sec-Fetch-Site; browsers send it to trustworthy addresses
  bool from_browser = false;  ///< header User-Agent begins with "Mozilla/", as of every browser
  std::optional<std::uint64_t> content_length;
  std::string peer;             ///< address of the client, without its port; IPv4 as such
  bool from_page = false;       ///< header "X-Posthorn: 1": a script of the box's own page sent it
  bool secure = false;          ///< it came over HTTPS
  bool local = false;           ///< it comes from this very box, through no proxy
  bool body_too_large = false;  ///< `body` was not kept
  bool no_room = false;         ///< the same, because other requests hold all the room there is

  /// The first value of that name; "" when there is none (an empty value means "default").
  [[nodiscard]] std::string_view query_value(std::string_view name) const;
};

/// Bytes of an answer that are made while the client takes them.
class BodySource {
 public:
  virtual ~BodySource() = default;

  /// wake: to be called, in a later turn, when read() has something after it had nothing. It may be
  /// called when nobody listens any more.
  virtual void on_ready(std::function<void()> wake) = 0;

  enum class More : std::uint8_t { bytes, later, end, failed };
  struct Piece {
    More more = More::end;
    std::size_t size = 0;  ///< of `out` that was filled, at least 1 with More::bytes
  };
  /// failed: the connection is cut, so that nobody takes a part for the whole.
  virtual Piece read(std::span<char> out) = 0;
};

/// A connection that has become a WebSocket (RFC 6455). What its client says is not listened to.
class WebSocket {
 public:
  virtual ~WebSocket() = default;
  /// Nothing once it is closed.
  virtual void send(std::string_view text) = 0;
  /// When all is sent.
  virtual void close() = 0;
  [[nodiscard]] virtual bool is_open() const = 0;
};

struct Response {
  int status = 200;
  std::string body;
  std::string content_type = "application/json; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> headers;  ///< besides Content-Type and CORS
  std::shared_ptr<BodySource> stream = {};  ///< instead of `body`; shared: responses are copied
  std::optional<std::uint64_t> stream_size = {};  ///< nullopt: sent in chunks
  /// With status 101, for a request with web_socket_key: the connection is one from here on.
  /// shared: the server has it too, until it is closed.
  std::function<void(std::shared_ptr<WebSocket>)> opened = {};
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

/// Takes a request's body as it comes, so that it never is in memory as a whole. Destroyed before
/// finish(): the client went away in the middle, and what came is of no use.
class BodySink {
 public:
  virtual ~BodySink() = default;

  /// wake: to be called, in a later turn, when there is room again after write() said no.
  virtual void on_room(std::function<void()> wake) = 0;
  /// Takes all of `piece`. False: nothing more before there is room.
  virtual bool write(std::string_view piece) = 0;
  /// The body was whole. Answers by `reply`, and owns what it needs for it: the sink may go.
  virtual void finish(Reply reply) = 0;
};

/// What a server may do with a request whose head has come.
struct Terms {
  std::size_t body_limit = 0;  ///< largest body worth keeping
  bool trusted = false;        ///< it showed a right
  bool any_origin = false;     ///< a web page from anywhere may read the answer
  /// Takes the body as it comes; handle() is not called then.
  std::unique_ptr<BodySink> sink = {};
};

/// What a server hands requests to.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;

  [[nodiscard]] virtual Terms terms(const Request& head) = 0;
  virtual void handle(Request request, Reply reply) = 0;
};

}  // namespace posthorn::api
