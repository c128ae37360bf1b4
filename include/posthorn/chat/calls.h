#pragma once

namespace posthorn::chat {

/// Calls that come in. They are told as events; a linked device cannot take them.
class Calls {
 public:
  virtual ~Calls() = default;

  /// Whether a call that comes in is rejected at once: the phone stops ringing too.
  virtual void reject_incoming(bool on) = 0;
};

}  // namespace posthorn::chat
