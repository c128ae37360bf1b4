#include "chat/history/progress.h"

#include <algorithm>

namespace posthorn::chat {
namespace {

constexpr int kAll = 100;

/// What whoever links waits for; the other types have no percents, or come at any time.
bool counts(const HistoryNotification& news) {
  return is_type(news, HistoryType::initial_bootstrap) || is_type(news, HistoryType::recent) ||
         is_type(news, HistoryType::full);
}

int percent_of(const HistoryNotification& news) {
  if (!is_type(news, HistoryType::recent)) return 0;
  return static_cast<int>(std::min<std::uint32_t>(news.progress(), kAll));
}

}  // namespace

void HistoryProgress::go_on() {
  if (!under_way_) {
    percent_ = 0;
    all_announced_ = false;
  }
  under_way_ = true;
  heard_ = scheduler_.now();
}

void HistoryProgress::on_found() { go_on(); }

void HistoryProgress::on_online() {
  if (linked_) return;
  linked_ = true;
  go_on();
}

void HistoryProgress::on_logged_out() {
  under_way_ = false;
  linked_ = false;
}

void HistoryProgress::on_announced(const HistoryNotification& news) {
  const bool answers = news.has_peerdatarequestsessionid() || news.has_originalmessageid();
  if (is_type(news, HistoryType::no_history) && !answers) under_way_ = false;
  if (!counts(news)) return;
  go_on();
  if (percent_of(news) == kAll) all_announced_ = true;
}

void HistoryProgress::on_taken(const HistoryNotification& news, bool last) {
  if (!under_way_) return;
  heard_ = scheduler_.now();
  percent_ = std::max(percent_, percent_of(news));
  if (percent_ == kAll) all_announced_ = true;
  if (last && all_announced_) under_way_ = false;
}

int HistoryProgress::percent() const {
  if (!under_way_ || scheduler_.now() - heard_ >= kQuiet) return kAll;
  return std::min(percent_, kAll - 1);
}

}  // namespace posthorn::chat
