#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/tar_gz.h"
#include "posthorn/api/api.h"
#include "posthorn/api/file_bodies.h"
#include "posthorn/base/alive.h"
#include "posthorn/base/clock.h"
#include "posthorn/base/random.h"
#include "posthorn/base/worker.h"
#include "posthorn/board/button.h"
#include "posthorn/files/store.h"

namespace posthorn::daemon {

/// What a technician does with the box over its API, besides messages: update, reset, restart,
/// backup, restore, support bundle. One method each; firmware/system/README.md lists them. All but
/// getBoardStatus need the right of care.
class Care {
 public:
  struct Outside {
    Scheduler& scheduler;
    Worker& worker;
    Random& random;
    const Clock& clock;
    files::Store& files;
    std::string data_dir;
    std::string run_dir;  ///< where root tells how an update went: "/run/posthorn"
    /// "none": this computer's programs come from its package manager.
    std::function<std::string()> update_back_end;
    std::function<std::string()> board;  ///< board_json()
    std::function<NamedTexts()> texts;   ///< of the support bundle
    /// Writes down that it is wanted, as the button does; the restart is ours.
    std::function<Result<void>(board::Wish)> reset;
    std::function<void()> restart_daemon;  ///< ends it; who started it starts it again
  };

  explicit Care(Outside outside);
  Care(const Care&) = delete;
  Care& operator=(const Care&) = delete;

  [[nodiscard]] std::vector<api::Route> routes();

 private:
  /// Into `place`, whose file before goes.
  Result<std::unique_ptr<api::BodySink>> receive(std::optional<files::File>& place,
                                                 const api::Request& head);
  Result<std::unique_ptr<api::BodySink>> receive_update(const api::Request& head);
  [[nodiscard]] Result<files::File> uploaded(const std::optional<files::File>& place,
                                             const api::Call& call) const;
  void install_update(api::Call call);
  void update_status(api::Call call);
  /// An update was handed over and root has not said a word about it.
  [[nodiscard]] bool update_waits() const;
  void reset_box(api::Call call);
  void restart_box(api::Call call);
  void make_backup(api::Call call);
  void keep_backup(const files::Store::Part& part, api::Call call);
  void read_backup(api::Call call);
  void send_kept(const std::optional<files::File>& place, api::Call call);
  void restore_backup(api::Call call);
  void support_bundle(api::Call call);
  /// After the answer has left.
  void soon(std::function<void()> what);

  Outside outside_;
  std::string folder_;  ///< for what is only on its way
  std::optional<files::File> update_;
  std::optional<files::File> backup_;
  std::optional<files::File> restore_;
  std::optional<std::string> told_before_;  ///< which word of root's was there at installUpdate
  bool busy_ = false;                       ///< a backup or restore is being worked on
  Timer timer_;
  Alive<Care> alive_{this};
};

}  // namespace posthorn::daemon
