#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace posthorn::api {

/// Whether a request that names this host may be answered. host: as in the header, with or without
/// a port; names: the box's own, in any case.
///
/// A web page that somebody opens on the shop's network may make its own name mean the box's
/// address (DNS rebinding) and then read our answers. Such a name is one that its owner could
/// register. So what is answered is: an address, a name of the box, names that nobody can
/// register, which are those without a dot and those under .local, .lan, .home.arpa and the like,
/// and Green-API's own (green-api.com and what is under it).
[[nodiscard]] bool is_our_host(std::string_view host, const std::vector<std::string>& names);

}  // namespace posthorn::api
