#include <arpa/inet.h>

#include <algorithm>
#include <array>
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

namespace {

/// A port of the box that something listens on.
struct Place {
  std::string name, address;
  std::uint16_t port = 0;  ///< 0: any free one, or none
};

std::vector<Place> places_of(const Config& config) {
  // Without plain_http the API's own port is for this machine.
  const std::string plain = config.api.plain_http ? config.api.listen : "127.0.0.1";
  std::vector<Place> out{{"api.port", plain, config.api.port},
                         {"api.https_port", config.api.listen, config.api.https_port.value_or(0)}};
  for (const PrinterConfig& printer : config.printers) {
    const std::string& address = printer.address.empty() ? config.api.listen : printer.address;
    out.push_back({"printer." + printer.name + ".listen", address, printer.listen});
    out.push_back({"printer." + printer.name + ".lpd", address, printer.lpd});
  }
  return out;
}

/// "::" takes the port from addresses of both kinds.
bool same_place(const Place& a, const Place& b) {
  if (a.port == 0 || a.port != b.port) return false;
  if (a.address == b.address || a.address == "::" || b.address == "::") return true;
  const bool any = a.address == "0.0.0.0" || b.address == "0.0.0.0";
  return any && a.address.find(':') == std::string::npos &&
         b.address.find(':') == std::string::npos;
}

bool is_address(int family, const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(family, text.c_str(), bytes.data()) == 1;
}

/// What looks like an address must be one; any other text may be a name.
bool may_be_host(const std::string& host) {
  if (host.find(':') != std::string::npos)
    return is_address(AF_INET6, host.substr(0, host.find('%')));
  const bool numeric = host.find_first_not_of("0123456789.") == std::string::npos;
  return host.empty() || !numeric || is_address(AF_INET, host);
}

bool is_local(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

/// Whoever connects to host and the place's port ends up at the place. The box's own addresses are
/// known as far as the configuration names them.
bool leads_to(const std::string& host, const Place& place, const std::vector<Place>& all) {
  if (place.address != "0.0.0.0" && place.address != "::") {
    return place.address == host || (is_local(place.address) && is_local(host));
  }
  return is_local(host) || std::any_of(all.begin(), all.end(), [&host](const Place& other) {
           return other.address == host;
         });
}

}  // namespace

void find_printer_troubles(Config& config, std::string_view file) {
  const std::string begin = std::string(file) + ": ";
  const std::vector<Place> places = places_of(config);
  for (std::size_t i = 0; i < places.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (!same_place(places[i], places[k])) continue;
      config.troubles.push_back(begin + places[i].name + ": must be another port than " +
                                places[k].name + ", which is " + std::to_string(places[k].port));
      break;
    }
  }
  for (PrinterConfig& printer : config.printers) {
    const std::string forward = begin + "printer." + printer.name + ".forward: ";
    const auto own = std::find_if(places.begin(), places.end(), [&](const Place& place) {
      return place.port != 0 && place.port == printer.forward_port &&
             leads_to(printer.forward_host, place, places);
    });
    if (!may_be_host(printer.forward_host)) {
      printer.trouble =
          forward + "must be the printer's address, like \"192.168.1.50:9100\", or empty";
    } else if (own != places.end()) {
      printer.trouble =
          forward + "must be the printer's address, not the box's own (" + own->name + ")";
    }
    if (!printer.trouble.empty()) config.troubles.push_back(printer.trouble);
  }
}

}  // namespace posthorn
