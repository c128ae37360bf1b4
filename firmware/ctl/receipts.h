#pragma once

#include <string>

#include "ctl/client.h"

namespace posthorn::ctl {

/// Printers that tills reach through the box, and what was printed lately. Status to end with.
[[nodiscard]] int show_receipts(const Client& client);
/// One receipt as text.
[[nodiscard]] int show_receipt(const Client& client, int number);
[[nodiscard]] int send_receipt(const Client& client, int number, const std::string& chat);

}  // namespace posthorn::ctl
