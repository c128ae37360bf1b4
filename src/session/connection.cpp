#include "session/connection.h"

#include <tuple>
#include <utility>

#include "posthorn/base/log.h"

namespace posthorn::session {
namespace {

constexpr milliseconds kLinger{2'000};

}  // namespace

Connection::Connection(Scheduler& scheduler, Dialer& dialer, Random& random, const Clock& clock,
                       Handler& handler)
    : scheduler_(scheduler),
      dialer_(dialer),
      random_(random),
      clock_(clock),
      handler_(handler),
      handshake_timer_(scheduler),
      linger_timer_(scheduler) {}

Connection::~Connection() {
  *alive_ = false;
  ++generation_;
  dial_.reset();
}

void Connection::open(const Target& target, wire::ClientIdentity identity, Bytes routing_info) {
  if (channel_) close();
  ++generation_;
  wire::ClientChannelOptions options{target.request, std::move(identity), std::move(routing_info)};
  channel_ = std::make_unique<wire::ClientChannel>(std::move(options), random_);
  const auto mine = generation_;
  dial_ = dialer_.dial(target.endpoint,
                       [this, mine, alive = alive_](Result<std::unique_ptr<Stream>> stream) {
                         if (!*alive || mine != generation_)
                           return;  // the stream, if any, is dropped here
                         on_dialled(std::move(stream));
                       });
}

void Connection::on_dialled(Result<std::unique_ptr<Stream>> stream) {
  if (!stream) return lose(std::move(stream.error()));
  stream_ = std::move(*stream);
  const auto mine = generation_;
  handler_.on_dialled();
  if (mine != generation_) return;
  handshake_timer_.start(kHandshakeTimeout, [this] {
    lose({Errc::timeout, "the handshake did not end"});
  });
  stream_->start(*this);
  flush();
}

void Connection::on_data(ByteView data) {
  if (!channel_ || !stream_) return;
  const auto mine = generation_;
  const auto fed = channel_->feed(data, clock_.now());
  if (!open_ && channel_->handshake_done()) {
    open_ = true;
    handshake_timer_.stop();
    handler_.on_open(channel_->certificate());
    if (mine != generation_) return;
  }
  deliver();
  if (mine != generation_) return;
  flush();
  if (mine == generation_ && !fed) lose(fed.error());
}

void Connection::deliver() {
  const auto mine = generation_;
  while (auto node = channel_->next()) {
    if (*node) {
      handler_.on_stanza(std::move(**node));
    } else {
      log::warn("session", "stanza could not be decoded", {{"error", node->error()}});
    }
    if (mine != generation_) return;
  }
}

void Connection::on_closed(Error why) { lose(std::move(why)); }

void Connection::write(const wire::Node& stanza) {
  if (!open_ || breaking_off_) return;
  if (const auto queued = channel_->send(stanza); !queued) {
    log::warn("session", "stanza could not be sent",
              {{"tag", stanza.tag}, {"error", queued.error()}});
    return;
  }
  flush_later();
}

void Connection::flush_later() {
  if (flush_pending_) return;
  flush_pending_ = true;
  scheduler_.post([this, alive = alive_] {
    if (!*alive) return;
    flush_pending_ = false;
    flush();
  });
}

void Connection::flush() {
  if (!stream_ || !channel_) return;
  Bytes out = channel_->take_output();
  if (out.empty()) return;
  stream_->write(std::move(out));
  if (stream_->unsent() > kMostUnsent)
    break_off({Errc::disconnected, "WhatsApp stopped reading what the box sends"});
}

void Connection::pause_reading(bool paused) {
  if (stream_) stream_->pause_reading(paused);
}

void Connection::break_off(Error why) {
  if (!channel_) return;
  // Whoever breaks off has lost something: what would say otherwise must not leave any more.
  breaking_off_ = true;
  scheduler_.post([this, alive = alive_, mine = generation_, why = std::move(why)]() mutable {
    if (*alive && mine == generation_) lose(std::move(why));
  });
}

void Connection::close() {
  if (stream_ && channel_) {
    channel_->close();
    if (Bytes out = channel_->take_output(); !out.empty()) stream_->write(std::move(out));
  }
  ++generation_;
  retire_stream();
}

void Connection::lose(Error why) {
  ++generation_;
  retire_stream();
  handler_.on_lost(std::move(why));
}

void Connection::retire_stream() {
  open_ = false;
  breaking_off_ = false;
  handshake_timer_.stop();
  // Both may be on the call stack below us: they go in a later turn. The stream lingers, because a
  // stream that is dropped at once does not send what it still holds.
  if (stream_) stream_->close();
  std::unique_ptr<Stream> earlier = std::exchange(lingering_, std::move(stream_));
  linger_timer_.start(kLinger, [this] { lingering_.reset(); });
  auto retired = std::make_tuple(std::move(earlier), std::move(channel_), std::move(dial_));
  scheduler_.post([retired = std::move(retired)] {});
}

}  // namespace posthorn::session
