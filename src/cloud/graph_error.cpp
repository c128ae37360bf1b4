#include "cloud/graph_error.h"

#include "posthorn/base/base64url.h"
#include "posthorn/base/json.h"

namespace posthorn::cloud {
namespace {

constexpr int kObjectMissing = 33;

int status_of(Code code) {
  switch (code) {
    case Code::token:
      return 401;
    case Code::account_locked:
      return 403;
    case Code::template_unknown:
      return 404;
    case Code::unknown:
      return 413;
    case Code::rate:
      return 429;
    case Code::something_wrong:
      return 500;
    case Code::invalid_parameter:
    case Code::missing_parameter:
    case Code::bad_value:
    case Code::own_number:
    case Code::undeliverable:
    case Code::window_closed:
    case Code::held_back:
    case Code::opted_out:
    case Code::unsupported_type:
    case Code::media_upload:
    case Code::user_id_recipient:
    case Code::template_parameters:
      return 400;
  }
  return 400;
}

}  // namespace

std::string_view title_of(Code code) {
  switch (code) {
    case Code::unknown:
      return "Request too large";
    case Code::invalid_parameter:
      return "Invalid parameter";
    case Code::token:
      return "Invalid OAuth access token";
    case Code::rate:
      return "Rate limit hit";
    case Code::something_wrong:
      return "Something went wrong";
    case Code::missing_parameter:
      return "Required parameter is missing";
    case Code::bad_value:
      return "Parameter value is not valid";
    case Code::own_number:
      return "Recipient cannot be sender";
    case Code::undeliverable:
      return "Message undeliverable";
    case Code::account_locked:
      return "Business account locked";
    case Code::window_closed:
      return "Re-engagement message";
    case Code::held_back:
      return "Not delivered to maintain healthy ecosystem engagement";
    case Code::opted_out:
      return "Recipient has opted out";
    case Code::unsupported_type:
      return "Unsupported message type";
    case Code::media_upload:
      return "Media upload error";
    case Code::user_id_recipient:
      return "User id is not supported as recipient";
    case Code::template_parameters:
      return "Template parameter count mismatch";
    case Code::template_unknown:
      return "Template does not exist";
  }
  return "Something went wrong";
}

std::string_view title_of_number(int code) {
  const std::string_view known = title_of(static_cast<Code>(code));
  const bool is_one =
      code == static_cast<int>(Code::something_wrong) || known != title_of(Code::something_wrong);
  return is_one ? known : "Message failed to send";
}

int http_status_of(const GraphError& error) { return status_of(error.code); }

GraphError graph_error_of(const Error& error) {
  switch (error.code) {
    case Errc::malformed:
      return {Code::bad_value, error.detail};
    case Errc::not_found:
      return {Code::missing_parameter, error.detail};
    case Errc::unsupported:
      return {Code::unsupported_type, error.detail};
    case Errc::refused:
      return {Code::own_number, error.detail};
    case Errc::full:
      return {Code::rate, error.detail};
    case Errc::crypto:
      return {Code::user_id_recipient, error.detail};
    case Errc::timeout:
    case Errc::disconnected:
    case Errc::busy:
    case Errc::io:
    case Errc::cancelled:
      return {Code::something_wrong, error.detail};
  }
  return {Code::something_wrong, error.detail};
}

api::Response response_of(const GraphError& error, Random& random) {
  const int code = static_cast<int>(error.code);
  json::Value body;
  json::Value& out = body["error"];
  // As Meta words it: the general codes have their sentence in the message, the others in details.
  const std::string title(title_of(error.code));
  const std::string number = "(#" + std::to_string(code) + ") ";
  out["message"] = error.code == Code::token               ? title + ": " + error.details
                   : error.code == Code::invalid_parameter ? number + error.details
                                                           : number + title;
  out["type"] = error.subcode == kObjectMissing ? "GraphMethodException" : "OAuthException";
  out["code"] = code;
  if (error.subcode != 0) out["error_subcode"] = error.subcode;
  out["error_data"]["messaging_product"] = "whatsapp";
  out["error_data"]["details"] = error.details;
  out["fbtrace_id"] = "A" + base64url_encode(random.bytes(16));
  api::Response response{.status = http_status_of(error), .body = json::write(body), .headers = {}};
  if (error.code == Code::token) {
    response.headers.emplace_back("WWW-Authenticate",
                                  "OAuth \"Facebook Platform\" \"invalid_token\"");
  }
  return response;
}

}  // namespace posthorn::cloud
