#pragma once

#include <array>
#include <string>

#include "posthorn/base/result.h"
#include "slots/slot_state.h"

namespace posthorn::slots {

/// The state in two copies on the boot partition. The first that is whole counts; the second is
/// written only when the first is on the card, so at every moment one of them is whole.
class SlotFiles {
 public:
  /// folder: the boot partition's, writable.
  explicit SlotFiles(const std::string& folder);

  /// Errors: not_found, neither copy can be read and is whole.
  [[nodiscard]] Result<SlotState> read() const;

  /// Writes in place, so that no metadata of the FAT changes. Does not write what is there already.
  /// Errors: io.
  [[nodiscard]] Result<void> write(const SlotState& state) const;

 private:
  std::array<std::string, 2> paths_;
};

}  // namespace posthorn::slots
