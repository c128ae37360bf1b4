#pragma once

#include <string>

#include "posthorn/base/bytes.h"

namespace posthorn::chat {

/// How loud a voice note is along its way, for the bars that receivers draw: 64 samples 0 .. 100;
/// empty: not to be read, or of a constant rate, which tells nothing.
/// Opus spends more bytes on what is louder and fuller, and nearly none on silence: the sizes of
/// its packets are taken for it. Nothing is decoded, so that no decoder of strangers' sounds is
/// on the box; the bars rise where somebody speaks, their exact height is not the sound's.
/// path: an Ogg with Opus; blocks, for a Worker's thread. Source: RFC 3533 section 6, RFC 7845.
[[nodiscard]] Bytes opus_waveform(const std::string& path);

}  // namespace posthorn::chat
