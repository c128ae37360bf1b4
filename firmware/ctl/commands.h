#pragma once

#include <cstdint>
#include <string>

#include "ctl/client.h"

/// One function per command of posthornctl: asks the box and prints for people. Each gives the
/// process's exit status: 0, or 1 after an error was printed.
namespace posthorn::ctl {

/// Prints what is wrong; 1.
int complain(const Error& error);

int show_status(const Client& client, bool as_json);
/// What a till is given: addresses of this machine, idInstance, token. Asks no API.
int show_access(const Access& access);

enum class PairBy : std::uint8_t {
  qr,    ///< draws each QR code until the phone has scanned one
  text,  ///< prints the text of the current code once and ends
};
/// seconds_at_most: gives up after that.
int pair(const Client& client, PairBy by, int seconds_at_most);
/// Linking by 8 characters that the owner types on the phone.
int pair_by_code(const Client& client, const std::string& phone);

/// Ends what only a person may end, and connects at once.
int reconnect(const Client& client);

/// path: the file; caption may be empty.
int send_file(const Client& client, const std::string& chat, const std::string& path,
              const std::string& caption);
int send_text(const Client& client, const std::string& chat, const std::string& text);
int show_queue(const Client& client);
/// Prints notifications as they come; takes none of them away. events_at_most 0: until interrupted.
int follow(const Client& client, int events_at_most);

/// The throttle in plain words, its windows, and why jobs wait.
int show_throttle(const Client& client);
/// Ends a red or black state, or a fourth yellow one, in the operator's name.
int acknowledge_throttle(const Client& client, const std::string& who, const std::string& reason);
/// "In daily use for N months", once.
int declare_in_use(const Client& client, int months, const std::string& who);
/// What would become of a message to this person that is posted now.
int show_outlook(const Client& client, const std::string& chat, const std::string& consent);
/// A list of people who have written to the shop before: "number[,YYYY-MM-DD]", one a line.
int import_regulars(const Client& client, const std::string& file, const std::string& who);
int list_opt_outs(const Client& client);
int change_opt_out(const Client& client, bool add, const std::string& chat, const std::string& who,
                   const std::string& reason);

}  // namespace posthorn::ctl
