#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/config.h"
#include "posthorn/base/result.h"
#include "posthorn/base/toml_value.h"

namespace posthorn {

// config_receipts.cpp: values of [printer.NAME] and [receipts]
[[nodiscard]] Take one_of(std::string& out, std::vector<std::string> allowed);
[[nodiscard]] Take wording(std::optional<std::string>& out);
[[nodiscard]] Take word_list(std::optional<std::vector<std::string>>& out);
[[nodiscard]] Take country_digits(std::string& out);
/// "192.168.1.50:9100", "printer.lan", "[fe80::1]:9100"; empty: none.
[[nodiscard]] Take host_and_port(std::string& host, std::uint16_t& port);
[[nodiscard]] Take paper_width(std::uint16_t& out);
/// Ports of the box that are one, printers that are the box itself or nothing that could be one.
void find_printer_troubles(Config& config, std::string_view file);

// config_cloud.cpp: values of [cloud]
[[nodiscard]] Take digits(std::string& out);
[[nodiscard]] Take graph_version(std::string& out);
[[nodiscard]] Take cloud_mode(CloudConfig::Mode& out);
[[nodiscard]] Take transport(Transport& out);
/// What its keys need of each other.
[[nodiscard]] Result<void> check_cloud(const CloudConfig& c, std::string_view file);
/// Keys of an official number without the number.
void find_cloud_trouble(Config& config, std::string_view file);

}  // namespace posthorn
