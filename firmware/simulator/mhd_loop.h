#pragma once

#include <microhttpd.h>

#include <memory>
#include <vector>

#include "posthorn/base/result.h"
#include "posthorn/loop/loop.h"

namespace posthorn {

/// A microhttpd of the stand-in, on the loop and 127.0.0.1 only.
class MhdLoop {
 public:
  explicit MhdLoop(loop::Loop& loop) : loop_(loop), timer_(loop) {}
  MhdLoop(const MhdLoop&) = delete;
  MhdLoop& operator=(const MhdLoop&) = delete;
  ~MhdLoop();

  /// port 0: any free one. options: microhttpd's beside address and end; what they point to
  /// outlives this. Errors: refused (port in use; `name` says whose).
  Result<void> start(unsigned flags, std::uint16_t port, MHD_AccessHandlerCallback on_request,
                     MHD_RequestCompletedCallback on_completed, void* self, const char* name,
                     std::vector<MHD_OptionItem> options = {});
  /// A connection was resumed: it is served in the next turn.
  void wake();

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void run();

  loop::Loop& loop_;
  MHD_Daemon* daemon_ = nullptr;
  std::uint16_t port_ = 0;
  std::unique_ptr<loop::Poll> poll_;
  Timer timer_;
};

}  // namespace posthorn
