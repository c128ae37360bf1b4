#include "receipts/lexer.h"

#include <algorithm>

namespace posthorn::receipts {

namespace {

constexpr std::uint8_t kEsc = 0x1B;
constexpr std::uint8_t kGs = 0x1D;
constexpr std::uint8_t kFs = 0x1C;
constexpr std::uint8_t kDle = 0x10;
constexpr std::uint8_t kBlank = 0x20;

bool begins_command(Language language, bool star_raster, std::uint8_t byte) {
  if (language == Language::escpos) {
    return byte == kEsc || byte == kGs || byte == kFs || byte == kDle;
  }
  return byte == kEsc || (star_raster && (byte == 'b' || byte == 'k'));
}

}  // namespace

bool Token::is(std::initializer_list<std::uint8_t> name) const {
  return kind == Kind::command && head_size >= name.size() &&
         std::equal(name.begin(), name.end(), head.begin());
}

Lexer::Fed Lexer::feed(ByteView bytes) {
  if (state_ == State::between) {
    const Fed begun = begin(bytes);
    if (begun.ended || state_ == State::between) return begun;
    Fed more{begun.taken, false};
    if (more.taken < bytes.size()) {
      const Fed rest = feed(bytes.subspan(more.taken));
      more.taken += rest.taken;
      more.ended = rest.ended;
    }
    return more;
  }
  std::size_t taken = 0;
  while (taken < bytes.size()) {
    if (state_ == State::data) {
      const auto step = static_cast<std::size_t>(
          std::min<std::uint64_t>(left_, static_cast<std::uint64_t>(bytes.size() - taken)));
      taken += step;
      position_ += step;
      left_ -= step;
      if (left_ > 0) continue;
      if (groups_.count == 0 || next_group()) {
        on_whole();
        return {taken, true};
      }
      continue;
    }
    const auto byte = std::to_integer<std::uint8_t>(bytes[taken++]);
    ++position_;
    bool whole = false;
    if (state_ == State::head) {
      whole = on_head(byte);
    } else if (state_ == State::group_head) {
      whole = on_group_head(byte);
    } else {
      whole = byte == stop_ || --left_ == 0;
    }
    if (whole) {
      on_whole();
      return {taken, true};
    }
  }
  return {taken, false};
}

Lexer::Fed Lexer::begin(ByteView bytes) {
  token_ = {};
  token_.begin = position_;
  groups_ = {};
  const auto first = std::to_integer<std::uint8_t>(bytes.front());
  if (begins_command(language_, star_raster_, first)) {
    token_.kind = Token::Kind::command;
    state_ = State::head;
    ++position_;
    return {1, on_head(first) && (on_whole(), true)};
  }
  std::size_t size = 1;
  if (first >= kBlank && !star_raster_) {
    while (size < bytes.size() && std::to_integer<std::uint8_t>(bytes[size]) >= kBlank) ++size;
  } else {
    token_.kind = Token::Kind::control;
    token_.head[0] = first;
    token_.head_size = 1;
  }
  position_ += size;
  token_.end = token_.data = position_;
  return {size, true};
}

bool Lexer::on_head(std::uint8_t byte) {
  if (token_.head_size == Token::kHead) return true;
  token_.head[token_.head_size++] = byte;
  const std::span<const std::uint8_t> head(token_.head.data(), token_.head_size);
  return on_shape(language_ == Language::escpos ? shape_of_escpos(head) : shape_of_star(head));
}

bool Lexer::on_shape(const Shape& shape) {
  token_.data = position_;
  switch (shape.kind) {
    case Shape::Kind::more:
      return false;
    case Shape::Kind::data:
      left_ = shape.count;
      state_ = State::data;
      return left_ == 0;
    case Shape::Kind::until:
      stop_ = static_cast<std::uint8_t>(shape.count);
      left_ = Shape::kLongestUntil;
      state_ = State::until;
      return false;
    case Shape::Kind::groups:
      groups_ = shape;
      return shape.count == 0 || next_group();
  }
  return true;
}

/// True: there are no more.
bool Lexer::next_group() {
  if (groups_.count == 0) return true;
  --groups_.count;
  group_size_ = 0;
  state_ = State::group_head;
  return false;
}

bool Lexer::on_group_head(std::uint8_t byte) {
  group_[group_size_++] = byte;
  if (group_size_ < groups_.group_head) return false;
  left_ = groups_.group_head == 1
              ? group_[0] * groups_.unit
              : (group_[0] + 256ULL * group_[1]) * (group_[2] + 256ULL * group_[3]) * groups_.unit;
  state_ = State::data;
  return left_ == 0 && next_group();
}

void Lexer::on_whole() {
  token_.end = position_;
  state_ = State::between;
  if (language_ == Language::star && token_.is({kEsc, '*', 'r'})) {
    if (token_.at(3) == 'A') star_raster_ = true;
    if (token_.at(3) == 'B') star_raster_ = false;
  }
}

}  // namespace posthorn::receipts
