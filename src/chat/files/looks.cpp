#include "chat/files/looks.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

#include "chat/files/opus_waveform.h"
#include "posthorn/pictures/thumbnail.h"

namespace posthorn::chat {
namespace {

struct FileClose {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

bool is_worth_it(const content::File& file) {
  using Kind = content::File::Kind;
  return file.kind == Kind::image || file.kind == Kind::voice;
}

content::File read_looks(content::File file, const std::string& path) {
  if (file.kind == content::File::Kind::voice) {
    file.seconds = opus_seconds(path);
    file.waveform = opus_waveform(path);
    return file;
  }
  auto thumbnail = pictures::make_thumbnail(path);
  if (!thumbnail) return file;
  file.width = thumbnail->width;
  file.height = thumbnail->height;
  file.thumbnail = std::move(thumbnail->jpeg);
  return file;
}

}  // namespace

std::uint32_t opus_seconds(const std::string& path) {
  constexpr long kLastPages = 128L << 10;  // a page has at most 65,307 bytes
  constexpr std::uint64_t kRate = 48'000;  // of positions, whatever the sound's own
  constexpr std::size_t kPosition = 6;
  const std::unique_ptr<std::FILE, FileClose> file(std::fopen(path.c_str(), "rbe"));
  if (!file || std::fseek(file.get(), 0, SEEK_END) != 0) return 0;
  const long size = std::ftell(file.get());
  if (size < 0 || std::fseek(file.get(), std::max(0L, size - kLastPages), SEEK_SET) != 0) return 0;
  std::string tail(static_cast<std::size_t>(std::min(size, kLastPages)), '\0');
  tail.resize(std::fread(tail.data(), 1, tail.size(), file.get()));
  const std::size_t page = tail.rfind("OggS");
  if (page == std::string::npos || page + kPosition + 8 > tail.size()) return 0;
  std::uint64_t position = 0;
  for (std::size_t i = 8; i-- > 0;) {
    position = position << 8U | static_cast<unsigned char>(tail[page + kPosition + i]);
  }
  const std::uint64_t seconds = position / kRate;
  return seconds < 86'400 ? static_cast<std::uint32_t>(std::max<std::uint64_t>(seconds, 1)) : 0;
}

void Looks::complete(content::File file, Once<void(content::File)> done) {
  const auto path = context_.outside.store.path_of(file.ref);
  if (!is_worth_it(file) || !path || !file.thumbnail.empty()) return done(std::move(file));
  if (last_.ref == file.ref && last_.kind == file.kind) {
    file.thumbnail = last_.thumbnail;
    file.width = last_.width;
    file.height = last_.height;
    file.seconds = last_.seconds;
    file.waveform = last_.waveform;
    return done(std::move(file));
  }
  run_on<content::File>(
      context_.outside.worker,
      [file = std::move(file), path = *path]() mutable {
        return read_looks(std::move(file), path);
      },
      [self = alive_.weak(), done = std::move(done)](content::File looked) mutable {
        if (Looks* me = self.get()) me->last_ = looked;
        done(std::move(looked));
      });
}

}  // namespace posthorn::chat
