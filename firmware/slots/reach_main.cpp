// posthorn-reach: whether the box can be reached over the network as it could before.
//   remember   adds what it is reached by now to what it was reached by before
//   check      ends with 0 when all of that is there again; else says what is missing and ends with
//   1 show       says both
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "setup/settings_file.h"
#include "slots/reach.h"

namespace posthorn::slots {
namespace {

constexpr std::size_t kFileAtMost = std::size_t{256} << 10;
/// How long a neighbour has for its answer; the kernel asks three times, a second apart.
constexpr unsigned kWaitMicroseconds = 300'000;
constexpr int kWaits = 8;

/// Any datagram makes the kernel ask for the gateway's hardware address; port 9 throws it away.
void knock_at(std::uint32_t gateway) {
  const int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return;
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(9);
  to.sin_addr.s_addr = gateway;
  (void)sendto(descriptor, "", 0, 0, reinterpret_cast<const sockaddr*>(&to), sizeof(to));
  close(descriptor);
}

bool somebody_answers() {
  const auto routes = setup::read_file("/proc/net/route", kFileAtMost);
  const auto gateway = routes ? gateway_of(*routes) : std::nullopt;
  for (int i = 0; i < kWaits; i++) {
    const auto neighbours = setup::read_file("/proc/net/arp", kFileAtMost);
    if (neighbours && has_answer(*neighbours)) return true;
    if (!gateway) return false;
    if (i == 0) knock_at(*gateway);
    usleep(kWaitMicroseconds);
  }
  return false;
}

Reach look() {
  Reach reach;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) == 0) {
    for (const ifaddrs* each = all; each != nullptr; each = each->ifa_next) {
      if (each->ifa_addr != nullptr && (each->ifa_flags & IFF_RUNNING) != 0) {
        add_address(reach, *each->ifa_addr);
      }
    }
    freeifaddrs(all);
  }
  reach.answered = somebody_answers();
  return reach;
}

int run(const std::string& verb, const std::string& file) {
  const auto text = setup::read_file(file, kFileAtMost);
  const Reach before = text ? parse_reach(*text) : Reach{};
  const Reach now = look();
  if (verb == "show") {
    std::printf("before: %snow: %s", to_text(before).c_str(), to_text(now).c_str());
    return 0;
  }
  if (verb == "check") {
    const auto lacking = missing(before, now);
    if (lacking) std::printf("%s\n", lacking->c_str());
    return lacking ? 1 : 0;
  }
  const Reach all = both(before, now);
  if (all == before) return 0;
  if (const auto kept = setup::write_durably(file, to_text(all), 0600); !kept) {
    std::fprintf(stderr, "posthorn-reach: %s\n", kept.error().detail.c_str());
    return 1;
  }
  std::printf("reached by: %s", to_text(all).c_str());
  return 0;
}

}  // namespace
}  // namespace posthorn::slots

int main(int argc, char** argv) {
  const std::string verb = argc >= 2 ? argv[1] : "";
  if (argc > 3 || (verb != "remember" && verb != "check" && verb != "show")) {
    std::fprintf(stderr, "posthorn-reach remember|check|show [FILE]\n");
    return 2;
  }
  return posthorn::slots::run(verb, argc == 3 ? argv[2] : "/var/lib/posthorn-system/reached");
}
