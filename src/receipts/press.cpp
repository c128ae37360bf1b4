#include "receipts/press.h"

#include <algorithm>
#include <array>
#include <utility>

namespace posthorn::receipts {

namespace {

constexpr std::size_t kTab = 8;
constexpr std::size_t kQuietModules = 4;
constexpr std::size_t kReadableGap = 4;
constexpr std::size_t kMostHidden = 8;
constexpr std::size_t kLongestNote = 512;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool begins_with(std::string_view text, std::string_view start) {
  return !start.empty() && text.size() >= start.size() &&
         std::equal(start.begin(), start.end(), text.begin(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

/// What stands for # $ @ [ \ ] ^ ` { | } ~ in a country, by n of ESC R. Source: Epson's table of
/// international characters.
constexpr std::u32string_view kAsciiPlaces = U"#$@[\\]^`{|}~";
constexpr std::array<std::u32string_view, 11> kCountries{
    U"#$@[\\]^`{|}~", U"#$à°ç§^`éùè¨", U"#$§ÄÖÜ^`äöüß",  U"£$@[\\]^`{|}~",
    U"#$@ÆØÅ^`æøå~",  U"#¤ÉÄÖÅÜéäöåü", U"#$@°\\é^ùàòèì", U"₧$@¡Ñ¿^`¨ñ}~",
    U"#$@[¥]^`{|}~",  U"#¤ÉÆØÅÜéæøåü", U"#$ÉÆØÅÜéæøåü"};

}  // namespace

Press::Press(std::size_t width) : page(*find_code_page("CP437")), paper_(width) {}

void Press::reset() {
  style = {};
  align = Align::left;
  if (!ignore_page_commands) page = *find_code_page("CP437");
  line_spacing = 30;
  letter_spacing = 0;
  left_margin = 0;
  area_width.reset();
  tabs.clear();
  country = 0;
}

std::size_t Press::area() const {
  const std::size_t room = paper_.width() > left_margin ? paper_.width() - left_margin : 0;
  return area_width ? std::min(*area_width, room) : room;
}

std::size_t Press::shift_for(std::size_t width) const {
  const std::size_t room = area() > width ? area() - width : 0;
  return left_margin + (align == Align::left ? 0 : align == Align::right ? room : room / 2);
}

void Press::put_byte(std::uint8_t byte) {
  if (page.index == CodePage::kUtf8) {
    if (const auto point = utf8_.take(byte)) put_point(*point);
    return;
  }
  if (page.is_wide()) {
    if (const auto point = wide_.take(page, byte)) put_point(*point);
    return;
  }
  if (byte >= 0x80) {
    const char32_t point = to_code_point(page, byte);
    return put_point(point == 0 ? kReplacement : point);
  }
  const std::size_t place = kAsciiPlaces.find(byte);
  const bool own = place != std::u32string_view::npos && country < kCountries.size();
  put_point(own ? kCountries[country][place] : byte);
}

void Press::put_point(char32_t point) {
  const std::size_t cells = is_wide_letter(point) ? 2 : 1;
  const std::size_t width = (cell_width(style.font) * cells + letter_spacing) * style.wide;
  if (x_ + width > area() && !line_.empty()) line_feed();
  if (cut_short_ || line_.size() >= kMostItems) return;
  Item item;
  item.x = x_;
  item.width = width;
  item.height = cell_height(style.font) * style.tall;
  item.point = point == 0xA0 ? U' ' : point;
  item.style = style;
  line_.push_back(item);
  x_ += width;
  if (item.point == ' ') return;
  ++letters_;
  if (!has_glyph(item.point)) ++missing_;
}

void Press::put_picture(const Picture& picture, std::size_t wide, std::size_t tall) {
  if (cut_short_ || line_.size() >= kMostItems) return;
  Item item;
  item.x = x_;
  item.width = picture.width * wide;
  item.height = picture.height * tall;
  item.picture = pictures_.size();
  item.wide = wide;
  item.tall = tall;
  pictures_.push_back(picture);
  line_.push_back(item);
  x_ += item.width;
}

void Press::add_line(std::string text) {
  while (!text.empty() && text.back() == ' ') text.pop_back();
  if (lines_.size() < kMostLines) lines_.push_back(std::move(text));
}

std::string Press::text_of_line(std::size_t shift) const {
  std::string out;
  std::size_t end = 0;
  const std::size_t cell = cell_width(Font::a);
  for (const Item& item : line_) {
    if (item.point == 0) continue;
    const std::size_t at = item.x + shift;
    if (at > end) out.append(std::max<std::size_t>((at - end) / cell, out.empty() ? 0 : 1), ' ');
    append_utf8(out, item.point);
    end = at + item.width;
  }
  return out;
}

bool Press::hide_line(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string::npos) return false;
  const std::string_view said = std::string_view(text).substr(begin);
  const bool is_hidden = std::any_of(hidden.begin(), hidden.end(), [said](const std::string& tag) {
    return begins_with(said, tag);
  });
  if (is_hidden && hidden_lines.size() < kMostHidden) hidden_lines.emplace_back(said);
  return is_hidden;
}

void Press::draw(const Picture& picture, std::size_t x, std::size_t y, std::size_t wide,
                 std::size_t tall) {
  for (std::size_t row = 0; row < picture.height; ++row) {
    // What hangs over the edge of the paper is not even looked at.
    for (std::size_t column = 0; column < picture.width; ++column) {
      if (x + column * wide >= paper_.width()) break;
      if (picture.at(column, row)) paper_.fill(x + column * wide, y + row * tall, wide, tall);
    }
  }
}

void Press::draw_line(std::size_t shift, std::size_t height) {
  for (const Item& item : line_) {
    const std::size_t top = y_ + height - item.height;
    if (item.point == 0) {
      draw(pictures_[item.picture], item.x + shift, top, item.wide, item.tall);
    } else {
      draw_letter(paper_, item.x + shift, top, item.point, item.style);
    }
  }
}

void Press::line_feed() { feed(line_spacing); }

void Press::feed_lines(std::size_t count) {
  finish();
  for (std::size_t i = 0; i < count && !cut_short_; ++i) line_feed();
}

void Press::feed(std::size_t dots) {
  if (cut_short_) return line_.clear();
  std::size_t height = 0;
  std::size_t width = 0;
  bool letters = false;
  for (const Item& item : line_) {
    height = std::max(height, item.height);
    width = std::max(width, item.x + item.width);
    letters = letters || item.point != 0;
  }
  const std::size_t shift = shift_for(width);
  std::string text = letters ? text_of_line(shift) : std::string();
  if (letters && hide_line(text)) {
    line_.clear();
    pictures_.clear();
    x_ = 0;
    return;
  }
  const std::size_t down = std::max(height, dots);
  if (!paper_.grow(y_ + down)) cut_short_ = true;
  if (!line_.empty()) draw_line(shift, height);
  if (letters || line_.empty()) add_line(std::move(text));
  y_ = std::min(y_ + down, Bitmap::kMostRows);
  line_.clear();
  pictures_.clear();
  x_ = 0;
}

void Press::tab() {
  const std::size_t cell = cell_width(style.font) * style.wide;
  const std::size_t column = x_ / cell;
  if (tabs.empty()) return move_to((column / kTab + 1) * kTab * cell);
  const auto next = std::upper_bound(tabs.begin(), tabs.end(), column);
  if (next != tabs.end()) move_to(*next * cell);
}

void Press::move_to(std::size_t x) { x_ = std::min(x, area()); }

void Press::move_by(int dx) {
  const auto wanted = static_cast<std::int64_t>(x_) + dx;
  move_to(static_cast<std::size_t>(std::max<std::int64_t>(wanted, 0)));
}

void Press::block_picture(const Picture& picture, std::size_t wide, std::size_t tall) {
  finish();
  if (cut_short_) return;
  const std::size_t height = picture.height * tall;
  if (!paper_.grow(y_ + height)) cut_short_ = true;
  draw(picture, shift_for(picture.width * wide), y_, wide, tall);
  y_ = std::min(y_ + height, Bitmap::kMostRows);
}

void Press::qr(std::string_view text, int level, std::size_t module) {
  if (cut_short_) return;
  const auto code = ++codes_ <= kMostCodes ? make_qr(text, level) : std::nullopt;
  if (!code) return note(text.substr(0, kLongestNote));
  const std::size_t scale = std::clamp<std::size_t>(module, 1, 16);
  Picture picture;
  picture.width = picture.height = code->side;
  picture.dots = code->modules;
  finish();
  y_ += kQuietModules * scale / 2;
  block_picture(picture, scale, scale);
  y_ += kQuietModules * scale / 2;
  add_line("");
}

void Press::barcode(Barcode kind, std::string_view text, std::size_t module, std::size_t height,
                    bool readable) {
  if (cut_short_) return;
  std::vector<std::uint8_t> widths;
  if (++codes_ <= kMostCodes) widths = make_barcode(kind, text);
  const std::string shown = readable_barcode(kind, text);
  finish();
  if (!widths.empty()) {
    std::size_t total = 0;
    for (const std::uint8_t width : widths) total += width;
    Picture picture;
    picture.width = total;
    picture.height = 1;
    bool black = true;
    for (const std::uint8_t width : widths) {
      picture.dots.insert(picture.dots.end(), width, black);
      black = !black;
    }
    block_picture(picture, std::clamp<std::size_t>(module, 1, 6), std::max<std::size_t>(height, 1));
    y_ += kReadableGap;
  }
  if (readable || widths.empty()) {
    note(shown);
  } else {
    add_line(shown);
  }
}

void Press::note(std::string_view text) {
  finish();
  const LetterStyle before = std::exchange(style, {});
  Utf8Reader reader;
  for (const char c : text) {
    const auto point = reader.take(static_cast<std::uint8_t>(c));
    if (point && *point >= 0x20) put_point(*point);
  }
  style = before;
  line_feed();
}

void Press::finish() {
  if (!line_.empty()) line_feed();
  x_ = 0;
}

}  // namespace posthorn::receipts
