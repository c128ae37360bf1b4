#include "posthorn/signal/address.h"

namespace posthorn::signal {

std::string make_name(std::string_view user, std::string_view server) {
  std::string name;
  name.reserve(user.size() + 1 + server.size());
  name.append(user).append(1, '@').append(server);
  return name;
}

Address make_address(std::string_view user, std::string_view server, std::uint16_t device) {
  return {make_name(user, server), device};
}

}  // namespace posthorn::signal
