#pragma once

#include <map>

#include "fleet/last_words.h"
#include "fleet/reports.h"
#include "posthorn/base/blob_store.h"

namespace posthorn::fleet {

/// The retained topics alert/NAME. Alerts that follow from how the box is come and go with it; the
/// others (a gap, a second box with our certificate, a failed update) stay for a day or until
/// somebody clears them, also over a restart.
class AlertBoard {
 public:
  static constexpr hours kStays{24};

  AlertBoard(BlobStore& blobs, LastWords& words, Topics topics)
      : blobs_(blobs), words_(words), topics_(std::move(topics)) {}

  void load();
  void set_standing(const std::vector<Alert>& alerts, std::optional<Wall> now);
  /// One that stays.
  void raise(const Alert& alert, std::optional<Wall> now);
  void clear_raised();
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  struct Shown {
    Alert alert;
    std::int64_t since = 0;  ///< 0: the box did not know the time
    bool stays = false;
    std::int64_t told = 0;  ///< when the broker could hear it; its day begins then
  };
  void show(const std::string& name);
  void save();

  BlobStore& blobs_;
  LastWords& words_;
  Topics topics_;
  std::map<std::string, Shown> shown_;
};

}  // namespace posthorn::fleet
