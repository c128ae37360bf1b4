#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace posthorn::signal {

/// Who a session or sender key belongs to: one device of one user. The name keeps users of
/// different servers apart (a phone number and a LID may have the same digits).
struct Address {
  std::string name;          ///< "4915550001234@s.whatsapp.net", "123456@lid": no device, no agent
  std::uint16_t device = 0;  ///< 0: the phone

  auto operator<=>(const Address&) const = default;
};

/// The address of a JID's parts. Injective: a JID's user and server hold no '@'.
[[nodiscard]] Address make_address(std::string_view user, std::string_view server,
                                   std::uint16_t device);
/// The name alone, for what concerns all devices of a user.
[[nodiscard]] std::string make_name(std::string_view user, std::string_view server);

}  // namespace posthorn::signal
