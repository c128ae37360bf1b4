#pragma once

#include <string>
#include <string_view>

namespace posthorn::fleet {

/// posthorn/v1/ORG/BOX/…
struct Topics {
  std::string org;
  std::string box;

  [[nodiscard]] std::string at(std::string_view tail) const {
    return "posthorn/v1/" + org + "/" + box + "/" + std::string(tail);
  }
  [[nodiscard]] std::string pause_of_all() const { return "posthorn/v1/" + org + "/all/pause"; }
};

/// What may stand in a level of a topic: no wildcard, no slash, no control characters.
[[nodiscard]] inline std::string topic_level(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 64)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.';
    out += plain ? c : '_';
  }
  return out.empty() ? "_" : out;
}

}  // namespace posthorn::fleet
