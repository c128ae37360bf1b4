#include "posthorn/base/links.h"

#include <algorithm>
#include <array>

namespace posthorn {
namespace {

constexpr std::size_t kLongest = 2048;
constexpr std::array<std::string_view, 3> kBeginnings{"https://", "http://", "www."};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

bool begins_with(std::string_view text, std::string_view beginning) {
  return text.size() >= beginning.size() &&
         std::equal(beginning.begin(), beginning.end(), text.begin(),
                    [](char wanted, char c) { return wanted == lower(c); });
}

bool is_word(char c) {
  return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// Visible ASCII, as an address is written; a text goes on behind it without a blank in some
/// scripts.
bool may_stand(char c) {
  constexpr std::string_view kNowhere = "\"<>\\^`{|}";
  return c > 0x20 && c < 0x7F && kNowhere.find(c) == std::string_view::npos;
}

/// "(see https://a.example/b)." ends before the bracket.
std::string_view without_ending(std::string_view link) {
  while (!link.empty()) {
    const char last = link.back();
    const bool closes = last == ')' && std::count(link.begin(), link.end(), '(') <
                                           std::count(link.begin(), link.end(), ')');
    constexpr std::string_view kEndings = ".,;:!?'*_~]";
    if (!closes && kEndings.find(last) == std::string_view::npos) break;
    link.remove_suffix(1);
  }
  return link;
}

/// A host with a dot or a colon in it (a bare word is nobody's address out there), and no user
/// before it.
bool is_reachable(std::string_view link) {
  const std::size_t scheme = link.find("://");
  if (scheme != std::string_view::npos) link.remove_prefix(scheme + 3);
  const std::string_view authority = link.substr(0, link.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos) return false;
  return authority.size() > 3 && authority.find_first_of(".:") != std::string_view::npos &&
         (is_word(authority.front()) || authority.front() == '[');
}

}  // namespace

std::string_view find_link(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (at > 0 && is_word(text[at - 1])) continue;
    const std::string_view rest = text.substr(at);
    if (std::none_of(kBeginnings.begin(), kBeginnings.end(),
                     [rest](std::string_view one) { return begins_with(rest, one); })) {
      continue;
    }
    const auto end = std::find_if_not(rest.begin(), rest.end(), may_stand);
    const auto length = static_cast<std::size_t>(end - rest.begin());
    // Nobody types an address as long as that; looking for its end would take long, too.
    if (length <= kLongest) {
      const std::string_view link = without_ending(rest.substr(0, length));
      if (is_reachable(link)) return link;
    }
    at += length;
  }
  return {};
}

std::string address_of_link(std::string_view link) {
  link = link.substr(0, link.find('#'));
  return (begins_with(link, "www.") ? "https://" : "") + std::string(link);
}

}  // namespace posthorn
