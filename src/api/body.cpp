#include "api/body.h"

#include "api/utf8.h"

namespace posthorn::api {

namespace {

constexpr std::size_t kBodyValues = 10'000;
constexpr const char* kBlank = " \t\r\n";
constexpr const char* kBodyForm = "; the body must be a JSON object, encoded in UTF-8";

}  // namespace

Result<json::Value> parse_body(const std::string& body) {
  if (body.find_first_not_of(kBlank) == std::string::npos) {
    return json::Value(::Json::objectValue);
  }
  if (const auto bad = find_bad_utf8(body)) {
    return fail(Errc::malformed, "Unexpected token \xEF\xBF\xBD in JSON at position " +
                                     std::to_string(*bad) + kBodyForm);
  }
  auto value = json::parse(body, kBodyValues);
  if (!value) {
    // What begins as something else, or has zeros in it (UTF-16), is no slip inside of JSON.
    const bool foreign =
        body.find('{') != body.find_first_not_of(kBlank) || body.find('\0') != std::string::npos;
    return fail(Errc::malformed, value.error().detail + (foreign ? kBodyForm : ""));
  }
  if (!value->isObject()) {
    return fail(Errc::malformed, "Validation failed. Details: 'value' must be of type object");
  }
  return value;
}

}  // namespace posthorn::api
