#pragma once

#include <string>
#include <string_view>

#include "posthorn/api/http.h"
#include "posthorn/base/random.h"
#include "posthorn/base/result.h"

namespace posthorn::cloud {

/// Error codes of the official API that this box says or hears. Source: Meta's error reference,
/// version of June 2026.
enum class Code : int {
  unknown = 1,
  invalid_parameter = 100,
  token = 190,
  rate = 130429,
  something_wrong = 131000,
  missing_parameter = 131008,
  bad_value = 131009,
  own_number = 131021,
  undeliverable = 131026,
  account_locked = 131031,
  window_closed = 131047,
  held_back = 131049,
  opted_out = 131050,
  unsupported_type = 131051,
  media_upload = 131053,
  user_id_recipient = 131062,
  template_parameters = 132000,
  template_unknown = 132001,
};

/// One refusal: HTTP status, code and what was wrong, in words.
struct GraphError {
  Code code = Code::something_wrong;
  std::string details;
  int subcode = 0;  ///< 33: what the path names is not there
};

/// The short title of a code, as it stands behind "(#CODE)".
[[nodiscard]] std::string_view title_of(Code code);
/// The same for a number that may be none of these.
[[nodiscard]] std::string_view title_of_number(int code);
[[nodiscard]] int http_status_of(const GraphError& error);

/// What a parser found, as the API says it: not_found is a missing field, unsupported a kind that
/// is not taken, refused our own number as recipient, full the queue, crypto a user id nobody
/// knows.
[[nodiscard]] GraphError graph_error_of(const Error& error);

/// The answer with its JSON. random: for fbtrace_id.
[[nodiscard]] api::Response response_of(const GraphError& error, Random& random);

}  // namespace posthorn::cloud
