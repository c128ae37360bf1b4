#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/piece_file.h"
#include "daemon/tar_gz.h"
#include "posthorn/api/api.h"
#include "posthorn/base/clock.h"
#include "posthorn/base/random.h"
#include "posthorn/base/worker.h"
#include "posthorn/board/button.h"

namespace posthorn::daemon {

/// What a technician does with the box over its API, besides messages: update, reset, restart,
/// backup, restore, support bundle. One method each; firmware/system/README.md lists them.
class Care {
 public:
  struct Outside {
    Scheduler& scheduler;
    Worker& worker;
    Random& random;
    const Clock& clock;
    std::string data_dir;
    std::string run_dir;  ///< where root tells how an update went: "/run/posthorn"
    /// "none": this computer's programs come from its package manager.
    std::function<std::string()> update_back_end;
    std::function<std::string()> board;      ///< board_json()
    std::function<NamedTexts()> texts;       ///< of the support bundle
    std::function<void(board::Wish)> reset;  ///< as the button does
    std::function<void()> restart_daemon;    ///< ends it; who started it starts it again
  };

  explicit Care(Outside outside);
  ~Care();
  Care(const Care&) = delete;
  Care& operator=(const Care&) = delete;

  [[nodiscard]] std::vector<api::Route> routes();

 private:
  void add_piece(PieceFile& file, api::Call call);
  void install_update(api::Call call);
  void update_status(api::Call call);
  void reset_box(api::Call call);
  void restart_box(api::Call call);
  void make_backup(api::Call call);
  void read_backup(api::Call call);
  void restore_backup(api::Call call);
  void support_bundle(api::Call call);
  /// After the answer has left.
  void soon(std::function<void()> what);

  Outside outside_;
  PieceFile update_;
  PieceFile backup_;
  PieceFile restore_;
  bool busy_ = false;  ///< a backup or restore is being worked on
  // Shared with answers of the worker, which may come when this has gone.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Timer timer_;
};

}  // namespace posthorn::daemon
