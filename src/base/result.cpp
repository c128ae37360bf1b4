#include "posthorn/base/result.h"

namespace posthorn {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::malformed:
      return "malformed";
    case Errc::timeout:
      return "timeout";
    case Errc::disconnected:
      return "disconnected";
    case Errc::refused:
      return "refused";
    case Errc::not_found:
      return "not found";
    case Errc::busy:
      return "busy";
    case Errc::full:
      return "full";
    case Errc::io:
      return "input/output";
    case Errc::crypto:
      return "crypto";
    case Errc::unsupported:
      return "unsupported";
    case Errc::cancelled:
      return "cancelled";
  }
  return "unknown";
}

std::string to_string(const Error& error) {
  std::string out(to_string(error.code));
  if (!error.detail.empty()) out.append(": ").append(error.detail);
  return out;
}

tl::unexpected<Error> fail(Error error, std::string_view context) {
  error.detail = std::string(context) + ": " + error.detail;
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace posthorn
