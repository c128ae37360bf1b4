#include "posthorn/api/form.h"

#include <algorithm>

#include "posthorn/base/bytes.h"

namespace posthorn::api {

namespace {

std::string decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      if (const auto byte = hex_decode(text.substr(i + 1, 2))) {
        out += static_cast<char>(byte->front());
        i += 2;
        continue;
      }
    }
    out += text[i] == '+' ? ' ' : text[i];
  }
  return out;
}

}  // namespace

std::map<std::string, std::string> parse_form(std::string_view body) {
  std::map<std::string, std::string> out;
  while (!body.empty()) {
    const std::string_view one = body.substr(0, body.find('&'));
    body.remove_prefix(std::min(one.size() + 1, body.size()));
    const std::size_t middle = std::min(one.find('='), one.size());
    const std::string_view value = middle < one.size() ? one.substr(middle + 1) : "";
    if (!one.empty()) out[decode(one.substr(0, middle))] = decode(value);
  }
  return out;
}

}  // namespace posthorn::api
