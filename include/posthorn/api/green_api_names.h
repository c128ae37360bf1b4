#pragma once

#include <string>
#include <string_view>
#include <vector>

/// Green-API's own host names: clients whose host is fixed (n8n's node, js-v2,
/// greenapi-integration) come by them when the shop's DNS leads them to the box (contract, section
/// 24).
namespace posthorn::api {

/// green-api.com and what is under it. name: lower case, without a port.
[[nodiscard]] bool is_green_api_name(std::string_view name);
/// Those of the configuration's api.names, which the box's certificate must then have.
[[nodiscard]] std::vector<std::string> green_api_names(const std::vector<std::string>& names);

}  // namespace posthorn::api
