#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "posthorn/base/bytes.h"

namespace posthorn::receipts {

/// What a till speaks to its printer.
enum class Language : std::uint8_t {
  escpos,  ///< ESC/POS: Epson and those who speak as it
  star,    ///< Star Line Mode, StarPRNT and Star raster
};

/// One piece of a print job.
struct Token {
  enum class Kind : std::uint8_t {
    text,     ///< one or more bytes to print, 0x20 .. 0xFF
    control,  ///< one byte below 0x20 that begins no command
    command,
  };
  static constexpr std::size_t kHead = 16;

  Kind kind = Kind::text;
  std::uint64_t begin = 0, end = 0;  ///< offsets in all that was fed
  std::uint64_t data = 0;  ///< of a command: where its data begins, `end` when it has none
  std::array<std::uint8_t, kHead> head{};  ///< of a command: its name and parameters
  std::size_t head_size = 0;

  [[nodiscard]] std::uint8_t at(std::size_t i) const { return i < head_size ? head[i] : 0; }
  /// Whether the command begins so.
  [[nodiscard]] bool is(std::initializer_list<std::uint8_t> name) const;
};

/// How a command goes on, by the bytes of it that are known.
struct Shape {
  enum class Kind : std::uint8_t {
    more,    ///< at least one parameter is missing
    data,    ///< parameters are whole; `count` bytes of data follow
    until,   ///< data until the byte `count`, which belongs to it, at most kLongestUntil
    groups,  ///< `count` groups: a header of `group_head` bytes, then its data
  };
  static constexpr std::uint64_t kLongestUntil = 256;

  Kind kind = Kind::data;
  std::uint64_t count = 0;
  std::size_t group_head = 0;  ///< 1: x, data x * unit; 4: xL xH yL yH, data x * y * unit
  std::uint64_t unit = 1;
};
/// head: ESC, GS, FS or DLE and what came after it, 1 .. Token::kHead bytes. Unknown commands have
/// two bytes. Sources: Epson's and Star's public command references, and the table of section 3 of
/// the research on printers, read Nov 2026.
[[nodiscard]] Shape shape_of_escpos(std::span<const std::uint8_t> head);
[[nodiscard]] Shape shape_of_star(std::span<const std::uint8_t> head);

/// Cuts a stream of bytes into tokens, each command with its exact length, wherever the stream is
/// cut into pieces. What it keeps is some dozen bytes, whatever comes.
class Lexer {
 public:
  explicit Lexer(Language language) : language_(language) {}

  struct Fed {
    std::size_t taken = 0;  ///< at least 1 of what was given
    bool ended = false;     ///< token() is whole; else more is needed
  };
  /// bytes: not empty. Text ends with the piece it came in, so it is in as many tokens as pieces.
  Fed feed(ByteView bytes);
  [[nodiscard]] const Token& token() const { return token_; }
  /// In the middle of a command: its name and parameters so far are in token().
  [[nodiscard]] bool inside() const { return state_ != State::between; }
  /// In its name or parameters, not in its data.
  [[nodiscard]] bool in_head() const { return state_ == State::head; }
  [[nodiscard]] Language language() const { return language_; }
  [[nodiscard]] std::uint64_t position() const { return position_; }

 private:
  enum class State : std::uint8_t { between, head, data, until, group_head };

  [[nodiscard]] Fed begin(ByteView bytes);
  /// True: the token is whole.
  [[nodiscard]] bool on_shape(const Shape& shape);
  [[nodiscard]] bool next_group();
  [[nodiscard]] bool on_head(std::uint8_t byte);
  [[nodiscard]] bool on_group_head(std::uint8_t byte);
  void on_whole();

  Language language_;
  State state_ = State::between;
  Token token_;
  std::uint64_t position_ = 0;
  std::uint64_t left_ = 0;  ///< of the data, or of the bytes that may still come before `stop_`
  std::uint8_t stop_ = 0;
  Shape groups_;
  std::array<std::uint8_t, 4> group_{};
  std::size_t group_size_ = 0;
  bool star_raster_ = false;
};

}  // namespace posthorn::receipts
