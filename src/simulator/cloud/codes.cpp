#include <algorithm>
#include <iterator>

#include "simulator/cloud/impl.h"

namespace posthorn::simulator {
namespace {

// Source: Meta's error reference of 18 June 2026. Those that come later are told by a status
// webhook: Meta has answered 200 to the request before it knows.
constexpr CloudCode kCodes[] = {
    {0, 401, false, "AuthException"},
    {1, 400, false, "API Unknown"},
    {2, 503, false, "API Service"},
    {3, 500, false, "API Method"},
    {4, 429, false, "API Too Many Calls"},
    {10, 403, false, "Permission Denied"},
    {33, 400, false, "Parameter value is not valid"},
    {100, 400, false, "Invalid parameter"},
    {190, 401, false, "Access token has expired"},
    {200, 403, false, "API Permission"},
    {299, 403, false, "API Permission"},
    {368, 403, false, "Temporarily blocked for policies violations"},
    {80007, 429, false, "Rate limit issues"},
    {130429, 429, false, "Rate limit hit"},
    {130472, 400, true, "User's number is part of an experiment"},
    {130497, 403, false, "Business account is restricted from messaging users in this country"},
    {131000, 500, false, "Something went wrong"},
    {131005, 403, false, "Access denied"},
    {131008, 400, false, "Required parameter is missing"},
    {131009, 400, false, "Parameter value is not valid"},
    {131016, 500, false, "Service unavailable"},
    {131020, 400, false, "Not a valid request"},
    {131021, 400, false, "Recipient cannot be sender"},
    {131026, 400, true, "Message undeliverable"},
    {131030, 400, false, "Recipient phone number not in allowed list"},
    {131031, 403, false, "Account has been locked"},
    {131037, 400, false, "Display name is not approved"},
    {131041, 400, false, "Not a valid request"},
    {131042, 400, true, "Business eligibility payment issue"},
    {131044, 400, true, "Business eligibility payment issue"},
    {131045, 500, false, "Incorrect certificate"},
    {131047, 400, true, "Re-engagement message"},
    {131048, 429, true, "Spam rate limit hit"},
    {131049, 400, true, "Not delivered to maintain healthy ecosystem engagement"},
    {131050, 400, true, "User has stopped marketing messages"},
    {131051, 400, false, "Unsupported message type"},
    {131052, 400, true, "Media download error"},
    {131053, 400, true, "Media upload error"},
    {131056, 429, false, "Pair rate limit hit"},
    {131057, 500, false, "Account in maintenance mode"},
    {131059, 400, false, "Not a valid request"},
    {131060, 400, true, "Message unavailable"},
    {131062, 400, false, "User id is not supported as recipient of this message"},
    {131063, 400, false, "Marketing templates are disabled"},
    {131064, 429, false, "Limit for misclassified templates"},
    {132000, 400, false, "Template param count mismatch"},
    {132001, 404, false, "Template does not exist"},
    {132005, 400, false, "Template hydrated text too long"},
    {132007, 400, false, "Template format character policy violated"},
    {132008, 400, false, "Template parameter value is not valid"},
    {132012, 400, false, "Template parameter format mismatch"},
    {132015, 400, false, "Template is paused"},
    {132016, 400, false, "Template is disabled"},
    {132021, 400, true, "Template name is taken"},
    {132068, 400, false, "Flow is blocked"},
    {132069, 400, false, "Flow is throttled"},
    {133000, 400, false, "Incomplete deregistration"},
    {133004, 503, false, "Server temporarily unavailable"},
    {133005, 400, false, "Two step verification PIN mismatch"},
    {133006, 400, false, "Phone number re-verification needed"},
    {133008, 400, false, "Too many two step verification PIN guesses"},
    {133009, 400, false, "Two step verification PIN guessed too fast"},
    {133010, 400, false, "Phone number not registered"},
    {133015, 400, false, "Please wait before registering this phone number"},
    {133016, 400, false, "Account register or deregister rate limit exceeded"},
    {135000, 400, false, "Generic user error"},
    {137000, 400, false, "Identity key check failed"},
    {138000, 400, false, "Calling is not enabled"},
    {139000, 400, false, "Flow is blocked"},
    {139100, 400, false, "Block list"},
    {139200, 400, true, "Access is blocked for reasons of content"},
};

}  // namespace

const CloudCode* find_code(int code) {
  const auto* found = std::find_if(std::begin(kCodes), std::end(kCodes),
                                   [code](const CloudCode& one) { return one.code == code; });
  return found == std::end(kCodes) ? nullptr : found;
}

json::Value all_codes() {
  json::Value out(::Json::arrayValue);
  for (const CloudCode& one : kCodes) {
    json::Value shown;
    shown["code"] = one.code;
    shown["status"] = one.status;
    shown["later"] = one.later;
    out.append(std::move(shown));
  }
  return out;
}

}  // namespace posthorn::simulator
