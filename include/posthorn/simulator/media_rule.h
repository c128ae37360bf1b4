#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace posthorn::simulator {

/// What the media host does wrong, for a number of requests.
struct MediaRule {
  enum class On : std::uint8_t { upload, download } on = On::download;
  int skip = 0;
  int count = 1;                           ///< 0: for ever
  int status = 0;                          ///< answers with it; 0: as usual
  std::optional<std::uint64_t> cut_after;  ///< the connection breaks after so many bytes
  bool corrupt = false;                    ///< one bit in the middle of the bytes is wrong
};

}  // namespace posthorn::simulator
