#include "api/exchange.h"

#include <cstring>

#include <charconv>

#include "api/listen.h"

namespace posthorn::api {

namespace {

Verb verb_of(std::string_view method) {
  if (method == MHD_HTTP_METHOD_GET) return Verb::get;
  if (method == MHD_HTTP_METHOD_POST) return Verb::post;
  if (method == MHD_HTTP_METHOD_PUT) return Verb::put;
  if (method == MHD_HTTP_METHOD_DELETE) return Verb::del;
  if (method == MHD_HTTP_METHOD_OPTIONS) return Verb::options;
  if (method == MHD_HTTP_METHOD_HEAD) return Verb::head;
  return Verb::other;
}

std::string header(MHD_Connection* connection, const char* name) {
  const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value != nullptr ? value : "";
}

MHD_Result collect_query(void* query, MHD_ValueKind, const char* name, const char* value) {
  using Query = std::vector<std::pair<std::string, std::string>>;
  static_cast<Query*>(query)->emplace_back(name, value != nullptr ? value : "");
  return MHD_YES;
}

/// "http://box/path" (a proxy's way to ask, RFC 9112 section 3.2.2) is "/path" at the host "box".
void set_target(Request& request, std::string_view url) {
  const std::size_t scheme = url.find("://");
  const bool whole = !url.starts_with('/') && scheme != std::string_view::npos;
  if (!whole) {
    request.path = url;
    return;
  }
  url.remove_prefix(scheme + 3);
  const std::size_t end = std::min(url.find('/'), url.size());
  request.host = url.substr(0, end);
  request.path = end < url.size() ? url.substr(end) : "/";
}

std::optional<std::uint64_t> length_of(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

/// Empty unless it asks for a WebSocket of the one version that there is.
std::string web_socket_key(MHD_Connection* connection) {
  const auto says = [&](const char* name, const char* word) {
    return strcasestr(header(connection, name).c_str(), word) != nullptr;
  };
  const bool asks = says(MHD_HTTP_HEADER_UPGRADE, "websocket") &&
                    says(MHD_HTTP_HEADER_CONNECTION, "upgrade") &&
                    header(connection, "Sec-WebSocket-Version") == "13";
  return asks ? header(connection, "Sec-WebSocket-Key") : "";
}

/// A proxy on the box speaks for somebody else.
bool is_forwarded(MHD_Connection* connection) {
  for (const char* name : {"Forwarded", "X-Forwarded-For", "Via"}) {
    if (MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name) != nullptr) return true;
  }
  return false;
}

}  // namespace

Request read_head(MHD_Connection* connection, const char* url, const char* method,
                  const std::string& peer) {
  Request request;
  request.verb = verb_of(method);
  request.host = header(connection, MHD_HTTP_HEADER_HOST);
  set_target(request, url);
  MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, collect_query, &request.query);
  request.content_type = header(connection, MHD_HTTP_HEADER_CONTENT_TYPE);
  request.idempotency_key = header(connection, "Idempotency-Key");
  request.file_name = header(connection, "GA-Filename");
  request.authorization = header(connection, MHD_HTTP_HEADER_AUTHORIZATION);
  request.range = header(connection, MHD_HTTP_HEADER_RANGE);
  request.if_range = header(connection, MHD_HTTP_HEADER_IF_RANGE);
  request.if_none_match = header(connection, MHD_HTTP_HEADER_IF_NONE_MATCH);
  request.cookie = header(connection, MHD_HTTP_HEADER_COOKIE);
  request.signature = header(connection, "X-Hub-Signature-256");
  request.origin = header(connection, "Origin");
  request.fetch_site = header(connection, "Sec-Fetch-Site");
  request.from_browser = header(connection, MHD_HTTP_HEADER_USER_AGENT).starts_with("Mozilla/");
  request.web_socket_key = web_socket_key(connection);
  request.from_page = header(connection, "X-Posthorn") == "1";
  request.secure =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION) != nullptr;
  request.content_length = length_of(header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH));
  request.peer = peer;
  request.local = is_loopback(peer) && !is_forwarded(connection);
  return request;
}

}  // namespace posthorn::api
