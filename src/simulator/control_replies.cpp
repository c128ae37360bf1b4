#include "simulator/control_replies.h"

namespace posthorn::simulator {

Simulator::Response ok(json::Value body) { return {200, std::move(body)}; }

Simulator::Response refusal(int status, const std::string& why) {
  json::Value body;
  body["error"] = why;
  return {status, std::move(body)};
}

Simulator::Response refusal(const Error& error) {
  int status = 400;
  if (error.code == Errc::not_found) status = 404;
  if (error.code == Errc::timeout) status = 408;
  if (error.code == Errc::disconnected || error.code == Errc::busy) status = 409;
  if (error.code == Errc::refused || error.code == Errc::crypto) status = 422;
  return refusal(status, to_string(error));
}

std::uint64_t number_of(const std::map<std::string, std::string>& query, const char* name) {
  const auto it = query.find(name);
  if (it == query.end()) return 0;
  std::uint64_t value = 0;
  for (const char c : it->second) {
    if (c < '0' || c > '9' || value > 1'000'000'000'000'000ULL) return 0;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

}  // namespace posthorn::simulator
