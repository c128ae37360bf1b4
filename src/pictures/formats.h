#pragma once

#include <cstdio>
#include <memory>

#include "posthorn/pictures/thumbnail.h"

namespace posthorn::pictures {

struct FileClose {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileClose>;

// Each from the file's beginning. Errors: as make_thumbnail().
[[nodiscard]] Result<Thumbnail> read_jpeg(std::FILE* file);
[[nodiscard]] Result<Thumbnail> read_png(std::FILE* file);
[[nodiscard]] Result<Thumbnail> read_webp(std::FILE* file);

}  // namespace posthorn::pictures
