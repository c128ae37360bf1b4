#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/session/events.h"
#include "posthorn/wire/node.h"

/// MEX: GraphQL in stanzas, by which the account tells of its restrictions. Pure.
/// Source: protocol chapters 04 section 10.3 and 12 section 6.
namespace posthorn::session::mex {

// The ids belong to a build of the web client and rot; an unknown one means "feature absent".
inline constexpr std::string_view kReachoutQuery = "23983697327930364";
inline constexpr std::string_view kCappingQuery = "27910975521856601";
inline constexpr std::string_view kCappingQueryOlder = "24503548349331633";

[[nodiscard]] wire::Node build_query(std::string_view query_id);

/// Answer of a query, or the push of the same. nullopt: null data, which means "unknown".
/// now: for a lock without an end, which is taken to last 24 h.
/// Errors: malformed; unsupported (binary format, unknown document); refused (GraphQL error, the
/// detail begins with its code).
[[nodiscard]] Result<std::optional<Restriction>> parse_reachout(const wire::Node& answer, Wall now);
[[nodiscard]] Result<std::optional<Restriction>> parse_capping(const wire::Node& answer);

/// What a <notification type="mex"> says about the account; empty: nothing of interest.
[[nodiscard]] std::vector<Restriction> parse_push(const wire::Node& notification, Wall now);

}  // namespace posthorn::session::mex
