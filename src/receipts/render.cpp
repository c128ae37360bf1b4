#include "receipts/render.h"

#include <utility>

#include "receipts/commands.h"

namespace posthorn::receipts {

namespace {

constexpr std::uint8_t kEsc = 0x1B;
constexpr std::uint8_t kGs = 0x1D;
constexpr std::size_t kMostGuessed = 65'536;
constexpr std::size_t kWhiteEnd = 24;

std::uint8_t u8(std::byte byte) { return std::to_integer<std::uint8_t>(byte); }

/// Calls visit(token) for each token of the job; false ends it.
template <class Visit>
void for_each_token(ByteView job, Language language, Visit visit) {
  Lexer lexer(language);
  while (!job.empty()) {
    const Lexer::Fed fed = lexer.feed(job);
    job = job.subspan(fed.taken);
    if (fed.ended && !visit(lexer.token())) return;
  }
}

ByteView part(ByteView job, std::uint64_t begin, std::uint64_t end) {
  return job.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
}

bool selects_page(const Token& token, Language language) {
  return language == Language::escpos ? token.is({kEsc, 't'}) || token.is({0x1C, '(', 'C'})
                                      : token.is({kEsc, kGs, 't'});
}

/// What a job that selects no code page prints, for a guess. nullopt: it selects one, or nothing
/// needs one.
std::optional<Bytes> text_without_page(ByteView job, Language language) {
  Bytes text;
  bool selects = false;
  bool high = false;
  for_each_token(job, language, [&](const Token& token) {
    if (token.kind == Token::Kind::text && text.size() < kMostGuessed) {
      const ByteView piece = part(job, token.begin, token.end);
      for (const std::byte byte : piece) high = high || u8(byte) >= 0x80;
      append(text, piece);
    } else if (token.kind == Token::Kind::control) {
      text.push_back(std::byte{' '});
    }
    selects = selects || selects_page(token, language);
    return !selects;
  });
  if (selects || !high) return std::nullopt;
  return text;
}

void control(Run& run, std::uint8_t byte, std::uint8_t next) {
  Press& press = run.press;
  switch (byte) {
    case 0x09:
      return press.tab();
    case 0x0A:
      return press.line_feed();
    case 0x0D:
      if (next != 0x0A) press.finish();
      return;
    case 0x0C:
      return press.finish();
    case 0x0E:
      if (run.out.language == Language::star) press.style.wide = 2;
      return;
    case 0x14:
      if (run.out.language == Language::star) press.style.wide = 1;
      return;
    case 0x07:
    case 0x1A:
    case 0x1C:
      if (run.out.language == Language::star) ++run.out.pulses;
      return;
    default:
      return;
  }
}

void run_token(Run& run, const Token& token, ByteView job) {
  if (token.kind == Token::Kind::text) {
    for (const std::byte byte : part(job, token.begin, token.end)) run.press.put_byte(u8(byte));
    return;
  }
  if (token.kind == Token::Kind::control) {
    const auto after = static_cast<std::size_t>(token.end);
    return control(run, token.head[0], after < job.size() ? u8(job[after]) : 0);
  }
  const ByteView data = part(job, token.data, token.end);
  if (run.out.language == Language::escpos) return run_escpos(run, token, data);
  run_star(run, token, data);
}

}  // namespace

std::string Rendered::text() const {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  while (out.ends_with("\n\n")) out.pop_back();
  return out.substr(std::min(out.size(), out.find_first_not_of('\n')));
}

Language guess_language(ByteView job) {
  Language found = Language::escpos;
  for_each_token(job, Language::escpos, [&](const Token& token) {
    if (token.kind != Token::Kind::command) return true;
    if (token.is({kEsc, kGs}) || token.is({kEsc, 0x1E}) || token.is({kEsc, '*', 'r'})) {
      found = Language::star;
      return false;
    }
    return token.at(0) != kGs && !token.is({kEsc, 't'}) && !token.is({kEsc, '!'});
  });
  return found;
}

Picture rows_picture(ByteView data, std::size_t bytes, std::size_t rows) {
  Picture picture;
  if (bytes == 0) return picture;
  picture.width = bytes * 8;
  picture.height = std::min(rows, data.size() / bytes);
  picture.dots.resize(picture.width * picture.height);
  for (std::size_t i = 0; i < bytes * picture.height; ++i) {
    for (std::size_t bit = 0; bit < 8; ++bit) {
      if ((u8(data[i]) >> (7 - bit) & 1) != 0) picture.dots[i * 8 + bit] = true;
    }
  }
  return picture;
}

Picture columns_picture(ByteView data, std::size_t columns, std::size_t bytes) {
  Picture picture;
  if (bytes == 0) return picture;
  picture.width = std::min(columns, data.size() / bytes);
  picture.height = bytes * 8;
  picture.dots.resize(picture.width * picture.height);
  for (std::size_t x = 0; x < picture.width; ++x) {
    for (std::size_t y = 0; y < picture.height; ++y) {
      if ((u8(data[x * bytes + y / 8]) >> (7 - y % 8) & 1) == 0) continue;
      picture.dots[y * picture.width + x] = true;
    }
  }
  return picture;
}

void print_logo(Run& run) {
  ++run.out.logos;
  if (run.reading.logo == nullptr || run.press.cut_short()) return;
  const Bitmap& logo = *run.reading.logo;
  Picture picture;
  picture.width = logo.width();
  picture.height = logo.height();
  picture.dots.reserve(picture.width * picture.height);
  for (std::size_t y = 0; y < picture.height; ++y) {
    for (std::size_t x = 0; x < picture.width; ++x) picture.dots.push_back(logo.at(x, y));
  }
  run.press.block_picture(picture, 1, 1);
  ++run.out.pictures;
}

void print_qr(Run& run) {
  if (run.qr_text.empty()) return;
  constexpr std::size_t kMostPayloads = 32;
  if (run.out.payloads.size() < kMostPayloads) run.out.payloads.push_back(run.qr_text);
  run.press.qr(run.qr_text, run.qr_level, run.qr_module);
}

Rendered render(ByteView job, const Reading& reading) {
  Rendered out;
  out.language = reading.language.value_or(guess_language(job));
  Press press(reading.width);
  press.hidden = reading.tags;
  if (reading.code_page) {
    press.page = *reading.code_page;
    press.ignore_page_commands = true;
  } else if (const auto text = text_without_page(job, out.language)) {
    press.page = guess_code_page(*text);
    press.ignore_page_commands = true;
    out.guessed_page = true;
  }
  Run run{press, out, reading};
  for_each_token(job, out.language, [&](const Token& token) {
    run_token(run, token, job);
    return true;
  });
  press.finish();
  press.paper().trim(kWhiteEnd);
  out.paper = std::move(press.paper());
  out.lines = std::move(press.lines());
  out.tagged = std::move(press.hidden_lines);
  while (!out.lines.empty() && out.lines.back().empty()) out.lines.pop_back();
  out.code_page = press.page;
  out.letters = press.letters();
  out.missing = press.missing();
  out.cut_short = press.cut_short();
  return out;
}

}  // namespace posthorn::receipts
