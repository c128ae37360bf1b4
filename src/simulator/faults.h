#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "posthorn/base/random.h"
#include "posthorn/simulator/fault.h"
#include "posthorn/wire/node.h"

namespace posthorn::simulator {

class Directory;
struct Device;

/// The rules in force, in the order they were added.
class FaultTable {
 public:
  FaultTable(Random& random, const Directory& directory) : random_(random), directory_(directory) {}

  std::uint64_t add(Fault fault);
  bool remove(std::uint64_t id);
  void clear() { rules_.clear(); }

  /// The first rule that acts on this stanza now; counts it. device: nullptr before login.
  [[nodiscard]] std::optional<Fault> match(Fault::Where where, const Device* device,
                                           const wire::Node& node);

  struct Rule {
    std::uint64_t id = 0;
    Fault fault;
    std::uint64_t matched = 0;
    std::uint64_t acted = 0;
  };
  [[nodiscard]] const std::vector<Rule>& rules() const { return rules_; }

 private:
  [[nodiscard]] bool applies(const Fault& fault, const Device* device,
                             const wire::Node& node) const;

  Random& random_;
  const Directory& directory_;
  std::uint64_t next_id_ = 1;
  std::vector<Rule> rules_;
};

[[nodiscard]] std::string_view name_of(Fault::Where where);
[[nodiscard]] std::string_view name_of(Fault::Action action);

}  // namespace posthorn::simulator
