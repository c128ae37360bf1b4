#pragma once

#include <string>

#include "fleet/box_view.h"
#include "posthorn/base/alive.h"
#include "posthorn/base/blob_store.h"
#include "posthorn/fleet/broker.h"

namespace posthorn::fleet {

/// Who in the fleet wants nothing sent: everybody's switch (all/pause, retained) or this box's
/// (pauseSending). Kept on disk and said to the daemon again after each of its starts, which forget
/// a pause. A pause that somebody made at the box is not ended from here.
class Pause {
 public:
  Pause(BlobStore& blobs, BoxApi& box) : blobs_(blobs), box_(box) {}

  void load();
  /// {"pause":true,"by":"…"} or {"pause":false}; empty, when it comes live: false. Anything else is
  /// not understood, and changes nothing: false.
  bool on_all(const Incoming& message);
  void set_own(bool paused, const std::string& by);
  [[nodiscard]] bool wanted() const { return all_ || own_; }
  [[nodiscard]] bool of_all() const { return all_; }
  /// Nobody of the fleet wants it any more: said to the daemon at once, whatever the last look saw.
  void forget();
  /// After a look at the box: makes it so.
  void keep(const BoxState& box);

 private:
  void save();
  void ask(bool paused);

  BlobStore& blobs_;
  BoxApi& box_;
  bool all_ = false;
  bool own_ = false;
  bool asking_ = false;
  bool made_ = false;  ///< the box is paused because of us
  std::string by_;
  std::int64_t all_at_ = 0;  ///< the centre's own number of the last word to all
  Alive<Pause> alive_{this};
};

}  // namespace posthorn::fleet
