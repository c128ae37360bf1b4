#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/result.h"
#include "posthorn/base/time.h"

namespace posthorn::fleet {

/// What of an event leaves the shop.
enum class Share : std::uint8_t {
  metadata,  ///< type, id, status, time, and the chat as a keyed hash: no number, no text
  full,      ///< the notification as the till gets it
  none,      ///< no events
};

/// fleet.toml; the member defaults are the documented defaults.
struct Settings {
  std::string org;  ///< of the topics: posthorn/v1/ORG/BOX/…; 1 .. 32 of a-z, 0-9, "-"

  // [broker]
  std::string host;
  std::uint16_t port = 8883;
  std::string alpn;        ///< "mqtt" where port 443 is shared with a web server
  seconds keep_alive{60};  ///< 5 .. 3600
  seconds will_delay{30};  ///< 0 .. 600: shorter absences are not told
  seconds spread{180};     ///< over so long the boxes of a fleet come back after a broker's restart

  // [events]
  Share share = Share::metadata;
  std::string hash_key;  ///< of the organisation, 64 hex digits; empty: this box makes its own

  // [state]
  seconds poll{10};       ///< how often the box is looked at
  seconds at_least{900};  ///< state is published so often also when nothing changed
  bool metrics = false;   ///< publishes /metrics as JSON each minute

  // [commands]
  bool care = false;  ///< the technician's right: reboot, update, logs, …; in /etc/posthorn only
  std::vector<std::string> allow;  ///< commands that are off otherwise

  // [home_assistant]
  bool home_assistant = false;
  std::string discovery_prefix = "homeassistant";

  // [hawkbit]
  std::string hawkbit_url;             ///< "https://SERVER/TENANT"; empty: none
  std::string target_token;            ///< this box's
  std::string gateway_token;           ///< of all boxes of a tenant
  std::string hawkbit_ca;              ///< PEM file; empty: the system's roots
  std::uint64_t bytes_per_second = 0;  ///< of a download; 0: as fast as it goes
  std::string install_from = "21:00";  ///< closed hours, in which an update is installed
  std::string install_to = "08:00";
  seconds confirm{600};  ///< a new version is called good after so long without trouble
};

/// Reads fleet.toml. `file` is its name for messages.
/// Errors: malformed, "fleet.toml:4: broker.port: must be a whole number from 1 to 65535"; unknown
/// keys are errors.
[[nodiscard]] Result<Settings> parse_settings(std::string_view text, std::string_view file);

}  // namespace posthorn::fleet
