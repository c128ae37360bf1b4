#include "simulator/connection.h"

#include <utility>

#include "posthorn/base/log.h"
#include "posthorn/wire/names.h"
#include "simulator/stanzas.h"
#include "simulator/world.h"

namespace posthorn::simulator {

namespace names = wire::names;
using wire::Node;
using Direction = JournalEntry::Direction;

namespace {

/// How long a client has to answer our Close.
constexpr milliseconds kLastWords{500};

/// Where the 3-byte frame length stands in a lone WebSocket message of a server.
std::size_t frame_at(const Bytes& message) {
  const auto length = std::to_integer<unsigned>(message[1]);
  return length < 126 ? 2 : length == 126 ? 4 : 10;
}

Node stream_error(const Fault& fault) {
  Node error(names::kStreamError);
  if (fault.code != 0) error.set_attr("code", std::to_string(fault.code));
  if (fault.text == "replaced" || fault.text == "device_removed") {
    error.content = std::vector{Node(names::kConflict, {{"type", fault.text}})};
  } else if (!fault.text.empty()) {
    error.content = std::vector{Node(fault.text)};
  }
  return error;
}

Node without_prekeys(Node answer) {
  for (auto& list : answer.mutable_children()) {
    for (auto& user : list.mutable_children()) {
      std::erase_if(user.mutable_children(),
                    [](const Node& child) { return child.tag == names::kKey; });
    }
  }
  return answer;
}

Node with_bad_signature(Node answer) {
  for (auto& list : answer.mutable_children()) {
    for (auto& user : list.mutable_children()) {
      for (auto& child : user.mutable_children()) {
        if (child.tag != names::kSkey) continue;
        for (auto& part : child.mutable_children()) {
          auto* bytes = std::get_if<Bytes>(&part.content);
          if (part.tag == names::kSignature && bytes != nullptr && !bytes->empty()) {
            bytes->front() ^= std::byte{1};
          }
        }
      }
    }
  }
  return answer;
}

}  // namespace

Connection::Connection(World& world, std::uint64_t id, std::unique_ptr<Stream> stream)
    : world_(world),
      id_(id),
      stream_(std::move(stream)),
      channel_({.path = "/ws/chat", .identity = world.identity()}, world.random),
      silence_(world.scheduler) {
  channel_.set_framing(world.options.framing);
  stream_->start(*this);
  watch_silence();
}

void Connection::begin_login(Device& device) {
  phase_ = Phase::logged_in;
  device_ = &device;
}

void Connection::watch_silence() {
  silence_.start(world_.options.silence_limit, [this] {
    log::info("simulator", "connection silent for too long", {{"connection", id_}});
    abort();
  });
}

void Connection::on_data(ByteView data) {
  if (phase_ == Phase::ended) return on_data_after_end(data);
  if (deaf_) return;
  watch_silence();
  const bool before = channel_.handshake_done();
  const auto fed = channel_.feed(data);
  flush();
  if (!before && channel_.handshake_done()) world_.on_payload(*this, channel_.client_payload());
  while (phase_ != Phase::ended && !deaf_) {
    auto next = channel_.next();
    if (!next) break;
    if (*next) {
      on_node(**next);
    } else {
      world_.violation(*this, "stanza: " + next->error().detail);
    }
  }
  if (!fed && phase_ != Phase::ended) {
    if (fed.error().code != Errc::disconnected) world_.violation(*this, fed.error().detail);
    flush();
    if (stream_) stream_->close();
    finish();
  }
}

void Connection::on_closed(Error) {
  if (phase_ == Phase::ended) return world_.retire(id_);
  finish();
}

void Connection::on_data_after_end(ByteView data) {
  const auto fed = channel_.feed(data);
  while (channel_.next()) {
  }
  if (fed || !stream_) return;
  stream_->close();  // the client's Close has come
  silence_.stop();
  world_.retire(id_);
}

void Connection::on_node(const Node& node) {
  world_.note(Direction::in, id_, device_, node);
  if (const auto fault = world_.faults.match(Fault::Where::in, device_, node)) {
    act_in(*fault, node);
  } else {
    handle(node);
  }
}

void Connection::handle(const Node& node) {
  if (node.tag == names::kXmlstreamend) return end();
  world_.on_stanza(*this, node);
}

/// What a rule does in the same way with what comes and what goes; false: it is another's.
bool Connection::act(const Fault& fault, const Node& node, Pass pass) {
  switch (fault.action) {
    case Fault::Action::lose:
      return true;
    case Fault::Action::delay:
      world_.later(fault.after, [&world = world_, id = id_, node, pass] {
        Connection* self = world.connection(id);
        if (self != nullptr && self->phase_ != Phase::ended) (self->*pass)(node);
      });
      return true;
    case Fault::Action::duplicate:
      (this->*pass)(node);
      (this->*pass)(node);
      return true;
    case Fault::Action::close:
      abort();
      return true;
    case Fault::Action::close_after:
      (this->*pass)(node);
      abort();
      return true;
    case Fault::Action::stream_error:
      end(stream_error(fault));
      return true;
    case Fault::Action::deaf:
      go_deaf();
      return true;
    default:
      return false;
  }
}

void Connection::act_in(const Fault& fault, const Node& node) {
  if (act(fault, node, &Connection::handle)) return;
  switch (fault.action) {
    case Fault::Action::error:
      return answer_error(fault, node);
    case Fault::Action::answer:
      return deliver(iq_result(node, fault.answer));
    default:
      break;  // the others concern what we send; a rule "in" with them lets the stanza pass
  }
  handle(node);
}

void Connection::answer_error(const Fault& fault, const Node& node) {
  const std::string code = std::to_string(fault.code);
  if (node.tag == names::kMessage) {
    Node ack(names::kAck, {{"class", names::kMessage}, {"id", node.text_attr("id")}});
    if (const auto to = node.jid_attr("to")) ack.set_attr("from", *to);
    ack.set_attr("t", world_.now_text());
    ack.set_attr("error", code);
    return deliver(ack);
  }
  Node error(names::kError, {{"code", code}, {"text", fault.text.empty() ? "error" : fault.text}});
  if (fault.backoff != 0) error.set_attr("backoff", std::to_string(fault.backoff));
  deliver(Node(names::kIq,
               {{"type", "error"}, {"id", node.text_attr("id")}, {"from", "s.whatsapp.net"}},
               std::vector{error}));
}

void Connection::deliver(const Node& stanza) {
  if (phase_ == Phase::ended || deaf_) return;
  if (const auto fault = world_.faults.match(Fault::Where::out, device_, stanza)) {
    act_out(*fault, stanza);
  } else {
    write(stanza);
  }
}

void Connection::act_out(const Fault& fault, const Node& node) {
  if (act(fault, node, &Connection::write)) return;
  switch (fault.action) {
    case Fault::Action::swap:
      swapped_ = node;
      return;
    case Fault::Action::cut:
    case Fault::Action::corrupt:
    case Fault::Action::length:
    case Fault::Action::truncate:
    case Fault::Action::garbage:
    case Fault::Action::bad_deflate:
      return write_damaged(fault, node);
    case Fault::Action::trickle:
      trickle_every_ = std::max(fault.after, milliseconds(1));
      return write(node);
    case Fault::Action::bad_skey:
      return write(with_bad_signature(node));
    case Fault::Action::no_prekey:
      return write(without_prekeys(node));
    default:
      break;  // the others answer what a client sent
  }
  write(node);
}

void Connection::write(const Node& node) {
  world_.note(Direction::out, id_, device_, node);
  const auto sent = channel_.send(
      node, world_.options.compress ? wire::Compression::zlib : wire::Compression::none);
  if (!sent) log::warn("simulator", "stanza not sent", {{"why", sent.error()}});
  if (swapped_) {
    const Node held = *std::exchange(swapped_, std::nullopt);
    write(held);
  }
  flush();
}

void Connection::write_plaintext(ByteView plaintext) {
  const auto sent = channel_.send_plaintext(plaintext);
  if (!sent) log::warn("simulator", "frame not sent", {{"why", sent.error()}});
  flush();
}

void Connection::write_damaged(const Fault& fault, const Node& node) {
  flush();
  world_.note(Direction::out, id_, device_, node);
  auto plaintext = wire::encode_frame(node);
  if (!plaintext) return;
  if (fault.action == Fault::Action::truncate) {
    return write_plaintext(ByteView(*plaintext).first(plaintext->size() - 1));
  }
  if (fault.action == Fault::Action::garbage) {
    const Bytes unknown_token{std::byte{0}, std::byte{0xF8}, std::byte{1}, std::byte{0xF0}};
    return write_plaintext(unknown_token);
  }
  if (fault.action == Fault::Action::bad_deflate) {
    plaintext->front() = std::byte{2};
    return write_plaintext(*plaintext);
  }
  if (!channel_.send_plaintext(*plaintext)) return;
  Bytes bytes = channel_.take_output();
  if (fault.action == Fault::Action::cut) {
    bytes.resize(std::min(bytes.size(), fault.bytes));
    output(std::move(bytes));
    if (stream_) stream_->close();
    return finish();
  }
  if (fault.action == Fault::Action::corrupt) bytes.back() ^= std::byte{0x40};
  if (fault.action == Fault::Action::length) {
    const std::size_t at = frame_at(bytes);
    for (std::size_t i = 0; i < 3; ++i)
      bytes[at + i] = static_cast<std::byte>(fault.bytes >> (16 - 8 * i));
  }
  output(std::move(bytes));
}

void Connection::flush() { output(channel_.take_output()); }

void Connection::output(Bytes bytes) {
  if (bytes.empty() || !stream_ || phase_ == Phase::ended) return;
  if (trickle_every_ == milliseconds(0)) return stream_->write(std::move(bytes));
  const bool idle = trickled_.empty();
  append(trickled_, bytes);
  if (idle) trickle();
}

void Connection::trickle() {
  if (trickled_.empty() || !stream_) return;
  stream_->write(Bytes{trickled_.front()});
  trickled_.erase(trickled_.begin());
  world_.later(trickle_every_, [&world = world_, id = id_] {
    Connection* self = world.connection(id);
    if (self != nullptr) self->trickle();
  });
}

void Connection::end(const Node& last) {
  if (phase_ == Phase::ended) return;
  write(last);
  end();
}

void Connection::end() {
  if (phase_ == Phase::ended) return;
  write(Node(names::kXmlstreamend));
  if (phase_ == Phase::ended) return;  // a fault broke the line
  channel_.close();
  flush();
  world_.on_gone(*this);
  phase_ = Phase::ended;
  // Closing TCP while the client still sends would reset it, and our last words would be lost.
  silence_.start(kLastWords, [this] {
    if (stream_) stream_->close();
    world_.retire(id_);
  });
}

void Connection::abort() {
  stream_.reset();
  finish();
}

void Connection::finish() {
  if (phase_ == Phase::ended) return;
  world_.on_gone(*this);
  phase_ = Phase::ended;
  silence_.stop();
  world_.retire(id_);
}

}  // namespace posthorn::simulator
