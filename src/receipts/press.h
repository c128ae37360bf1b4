#pragma once

#include <optional>
#include <string>
#include <vector>

#include "receipts/bitmap.h"
#include "receipts/code_page.h"
#include "receipts/codes.h"
#include "receipts/wide_reader.h"

namespace posthorn::receipts {

/// Dots that came with a job.
struct Picture {
  std::size_t width = 0, height = 0;
  std::vector<bool> dots;  ///< row by row; true is black

  [[nodiscard]] bool at(std::size_t x, std::size_t y) const { return dots[y * width + x]; }
};

/// What a printer makes of commands: dots on paper, and the same as lines of text. It knows
/// letters, lines and pictures, and no command language.
class Press {
 public:
  enum class Align : std::uint8_t { left, centre, right };

  explicit Press(std::size_t width);

  // State, as the commands set it; reset() is ESC @.
  LetterStyle style;
  Align align = Align::left;
  CodePage page;
  std::size_t line_spacing = 30;
  std::size_t letter_spacing = 0;
  std::size_t left_margin = 0;
  std::optional<std::size_t> area_width;
  std::vector<std::size_t> tabs;  ///< columns; empty: every eighth
  std::uint8_t country = 0;       ///< of ESC R
  bool ignore_page_commands = false;
  /// Lines that begin so, in any case, are for the box and not for the customer: neither drawn nor
  /// told, but kept in hidden_lines.
  std::vector<std::string> hidden;
  std::vector<std::string> hidden_lines;
  void reset();

  void put_byte(std::uint8_t byte);
  void line_feed();
  void feed_lines(std::size_t count);
  /// So many dots down; begins a line.
  void feed(std::size_t dots);
  void tab();
  /// Both stay on the paper.
  void move_to(std::size_t x);
  void move_by(int dx);
  /// In the line, as a letter; scaled.
  void put_picture(const Picture& picture, std::size_t wide, std::size_t tall);
  /// On lines of its own.
  void block_picture(const Picture& picture, std::size_t wide, std::size_t tall);
  void qr(std::string_view text, int level, std::size_t module);
  void barcode(Barcode kind, std::string_view text, std::size_t module, std::size_t height,
               bool readable);
  /// Text of our own on a line of its own: what cannot be drawn.
  void note(std::string_view text);
  /// What still stands in the line is printed.
  void finish();

  [[nodiscard]] Bitmap& paper() { return paper_; }
  [[nodiscard]] std::vector<std::string>& lines() { return lines_; }
  [[nodiscard]] std::size_t letters() const { return letters_; }
  /// Letters that the font does not have.
  [[nodiscard]] std::size_t missing() const { return missing_; }
  [[nodiscard]] bool cut_short() const { return cut_short_; }

 private:
  struct Item {
    std::size_t x = 0;
    std::size_t width = 0, height = 0;
    char32_t point = 0;  ///< 0: a picture
    LetterStyle style;
    std::size_t picture = 0;
    std::size_t wide = 1, tall = 1;
  };
  void put_point(char32_t point);
  void add_line(std::string text);
  void draw_line(std::size_t shift, std::size_t height);
  void draw(const Picture& picture, std::size_t x, std::size_t y, std::size_t wide,
            std::size_t tall);
  [[nodiscard]] std::size_t area() const;
  [[nodiscard]] std::size_t shift_for(std::size_t width) const;
  [[nodiscard]] bool hide_line(const std::string& text);
  [[nodiscard]] std::string text_of_line(std::size_t shift) const;

  static constexpr std::size_t kMostLines = 20'000;
  static constexpr std::size_t kMostItems = 4096;
  static constexpr std::size_t kMostCodes = 64;

  Bitmap paper_;
  std::vector<std::string> lines_;
  std::vector<Item> line_;
  std::vector<Picture> pictures_;  ///< of the line
  std::size_t x_ = 0, y_ = 0;
  std::size_t letters_ = 0, missing_ = 0;
  bool cut_short_ = false;  ///< the paper is full: nothing more is done
  std::size_t codes_ = 0;
  Utf8Reader utf8_;
  WideReader wide_;
};

}  // namespace posthorn::receipts
