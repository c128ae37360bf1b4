#include "daemon/board_link.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "daemon/system_requests.h"
#include "posthorn/base/folder.h"
#include "posthorn/base/log.h"

namespace posthorn::daemon {

namespace {

namespace fs = std::filesystem;

constexpr seconds kTick{1};
constexpr seconds kIdentify{30};
constexpr std::string_view kResetFile = "reset-request";

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
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
  auto board = board::find_board(config.data, content_of(config.device_tree));
  board_.update = "none";
  if (!board) {
    log::info("board", "no board data: LED and button are not used", {{"reason", board.error()}});
    return;
  }
  board_ = std::move(*board);
  if (const auto folder = board::led_folder(board_, config.sysfs)) {
    led_ = std::make_unique<board::Led>(*folder);
  }
  if (board_.button) {
    auto button = board::watch_button(loop, *board_.button, gesture_);
    if (button) {
      button_ = std::move(*button);
    } else {
      log::warn("board", "the button cannot be used", {{"error", button.error()}});
    }
  }
  log::info("board", "found",
            {{"board", board_.name}, {"led", led_ != nullptr}, {"button", button_ != nullptr}});
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
  }
  on_wish_(wish);
}

Result<void> request_reset(const std::string& data_dir, board::Wish wish) {
  const bool all = wish == board::Wish::reset_all;
  if (wish == board::Wish::show_yourself) return {};
  if (wish == board::Wish::reset_network) return ask_system(data_dir, "network-reset");
  auto asked =
      write_durably(data_dir + "/" + std::string(kResetFile), all ? "all\n" : "settings\n");
  if (asked) asked = ask_system(data_dir, all ? "reset-everything" : "reset-settings");
  // Whoever was refused does not expect it at the next start.
  if (!asked) end_reset(data_dir);
  return asked;
}

std::optional<board::Wish> begin_reset(const std::string& data_dir) {
  const std::string asked = content_of(data_dir + "/" + std::string(kResetFile));
  if (asked == "settings\n") return board::Wish::reset_settings;
  if (asked != "all\n") return std::nullopt;
  log::warn("posthornd", "factory reset: everything is removed");
  std::error_code error;
  for (const auto& entry : list_folder(data_dir, error)) {
    const std::string name = entry.filename();
    // Root may not have seen its part of the reset yet.
    std::error_code ignored;
    if (name != kResetFile && name != kRequestsFolder) fs::remove_all(entry, ignored);
  }
  sync_folder(data_dir);
  return board::Wish::reset_all;
}

void end_reset(const std::string& data_dir) {
  std::error_code error;
  fs::remove(data_dir + "/" + std::string(kResetFile), error);
  sync_folder(data_dir);
}

void end_reset_when_durable(BlobStore& store, const std::string& data_dir) {
  store.durable([data_dir](const Result<void>& durable) {
    if (durable) return end_reset(data_dir);
    log::warn("posthornd", "the reset is not on disk and is done again at the next start",
              {{"error", durable.error()}});
  });
}

}  // namespace posthorn::daemon
