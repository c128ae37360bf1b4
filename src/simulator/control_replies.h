#pragma once

#include <map>
#include <string>

#include "posthorn/base/json.h"
#include "posthorn/simulator/simulator.h"

namespace posthorn::simulator {

/// What the control interface's verbs answer with; CONTROL.md lists the statuses.
[[nodiscard]] Simulator::Response ok(json::Value body = json::Value(Json::objectValue));
[[nodiscard]] Simulator::Response refusal(int status, const std::string& why);
[[nodiscard]] Simulator::Response refusal(const Error& error);

/// A whole number of the query; 0 when it is missing or none.
[[nodiscard]] std::uint64_t number_of(const std::map<std::string, std::string>& query,
                                      const char* name);

}  // namespace posthorn::simulator
