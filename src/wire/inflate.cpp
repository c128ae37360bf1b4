#include "wire/inflate.h"

#include <zlib.h>

#include <algorithm>

namespace posthorn::wire {

namespace {

/// Owns zlib's state for one stream.
class Inflater {
 public:
  Inflater() : ready_(inflateInit(&stream_) == Z_OK) {}
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() {
    if (ready_) inflateEnd(&stream_);
  }
  [[nodiscard]] bool ready() const { return ready_; }
  [[nodiscard]] z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
  bool ready_;
};

}  // namespace

Result<Bytes> inflate_zlib(ByteView compressed, std::size_t limit_bytes) {
  Inflater inflater;
  if (!inflater.ready()) return fail(Errc::full, "zlib: no memory");
  z_stream& stream = inflater.stream();
  // zlib does not write through next_in; its type merely lacks const.
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());

  Bytes out(std::min(limit_bytes, std::max<std::size_t>(1024, compressed.size() * 4)));
  while (true) {
    stream.next_out = reinterpret_cast<Bytef*>(out.data()) + stream.total_out;
    stream.avail_out = static_cast<uInt>(out.size() - stream.total_out);
    const int status = inflate(&stream, Z_NO_FLUSH);
    if (status == Z_STREAM_END) break;
    if (status != Z_OK && status != Z_BUF_ERROR) return fail(Errc::malformed, "zlib: bad data");
    if (stream.avail_out != 0) return fail(Errc::malformed, "zlib: truncated");
    if (out.size() == limit_bytes) return fail(Errc::malformed, "zlib: inflates over the limit");
    out.resize(std::min(limit_bytes, out.size() * 2));
  }
  out.resize(stream.total_out);
  return out;
}

}  // namespace posthorn::wire
