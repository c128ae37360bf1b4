#pragma once

#include <cstdint>
#include <string>

#include "posthorn/base/bytes.h"
#include "posthorn/base/result.h"

/// Small pictures of large ones, for messages that show one before the file is fetched.
namespace posthorn::pictures {

struct Thumbnail {
  std::uint32_t width = 0, height = 0;  ///< of the original
  Bytes jpeg;                           ///< baseline, longest edge 100 pixels, below 10 KB
};

/// Reads a JPEG, PNG or WebP at a reduced scale, with 16 MiB of memory and a bounded time whatever
/// the file says of itself. Slow: for a Worker's thread.
/// Errors: unsupported (another format, or one that needs more memory or time: a very large
/// progressive JPEG or one of many scans, an interlaced PNG, a very large PNG or WebP), malformed,
/// io.
[[nodiscard]] Result<Thumbnail> make_thumbnail(const std::string& path);
/// The same of a file that is in memory.
[[nodiscard]] Result<Thumbnail> make_thumbnail(ByteView bytes);

}  // namespace posthorn::pictures
