#pragma once

#include <span>
#include <string_view>

#include "posthorn/api/http.h"

namespace posthorn::api {

/// A method of the contract that the box answers with a refusal in words: Green-API refuses it too,
/// or it is about something that a box in a shop is not.
struct NotHere {
  std::string_view name;
  Verb verb;
  int status;
  std::string_view why;
};
[[nodiscard]] std::span<const NotHere> methods_not_here();

/// Everything under /partner/ : contracts with Green-API, which a box has none of.
inline constexpr std::string_view kPartnerPath = "/partner/";
inline constexpr std::string_view kNoPartner =
    "Forbidden: Posthorn is one instance in one shop; instances are not made, listed or deleted "
    "through it";

}  // namespace posthorn::api
