#pragma once

#include <string>
#include <vector>

#include "posthorn/api/api.h"

namespace posthorn::daemon {

/// The network over the API (ours, with the technician's right):
///
/// - GET getNetwork: {"managed", "sentence", "interfaces": [{"name", "address"}], "gateway", "dns":
/// [],
///   "settings": {"address"?, "gateway"?, "dns"?, "time_server"?, "wifi_name"?}, "onCard": [names],
///   "state": "none" | "applying" | "waiting" | "kept" | "back" | "refused", "detail",
///   "secondsLeft"}. managed: the network is ours to set (the image); else the operating system
///   sets it. onCard: settings that stand in posthorn.txt and win.
/// - POST changeNetwork {"address"?, "gateway"?, "dns"?, "timeServer"?}: each as posthorn.txt has
/// it;
///   "" takes it back. Holds for 90 seconds, and goes back unless it is confirmed.
/// - POST confirmNetwork {}: it holds for good.
///
/// Root does it (firmware/system/network_change.h); these write down what is wanted.
struct NetworkPlaces {
  std::string data_dir;
  std::string run_dir;  ///< where root tells what holds: "/run/posthorn"
};
[[nodiscard]] std::vector<api::Route> network_routes(const NetworkPlaces& places);

}  // namespace posthorn::daemon
