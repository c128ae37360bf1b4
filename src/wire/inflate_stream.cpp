#include "posthorn/wire/inflate_stream.h"

#include <zlib.h>

#include <array>

namespace posthorn::wire {

struct InflateStream::State {
  z_stream stream{};
  bool ready = false;
  bool ended = false;
  std::array<std::byte, 32768> out;
};

InflateStream::InflateStream() : state_(std::make_unique<State>()) {
  state_->ready = inflateInit(&state_->stream) == Z_OK;
}

InflateStream::~InflateStream() {
  if (state_->ready) inflateEnd(&state_->stream);
}

bool InflateStream::ended() const { return state_->ended; }

Result<void> InflateStream::add(ByteView piece, std::uint64_t most, const Out& out) {
  State& state = *state_;
  if (!state.ready) return fail(Errc::full, "zlib: no memory");
  // zlib does not write through next_in; its type merely lacks const.
  state.stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(piece.data()));
  state.stream.avail_in = static_cast<uInt>(piece.size());
  while (!state.ended) {
    state.stream.next_out = reinterpret_cast<Bytef*>(state.out.data());
    state.stream.avail_out = static_cast<uInt>(state.out.size());
    const int status = inflate(&state.stream, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
      return fail(Errc::malformed, "zlib: bad data");
    }
    const std::size_t made = state.out.size() - state.stream.avail_out;
    if (state.stream.total_out > most) return fail(Errc::full, "zlib: inflates over the limit");
    if (made > 0) {
      TRY(out(ByteView(state.out).first(made)));
    }
    state.ended = status == Z_STREAM_END;
    if (state.stream.avail_out != 0) return {};
  }
  return {};
}

}  // namespace posthorn::wire
