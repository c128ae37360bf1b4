#include <signal/signal_protocol.h>

#include <array>

#include "posthorn/signal/protocol.h"
#include "signal/protocol_impl.h"

namespace posthorn::signal {

namespace {

struct Row {
  DecryptError error;
  std::string_view name;
  int retry_reason;
  Errc code;
};

/// Source: protocol chapter 05 section 9.6, chapter 06 section 8.
constexpr std::array<Row, 9> kRows{{
    {DecryptError::duplicate, "duplicate", 0, Errc::refused},
    {DecryptError::no_session, "no_session", 1, Errc::not_found},
    {DecryptError::invalid_key, "invalid_key", 2, Errc::crypto},
    {DecryptError::invalid_key_id, "invalid_key_id", 3, Errc::not_found},
    {DecryptError::invalid_message, "invalid_message", 4, Errc::crypto},
    {DecryptError::too_far, "too_far", 4, Errc::refused},
    {DecryptError::bad_version, "bad_version", 0, Errc::unsupported},
    {DecryptError::malformed, "malformed", 0, Errc::malformed},
    {DecryptError::internal, "internal", 0, Errc::io},
}};

const Row& row_of(DecryptError error) { return kRows[static_cast<std::size_t>(error)]; }

DecryptError to_kind(int status) {
  switch (status) {
    case SG_ERR_DUPLICATE_MESSAGE:
      return DecryptError::duplicate;
    case SG_ERR_NO_SESSION:
      return DecryptError::no_session;
    case SG_ERR_INVALID_KEY:
      return DecryptError::invalid_key;
    case SG_ERR_INVALID_KEY_ID:
      return DecryptError::invalid_key_id;
    case SG_ERR_INVALID_VERSION:
    case SG_ERR_LEGACY_MESSAGE:
      return DecryptError::bad_version;
    case SG_ERR_INVALID_PROTO_BUF:
      return DecryptError::malformed;
    case SG_ERR_NOMEM:
      return DecryptError::internal;
    // Wrong MAC or counter; or a code that depends on the input alone, where another delivery of
    // the same bytes would not help and a retry may.
    default:
      return DecryptError::invalid_message;
  }
}

}  // namespace

std::string_view to_string(DecryptError error) { return row_of(error).name; }

int retry_reason(DecryptError error) { return row_of(error).retry_reason; }

DecryptFailure too_far() {
  const Row& row = row_of(DecryptError::too_far);
  return {row.error, {row.code, "decrypt: too many messages between the last one and this one"}};
}

DecryptFailure Protocol::Impl::to_failure(int status) const {
  if (bridge.error()) return {DecryptError::internal, *bridge.error()};
  const DecryptError kind = to_kind(status);
  return {kind,
          {row_of(kind).code, std::string("decrypt: ")
                                  .append(to_string(kind))
                                  .append(" (")
                                  .append(std::to_string(status))
                                  .append(")")}};
}

tl::unexpected<Error> Protocol::Impl::to_error(int status, std::string_view what) const {
  if (bridge.error()) return fail(*bridge.error(), what);
  const Errc code = status == SG_ERR_NO_SESSION ? Errc::not_found : Errc::crypto;
  return fail(code, std::string(what) + ": libsignal " + std::to_string(status));
}

}  // namespace posthorn::signal
