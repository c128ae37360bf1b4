#pragma once

#include <vector>

#include "posthorn/throttle/status.h"
#include "throttle/engine.h"

namespace posthorn::throttle {

[[nodiscard]] ThrottleStatus build_status(const Engine& engine, const Moment& moment);
/// The status as metrics; the valve adds its counters.
[[nodiscard]] std::vector<Metric> build_metrics(const ThrottleStatus& status);
/// The name of an exception in the API, "" for none; and back.
[[nodiscard]] std::string_view to_string(Exception limit);
[[nodiscard]] Exception parse_exception(std::string_view name);
/// What caused the present level, e.g. "reachout_ack"; empty when green.
[[nodiscard]] std::string_view cause_of(const Standing& standing, Level level);

}  // namespace posthorn::throttle
