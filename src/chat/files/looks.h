#pragma once

#include <string>

#include "chat/files/outside.h"

namespace posthorn::chat {

/// What a message says of a file beside where it lies: thumbnail and size of a picture, length and
/// waveform of a voice note. Read out of the file when the message is made, on the Worker; what
/// cannot be read is left out, since everything works without it.
class Looks {
 public:
  explicit Looks(const FilesContext& context) : context_(context) {}

  /// done: the same file with what could be read of it.
  void complete(content::File file, Once<void(content::File)> done);

 private:
  const FilesContext& context_;
  content::File last_;  ///< one file for many customers is looked at once
  Alive<Looks> alive_{this};
};

/// Of an Ogg with Opus, by the position that its last page names; 0: not to be read.
[[nodiscard]] std::uint32_t opus_seconds(const std::string& path);

}  // namespace posthorn::chat
