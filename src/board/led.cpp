#include "posthorn/board/led.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace posthorn::board {

namespace {

constexpr milliseconds kShort{120};
constexpr milliseconds kPause{1200};

/// `count` short blinks, then a pause.
std::vector<Step> blinks(int count) {
  std::vector<Step> steps;
  for (int i = 0; i < count; ++i) {
    steps.push_back({true, kShort});
    steps.push_back({false, i + 1 == count ? kPause : kShort * 2});
  }
  return steps;
}

std::vector<Step> even(milliseconds half) { return {{true, half}, {false, half}}; }

}  // namespace

std::vector<Step> pattern_of(Light light) {
  switch (light) {
    case Light::starting:
      return {{true, kShort}, {false, milliseconds(480)}};
    case Light::not_linked:
      return blinks(2);
    case Light::online:
      return {{true, milliseconds(1000)}};
    case Light::reconnecting:
      return {{true, milliseconds(880)}, {false, kShort}};
    case Light::clock_unset:
      return {{true, milliseconds(880)}, {false, kShort}, {true, kShort}, {false, kShort}};
    case Light::careful:
      return even(milliseconds(1000));
    case Light::restricted:
      return even(milliseconds(250));
    case Light::stopped:
      return blinks(3);
    case Light::fault:
      return even(milliseconds(60));
    case Light::identify:
      return {{true, milliseconds(60)},
              {false, milliseconds(60)},
              {true, milliseconds(60)},
              {false, milliseconds(420)}};
    case Light::hold_network:
      return even(milliseconds(500));
    case Light::hold_settings:
      return even(milliseconds(200));
    case Light::hold_all:
      return even(milliseconds(80));
    case Light::off:
      return {{false, milliseconds(1000)}};
  }
  return {};
}

Light light_of(const Status& status) {
  if (!status.storage_ok) return Light::fault;
  switch (status.throttle) {
    case Status::Throttle::black:
    case Status::Throttle::red:
      return Light::stopped;
    case Status::Throttle::yellow:
      if (status.link == Status::Link::online) return Light::restricted;
      break;
    case Status::Throttle::amber:
      if (status.link == Status::Link::online) return Light::careful;
      break;
    case Status::Throttle::green:
      break;
  }
  switch (status.link) {
    case Status::Link::starting:
      return Light::starting;
    case Status::Link::not_linked:
      return Light::not_linked;
    case Status::Link::online:
      return Light::online;
    case Status::Link::reconnecting:
      // Certificates may look wrong and nobody is written to at night: the time comes first.
      return status.clock_trusted ? Light::reconnecting : Light::clock_unset;
    case Status::Link::paused:
    case Status::Link::blocked:
      return Light::stopped;
  }
  return Light::fault;
}

std::optional<std::string> led_folder(const BoardData& board, const std::string& sysfs) {
  for (const std::string& name : board.leds) {
    std::string folder = sysfs + "/class/leds/" + name;
    std::error_code error;
    if (std::filesystem::exists(folder, error)) return folder;
  }
  return std::nullopt;
}

std::string kernel_pattern(const std::vector<Step>& steps) {
  std::string out;
  for (const Step& step : steps) {
    const char* brightness = step.on ? "1" : "0";
    if (!out.empty()) out += ' ';
    out += std::string(brightness) + ' ' + std::to_string(step.length.count()) + ' ' + brightness +
           " 0";
  }
  return out;
}

Result<void> Led::show(Light light) {
  if (shown_ && light_ == light) return {};
  if (!has_trigger()) TRY(write("trigger", "pattern"));
  TRY(write("pattern", kernel_pattern(pattern_of(light))));
  shown_ = true;
  light_ = light;
  return {};
}

bool Led::has_trigger() const {
  std::ifstream file(folder_ + "/trigger");
  std::string line;
  std::getline(file, line);
  // The kernel lists all triggers and puts the chosen one into brackets.
  return line == "pattern" || line.find("[pattern]") != std::string::npos;
}

Result<void> Led::write(const char* file, const std::string& text) const {
  const std::string path = folder_ + "/" + file;
  // The `pattern` file appears with the trigger: nothing is created here but in a test's folder.
  const int descriptor = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_TRUNC);
  if (descriptor < 0) return fail(Errc::io, path + ": " + std::strerror(errno));
  const ssize_t written = ::write(descriptor, text.data(), text.size());
  const int problem = errno;
  close(descriptor);
  if (written != static_cast<ssize_t>(text.size())) {
    return fail(Errc::io, path + ": " + std::strerror(problem));
  }
  return {};
}

}  // namespace posthorn::board
