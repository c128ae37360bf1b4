#pragma once

#include "ctl/client.h"

namespace posthorn::ctl {

/// Walks a person through what WhatsApp asks between the scan and the link: prints what to paste
/// into the browser, takes the pasted answer from standard input, shows the code to compare.
/// Returns when the box asks no more, linked or not. Errors: refused (why it failed, what to do),
/// cancelled (standard input has ended), as of Client.
[[nodiscard]] Result<void> walk_through_passkey(const Client& client);

}  // namespace posthorn::ctl
