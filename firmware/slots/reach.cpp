#include "slots/reach.h"

#include <netinet/in.h>

#include <array>
#include <charconv>
#include <cstring>
#include <vector>

namespace posthorn::slots {
namespace {

struct Word {
  std::string_view text;
  bool Reach::*member;
};
constexpr std::array<Word, 4> kWords{{{"ipv4", &Reach::ipv4},
                                      {"ipv6", &Reach::ipv6},
                                      {"link-local", &Reach::link_local},
                                      {"answered", &Reach::answered}}};

std::vector<std::string_view> words_of(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r\n";
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t begin = line.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return words;
    line.remove_prefix(begin);
    const std::size_t end = std::min(line.find_first_of(kBlanks), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

/// The words of each line below the heading.
std::vector<std::vector<std::string_view>> table_of(std::string_view text) {
  std::vector<std::vector<std::string_view>> rows;
  bool heading = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (!heading) rows.push_back(words_of(text.substr(0, end)));
    heading = false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return rows;
}

std::optional<std::uint32_t> hexadecimal(std::string_view text) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

void add_address(Reach& reach, const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in ipv4{};
    std::memcpy(&ipv4, &address, sizeof(ipv4));
    const std::uint32_t number = ntohl(ipv4.sin_addr.s_addr);
    if (number >> 24 == 127 || number == 0) return;
    (number >> 16 == 0xA9FE ? reach.link_local : reach.ipv4) = true;
  } else if (address.sa_family == AF_INET6) {
    sockaddr_in6 ipv6{};
    std::memcpy(&ipv6, &address, sizeof(ipv6));
    const in6_addr& number = ipv6.sin6_addr;
    if (IN6_IS_ADDR_LOOPBACK(&number) || IN6_IS_ADDR_LINKLOCAL(&number)) return;
    reach.ipv6 = true;
  }
}

bool has_answer(std::string_view proc_net_arp) {
  // IP address, HW type, Flags, HW address, Mask, Device. Flag 2: the address is known; 4: by a
  // person's word, which is no answer.
  for (const auto& row : table_of(proc_net_arp)) {
    const auto flags = row.size() >= 4 ? hexadecimal(row[2]) : std::nullopt;
    if (flags && (*flags & 2U) != 0 && (*flags & 4U) == 0) return true;
  }
  return false;
}

std::optional<std::uint32_t> gateway_of(std::string_view proc_net_route) {
  // Iface, Destination, Gateway, ...: numbers as they lie in memory.
  for (const auto& row : table_of(proc_net_route)) {
    if (row.size() < 8 || hexadecimal(row[1]) != 0U || hexadecimal(row[7]) != 0U) continue;
    const auto gateway = hexadecimal(row[2]);
    if (gateway && *gateway != 0) return gateway;
  }
  return std::nullopt;
}

Reach both(const Reach& one, const Reach& other) {
  Reach out;
  for (const Word& word : kWords) out.*word.member = one.*word.member || other.*word.member;
  return out;
}

std::optional<std::string> missing(const Reach& before, const Reach& now) {
  const bool any = now.ipv4 || now.ipv6 || now.link_local;
  if (before.ipv4 && !now.ipv4) return "no IPv4 address came, as there was one before";
  if (before.ipv6 && !now.ipv4 && !now.ipv6) return "no address came, as there was one before";
  if (before.link_local && !any) return "the network does not come up, as it did before";
  if (before.answered && !now.answered) {
    return "nobody on the network answers, neither the router nor a till, as before";
  }
  return std::nullopt;
}

std::string to_text(const Reach& reach) {
  std::string out;
  for (const Word& word : kWords) {
    if (reach.*word.member) out += (out.empty() ? "" : " ") + std::string(word.text);
  }
  return out + "\n";
}

Reach parse_reach(std::string_view text) {
  Reach out;
  for (const std::string_view found : words_of(text)) {
    for (const Word& word : kWords) {
      if (word.text == found) out.*word.member = true;
    }
  }
  return out;
}

}  // namespace posthorn::slots
