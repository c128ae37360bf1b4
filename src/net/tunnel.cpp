#include "net/tunnel.h"

#include <utility>

namespace posthorn::net {

Tunnel::Tunnel(Stream& stream, const Proxy& proxy, const std::string& host, std::uint16_t port,
               Once<void(Result<void>)> done)
    : done_(std::move(done)) {
  stream.start(*this);
  stream.write(to_bytes(build_connect(proxy, host, port)));
}

void Tunnel::on_data(ByteView data) {
  if (!done_) return;
  answer_ += as_text(data);
  const auto through = parse_connect_answer(answer_);
  if (!through) {
    done_(tl::unexpected(through.error()));
  } else if (*through) {
    // Who is connected to speaks only after us: bytes behind the answer would be the proxy's own.
    if (!answer_.ends_with("\r\n\r\n")) {
      done_(fail(Errc::malformed, "the proxy sent more than its answer"));
    } else {
      done_(Result<void>());
    }
  }
}

void Tunnel::on_closed(Error why) {
  if (done_) done_(fail(std::move(why), "proxy"));
}

}  // namespace posthorn::net
