#include <algorithm>
#include <charconv>

#include "base/config_take.h"

namespace posthorn {

Take one_of(std::string& out, std::vector<std::string> allowed) {
  return [&out, allowed = std::move(allowed)](const toml::node& node) -> Result<void> {
    TRY(const std::string value, text_of(node));
    if (std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
      std::string list;
      for (const std::string& one : allowed) list += (list.empty() ? "\"" : ", \"") + one + "\"";
      return fail(Errc::malformed, "must be one of " + list);
    }
    out = value;
    return {};
  };
}

Take wording(std::optional<std::string>& out) {
  return [&out](const toml::node& node) -> Result<void> {
    TRY(std::string value, text_of(node));
    if (value.size() > 2000) return fail(Errc::malformed, "must have at most 2000 characters");
    out = std::move(value);
    return {};
  };
}

Take word_list(std::optional<std::vector<std::string>>& out) {
  return [&out](const toml::node& node) -> Result<void> {
    const toml::array* list = node.as_array();
    if (list == nullptr || list->size() > 32) {
      return fail(Errc::malformed, "must be a list of at most 32 strings");
    }
    out.emplace();
    for (const toml::node& entry : *list) {
      TRY(std::string value, text_of(entry));
      if (value.empty()) return fail(Errc::malformed, "must hold no empty strings");
      out->push_back(std::move(value));
    }
    return {};
  };
}

Take country_digits(std::string& out) {
  return [&out](const toml::node& node) -> Result<void> {
    TRY(const std::string value, text_of(node));
    const bool digits =
        std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!digits || value.size() > 4 || value.starts_with('0')) {
      return fail(Errc::malformed, "must be a country's digits, like \"49\", or empty");
    }
    out = value;
    return {};
  };
}

Take host_and_port(std::string& host, std::uint16_t& port) {
  return [&host, &port](const toml::node& node) -> Result<void> {
    TRY(const std::string value, text_of(node));
    const bool bracket = value.starts_with('[');
    const std::size_t end = bracket ? value.find(']') : value.find(':');
    std::string_view rest;
    if (end == std::string::npos) {
      host = bracket ? "" : value;
    } else {
      host = bracket ? value.substr(1, end - 1) : value.substr(0, end);
      rest = std::string_view(value).substr(end + (bracket ? 1 : 0));
    }
    unsigned number = port;
    if (rest.starts_with(':')) {
      rest.remove_prefix(1);
      const auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
      if (error != std::errc{} || stop != rest.data() + rest.size()) number = 0;
    } else if (!rest.empty()) {
      number = 0;
    }
    const bool blank = host.find_first_of(" /@") != std::string::npos;
    if ((host.empty() && !value.empty()) || blank || number < 1 || number > 65535) {
      return fail(Errc::malformed,
                  "must be the printer's address, like \"192.168.1.50:9100\", or empty");
    }
    port = static_cast<std::uint16_t>(number);
    return {};
  };
}

Take paper_width(std::uint16_t& out) {
  return [&out](const toml::node& node) -> Result<void> {
    const auto value = node.value_exact<std::int64_t>();
    if (value != 80 && value != 58) return fail(Errc::malformed, "must be 80 or 58 (mm)");
    out = static_cast<std::uint16_t>(*value);
    return {};
  };
}

}  // namespace posthorn
