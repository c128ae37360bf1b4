#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "posthorn/base/blob_store.h"
#include "posthorn/base/clock.h"
#include "posthorn/cloud/ledger.h"

namespace posthorn::cloud {

/// What holds the official number back, as a whole and for single people. It outlives restarts:
/// a box that was switched off and on must not write on where Meta has said to wait. Only what a
/// person must see to is asked anew at the next start.
class Standing {
 public:
  Standing(BlobStore& blobs, const Clock& clock);

  /// Until resume(). why: for people, without secrets.
  void stop(std::string why) { stopped_ = std::move(why); }
  void pause(hours time);
  /// Direct Send was refused to the account.
  void forgo_direct_send(hours time);
  /// Meta holds back what is sent to this person.
  void hold(const std::string& chat, hours time);
  /// Two names of one person: what holds `from` back holds `into`, as long.
  void on_joined(const std::string& from, const std::string& into);
  /// A person has seen to it: nothing is stopped or paused; people stay held.
  void resume();

  [[nodiscard]] const std::string& stopped_by() const { return stopped_; }
  /// Absent: it is not, or no more.
  [[nodiscard]] std::optional<Wall> paused_until() const;
  [[nodiscard]] bool direct_send() const { return !later(no_direct_send_until_); }
  [[nodiscard]] std::optional<Wall> held_until(const std::string& chat) const;
  [[nodiscard]] std::size_t held_people() const;

 private:
  [[nodiscard]] bool later(std::int64_t unix_seconds) const;
  [[nodiscard]] std::int64_t in(hours time) const;
  void hold_until(const std::string& chat, std::int64_t unix_seconds);
  void save();

  BlobStore& blobs_;
  const Clock& clock_;
  Ledger held_;  ///< by chatId: until when, unix seconds
  std::string stopped_;
  std::int64_t paused_until_ = 0, no_direct_send_until_ = 0;  ///< unix seconds
};

}  // namespace posthorn::cloud
