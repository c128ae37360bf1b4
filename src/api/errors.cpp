#include "api/errors.h"

#include <array>

#include "api/utf8.h"
#include "posthorn/base/json.h"

namespace posthorn::api {

namespace {

struct Row {
  Errc code;
  int status;
  std::string_view message;  ///< empty: the error's own words
};
constexpr std::array<Row, 11> kRows{{
    {Errc::malformed, 400, ""},
    {Errc::timeout, 502, "WhatsApp did not answer in time, try again"},
    {Errc::disconnected, 502, "WhatsApp is not reachable at the moment, try again"},
    {Errc::refused, 400, "bad request data"},
    {Errc::not_found, 400, ""},
    {Errc::busy, 429, "Too Many Requests"},
    {Errc::full, 466, "queue is full"},
    {Errc::io, 500, "storage failed"},
    {Errc::crypto, 500, "Internal Server Error"},
    {Errc::unsupported, 400, ""},
    {Errc::cancelled, 502, "the box is restarting, try again"},
}};

}  // namespace

Response error_response(int status, std::string_view message, std::string_view path, Wall now) {
  json::Value body(::Json::objectValue);
  body["statusCode"] = status;
  body["timestamp"] = to_iso8601(now);
  body["path"] = clean_utf8(path);
  body["message"] = clean_utf8(message);
  if (status == 401) {  // golang v1 looks for exactly this pair
    body["code"] = status;
    body["description"] = clean_utf8(message);
  }
  Response response{.status = status, .body = json::write(body), .headers = {}};
  if (status == 429) response.headers.emplace_back("Retry-After", "1");
  return response;
}

HttpError to_http(const Error& error) {
  for (const Row& row : kRows) {
    if (row.code != error.code) continue;
    return {row.status, row.message.empty() ? error.detail : std::string(row.message)};
  }
  return {500, "Internal Server Error"};
}

Response quota_response(std::string_view method, std::uint64_t used) {
  json::Value invoke(::Json::objectValue);
  invoke["method"] = std::string(method);
  invoke["used"] = static_cast<::Json::UInt64>(used);
  invoke["total"] = static_cast<::Json::UInt64>(used);
  invoke["status"] = "QUOTE_EXCEEDED";  // the cloud's own spelling in HTTP bodies
  invoke["description"] = "The queue of the box is full, try again when messages have left";
  json::Value people(::Json::objectValue);
  people["method"] = "correspondents";
  people["used"] = 0;
  people["total"] = 0;
  people["status"] = "";
  people["description"] = "";
  json::Value body(::Json::objectValue);
  body["invokeStatus"] = invoke;
  body["correspondentsStatus"] = people;
  return Response{.status = 466, .body = json::write(body), .headers = {}};
}

}  // namespace posthorn::api
