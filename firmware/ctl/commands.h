#pragma once

#include <cstdint>
#include <string>

#include "ctl/client.h"

/// One function per command of posthornctl: asks the box and prints for people. Each gives the
/// process's exit status: 0, or 1 after an error was printed.
namespace posthorn::ctl {

int show_status(const Client& client, bool as_json);

enum class PairBy : std::uint8_t {
  qr,    ///< draws each QR code until the phone has scanned one
  text,  ///< prints the text of the current code once and ends
};
/// seconds_at_most: gives up after that.
int pair(const Client& client, PairBy by, int seconds_at_most);
/// Linking by 8 characters that the owner types on the phone.
int pair_by_code(const Client& client, const std::string& phone);

int send_text(const Client& client, const std::string& chat, const std::string& text);
int show_queue(const Client& client);
/// Prints notifications as they come; takes none of them away. events_at_most 0: until interrupted.
int follow(const Client& client, int events_at_most);

}  // namespace posthorn::ctl
