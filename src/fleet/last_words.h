#pragma once

#include <map>
#include <string>

#include "fleet/outlet.h"

namespace posthorn::fleet {

/// Retained topics: what each says last. Told again after every connection, since the broker may
/// have lost it, or never got it.
class LastWords {
 public:
  explicit LastWords(Outlet& outlet) : outlet_(outlet) {}

  /// Publishes when it is new. Empty payload: the topic is cleared, and forgotten here once the
  /// broker has taken that.
  void say(const std::string& topic, const std::string& payload);
  /// The same without publishing: say_all() will.
  void keep(const std::string& topic, const std::string& payload) { words_[topic] = payload; }
  void say_all();
  [[nodiscard]] bool heard() const { return outlet_.connected(); }
  [[nodiscard]] const std::map<std::string, std::string>& words() const { return words_; }

 private:
  void publish(const std::string& topic);

  Outlet& outlet_;
  std::map<std::string, std::string> words_;
};

}  // namespace posthorn::fleet
