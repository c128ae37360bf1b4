#pragma once

#include <map>
#include <string>

#include "posthorn/base/result.h"
#include "posthorn/wire/node.h"

namespace posthorn::session {

/// A/B properties: what WhatsApp has switched on for this account, a number and a value each.
/// Source: protocol chapters 04 section 4.3, 12 section 10.
struct AbProps {
  /// lid_one_on_one_migration_enabled: people are written to by LID.
  static constexpr int kLidMigration = 9435;

  std::string hash;                   ///< of the whole list; empty: not told
  std::map<int, std::string> values;  ///< those that came: none when `hash` is still the list's
};

/// hash: of the list known; empty: everything is wanted.
[[nodiscard]] wire::Node build_props_query(const std::string& hash);
/// Properties without a number are left out. Errors: malformed (no <props>).
[[nodiscard]] Result<AbProps> parse_props(const wire::Node& iq);
/// "1" and "true" are on.
[[nodiscard]] bool is_on(const std::string& value);

}  // namespace posthorn::session
