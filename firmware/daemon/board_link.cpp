#include "daemon/board_link.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "posthorn/base/log.h"

namespace posthorn::daemon {

namespace {

namespace fs = std::filesystem;

constexpr seconds kTick{1};
constexpr seconds kIdentify{30};
constexpr std::string_view kResetFile = "reset-request";
/// Left for the system: network settings belong to root.
constexpr std::string_view kNetworkResetFile = "network-reset-request";

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Result<void> write_durably(const std::string& path, std::string_view text) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool written = file >= 0 &&
                       write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       fsync(file) == 0;
  const int problem = errno;
  if (file >= 0) close(file);
  if (!written) return fail(Errc::io, path + ": " + std::strerror(problem));
  return {};
}

}  // namespace

BoardLink::BoardLink(loop::Loop& loop, const BoardConfig& config, std::function<Status()> status,
                     std::function<void(board::Wish)> on_wish)
    : config_(config),
      status_(std::move(status)),
      on_wish_(std::move(on_wish)),
      scheduler_(loop),
      gesture_(
          loop, [this](board::Wish wish) { take(wish); },
          [this](std::optional<board::Light> light) {
            held_ = light;
            refresh();
          }),
      timer_(loop) {
  const auto board = board::find_board(config.data, content_of(config.device_tree));
  if (!board) {
    log::info("board", "no board data: LED and button are not used", {{"reason", board.error()}});
    return;
  }
  if (const auto folder = board::led_folder(*board, config.sysfs)) {
    led_ = std::make_unique<board::Led>(*folder);
  }
  if (board->button) {
    auto button = board::watch_button(loop, *board->button, gesture_);
    if (button) {
      button_ = std::move(*button);
    } else {
      log::warn("board", "the button cannot be used", {{"error", button.error()}});
    }
  }
  log::info("board", "found",
            {{"board", board->name}, {"led", led_ != nullptr}, {"button", button_ != nullptr}});
  if (led_) tick();
}

void BoardLink::tick() {
  refresh();
  timer_.start(kTick, [this] { tick(); });
}

void BoardLink::refresh() {
  if (held_) {
    show(*held_);
  } else if (scheduler_.now() < identify_until_) {
    show(board::Light::identify);
  } else {
    show(board::light_of(status_()));
  }
}

void BoardLink::show(board::Light light) {
  if (!led_) return;
  if (const auto shown = led_->show(light); !shown) {
    log::warn("board", "the LED cannot be set and is left alone", {{"error", shown.error()}});
    led_.reset();
  }
}

void BoardLink::take(board::Wish wish) {
  if (wish == board::Wish::show_yourself) {
    identify_until_ = scheduler_.now() + kIdentify;
    refresh();
    return;
  }
  on_wish_(wish);
}

Result<void> request_reset(const std::string& data_dir, board::Wish wish) {
  switch (wish) {
    case board::Wish::show_yourself:
      return {};
    case board::Wish::reset_network:
      return write_durably(data_dir + "/" + std::string(kNetworkResetFile), "network\n");
    case board::Wish::reset_settings:
      return write_durably(data_dir + "/" + std::string(kResetFile), "settings\n");
    case board::Wish::reset_all:
      return write_durably(data_dir + "/" + std::string(kResetFile), "all\n");
  }
  return {};
}

std::optional<board::Wish> begin_reset(const std::string& data_dir) {
  const std::string asked = content_of(data_dir + "/" + std::string(kResetFile));
  if (asked == "settings\n") return board::Wish::reset_settings;
  if (asked != "all\n") return std::nullopt;
  log::warn("posthornd", "factory reset: everything is removed");
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(data_dir, error)) {
    const std::string name = entry.path().filename();
    if (name != kResetFile) fs::remove_all(entry.path(), error);
  }
  return board::Wish::reset_all;
}

void end_reset(const std::string& data_dir) {
  std::error_code error;
  fs::remove(data_dir + "/" + std::string(kResetFile), error);
}

}  // namespace posthorn::daemon
