#pragma once

#include <map>
#include <string>

#include "posthorn/simulator/simulator.h"
#include "simulator/directory.h"

namespace posthorn::simulator {

class World;

/// Calls as the server sees them: who rings where, and how it ends. No sound is carried. Chapter 12
/// section 5.
class Calls {
 public:
  explicit Calls(World& world) : world_(world) {}

  Result<std::string> ring(Account& from, Account& to, bool video);
  Result<void> end(std::string_view call_id, Simulator::CallEnd end);
  /// A <call> of a client: only rejections are known.
  void on_call(Device& from, const wire::Node& call);

 private:
  struct Ringing {
    std::string caller, called;  ///< phone digits
    bool over = false;
  };
  void tell(Account& account, const Account& about, const std::string& call_id,
            const Account& creator, wire::Node what, const Device* but = nullptr);

  World& world_;
  std::map<std::string, Ringing, std::less<>> calls_;
};

}  // namespace posthorn::simulator
