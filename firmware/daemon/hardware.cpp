#include "daemon/hardware.h"

#include <fstream>
#include <string_view>

namespace posthorn::daemon {

namespace {

constexpr std::string_view kSlot = " rauc.slot=";

std::string slot_of(const std::string& cmdline) {
  const std::string line = " " + first_line(cmdline);
  const std::size_t at = line.find(kSlot);
  if (at == std::string::npos) return "";
  const std::string rest = line.substr(at + kSlot.size());
  return rest.substr(0, rest.find(' '));
}

}  // namespace

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line.substr(0, line.find('\0'));
}

Hardware read_hardware(const std::string& device_tree, const std::string& cmdline) {
  Hardware out;
  out.model = first_line(device_tree + "/model");
  if (out.model.empty()) out.model = first_line("/sys/class/dmi/id/product_name");
  out.serial = first_line(device_tree + "/serial-number");
  out.slot = slot_of(cmdline);
  return out;
}

}  // namespace posthorn::daemon
