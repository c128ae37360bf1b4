#include "api/web_socket.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "posthorn/base/bytes.h"
#include "posthorn/base/crypto.h"

namespace posthorn::api {

namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

// Source: RFC 6455 sections 5.2 and 7.4.1.
constexpr unsigned kFinal = 0x80;
constexpr unsigned kMasked = 0x80;
constexpr unsigned kText = 0x1;
constexpr unsigned kClose = 0x8;
constexpr unsigned kPing = 0x9;
constexpr unsigned kPong = 0xA;
constexpr unsigned kTwoBytes = 126;
constexpr unsigned kEightBytes = 127;
constexpr std::size_t kMaskBytes = 4;
constexpr std::size_t kControlMost = 125;
constexpr std::uint16_t kNormal = 1000;
constexpr std::uint16_t kWrong = 1002;
constexpr std::uint16_t kTooLong = 1009;

unsigned byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

std::string frame(unsigned opcode, std::string_view payload) {
  std::string out(1, static_cast<char>(kFinal | opcode));
  const std::size_t size = payload.size();
  if (size < kTwoBytes) {
    out.push_back(static_cast<char>(size));
  } else {
    const bool two = size <= 0xFFFF;
    out.push_back(static_cast<char>(two ? kTwoBytes : kEightBytes));
    for (int shift = two ? 8 : 56; shift >= 0; shift -= 8) {
      out.push_back(static_cast<char>((static_cast<std::uint64_t>(size) >> shift) & 0xFF));
    }
  }
  return out.append(payload);
}

}  // namespace

std::string web_socket_accept(std::string_view key) {
  const std::string text = std::string(key).append(kGuid);
  return base64_encode(crypto::sha1(as_bytes(text)));
}

std::string WebSocketFrames::text(std::string_view payload) { return frame(kText, payload); }

std::string WebSocketFrames::close(std::uint16_t code) {
  const std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
  return frame(kClose, payload);
}

bool WebSocketFrames::feed(std::string_view bytes, std::string& out) {
  in_.append(bytes);
  while (in_.size() >= 2) {
    std::size_t head = 2;
    std::size_t size = byte_at(in_, 1) & ~kMasked;
    if (size == kEightBytes) {
      out += close(kTooLong);
      return false;
    }
    if (size == kTwoBytes) {
      head += 2;
      if (in_.size() < head) return true;
      size = byte_at(in_, 2) << 8U | byte_at(in_, 3);
    }
    if (size > kMost || (byte_at(in_, 1) & kMasked) == 0) {
      out += close(size > kMost ? kTooLong : kWrong);
      return false;
    }
    if (in_.size() < head + kMaskBytes + size) return true;
    std::string payload = in_.substr(head + kMaskBytes, size);
    for (std::size_t i = 0; i < size; ++i) {
      payload[i] = static_cast<char>(byte_at(payload, i) ^ byte_at(in_, head + i % kMaskBytes));
    }
    const auto opcode = static_cast<std::uint8_t>(byte_at(in_, 0) & 0xF);
    in_.erase(0, head + kMaskBytes + size);
    if (!take(opcode, payload, out)) return false;
  }
  return true;
}

bool WebSocketFrames::take(std::uint8_t opcode, std::string_view payload, std::string& out) {
  if (opcode == kClose) {
    out += close(kNormal);
    return false;
  }
  if (opcode == kPing) out += frame(kPong, payload.substr(0, kControlMost));
  return true;
}

MhdWebSocket::MhdWebSocket(loop::Loop& loop, MHD_socket socket, MHD_UpgradeResponseHandle* handle,
                           std::function<void()> ended)
    : socket_(socket),
      handle_(handle),
      ended_(std::move(ended)),
      poll_(std::make_unique<loop::Poll>(loop, socket, loop::Poll::readable,
                                         [this](int events) { on_ready(events); })) {}

void MhdWebSocket::begin(std::string_view already_read) {
  if (!frames_.feed(already_read, out_)) closing_ = true;
  write();
}

void MhdWebSocket::send(std::string_view text) {
  if (!is_open()) return;
  out_ += WebSocketFrames::text(text);
  write();
}

void MhdWebSocket::close() {
  if (!is_open()) return;
  out_ += WebSocketFrames::close(kNormal);
  closing_ = true;
  write();
}

void MhdWebSocket::end() {
  if (handle_ == nullptr) return;
  poll_.reset();
  MHD_upgrade_action(std::exchange(handle_, nullptr), MHD_UPGRADE_ACTION_CLOSE);
  if (auto ended = std::exchange(ended_, {})) ended();
}

void MhdWebSocket::on_ready(int events) {
  const auto self = alive_.weak();
  if ((events & loop::Poll::readable) != 0) read();
  if (self.get() != nullptr && (events & loop::Poll::writable) != 0) write();
}

void MhdWebSocket::read() {
  std::array<char, WebSocketFrames::kMost> piece{};
  const ssize_t got = ::recv(socket_, piece.data(), piece.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return end();
  if (!frames_.feed({piece.data(), static_cast<std::size_t>(got)}, out_)) closing_ = true;
  write();
}

void MhdWebSocket::write() {
  while (handle_ != nullptr && !out_.empty()) {
    const ssize_t sent = ::send(socket_, out_.data(), out_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN && out_.size() <= kUnsentMost) {
      return poll_->watch(loop::Poll::readable | loop::Poll::writable);
    }
    if (sent <= 0) return end();
    out_.erase(0, static_cast<std::size_t>(sent));
  }
  if (handle_ == nullptr) return;
  if (closing_) return end();
  poll_->watch(loop::Poll::readable);
}

}  // namespace posthorn::api
