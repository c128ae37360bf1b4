#pragma once

#include "chat/history/payload.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/base/time.h"

namespace posthorn::chat {

/// How much has come of what the phone tells by itself after linking. Kept in memory: after a
/// restart all of it has come, unless some of it waits to be read. Source: chapter 12 section 1.5.
class HistoryProgress {
 public:
  /// So long after the last news of it nothing more will come.
  static constexpr seconds kQuiet{120};

  /// scheduler outlives this. linked: an account was linked before the program started.
  HistoryProgress(Scheduler& scheduler, bool linked) : scheduler_(scheduler), linked_(linked) {}

  /// At the start: a file of it waits.
  void on_found();
  void on_online();
  void on_logged_out();
  void on_announced(const HistoryNotification& news);
  /// That file was read. last: no other waits.
  void on_taken(const HistoryNotification& news, bool last);

  /// 0 .. 100.
  [[nodiscard]] int percent() const;

 private:
  void go_on();

  Scheduler& scheduler_;
  bool linked_;
  bool under_way_ = false;
  bool all_announced_ = false;
  int percent_ = 0;  ///< of what was read
  Mono heard_;
};

}  // namespace posthorn::chat
