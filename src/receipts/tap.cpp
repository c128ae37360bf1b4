#include "receipts/tap.h"

#include <algorithm>
#include <utility>

namespace posthorn::receipts {

namespace {

constexpr std::uint8_t kEsc = 0x1B;
constexpr std::uint8_t kGs = 0x1D;

bool prints(const Token& token, Language language) {
  if (token.kind != Token::Kind::command) return false;
  if (language == Language::star) {
    return token.at(0) != kEsc || token.is({kEsc, 'K'}) || token.is({kEsc, 'L'}) ||
           token.is({kEsc, 'X'}) || token.is({kEsc, 'k'}) || token.is({kEsc, 'b'}) ||
           token.is({kEsc, kGs, 'S'}) || token.is({kEsc, kGs, 'y', 'P'});
  }
  return token.is({kEsc, '*'}) || token.is({kGs, 'v'}) || token.is({kGs, 'k'}) ||
         token.is({kGs, '/'}) || token.is({kGs, 'Q'}) || token.is({kGs, '(', 'k'}) ||
         token.is({kGs, '(', 'L'}) || token.is({kGs, '8', 'L'}) || token.is({0x1C, 'p'});
}

/// What ESC/POS does not have.
bool is_only_stars(const Token& token) {
  return token.is({kEsc, kGs}) || token.is({kEsc, 0x1E}) || token.is({kEsc, '*', 'r'});
}

}  // namespace

bool opens_drawer(const Token& token, Language language) {
  if (language == Language::escpos) return token.is({kEsc, 'p'}) || token.is({0x10, 0x14, 0x01});
  return token.kind == Token::Kind::control &&
         (token.at(0) == 0x07 || token.at(0) == 0x1A || token.at(0) == 0x1C);
}

bool is_cut(const Token& token, Language language) {
  if (language == Language::star) return token.is({kEsc, 'd'});
  return token.is({kGs, 'V'}) || token.is({kEsc, 'i'}) || token.is({kEsc, 'm'});
}

Tap::Tap(Options options)
    : options_(std::move(options)), lexer_(options_.language.value_or(options_.first_guess)) {}

void Tap::feed(ByteView bytes, Bytes& forward) {
  while (!bytes.empty()) {
    turn_back_at(bytes.front());
    const Lexer::Fed fed = lexer_.feed(bytes);
    const ByteView piece = bytes.first(fed.taken);
    if (raw_.size() + piece.size() <= kMostRaw) {
      append(raw_, piece);
    } else {
      cut_short_ = true;
    }
    // What is printed counts when it comes, so that a cut in the same piece already knows of it.
    if (lexer_.token().kind == Token::Kind::text) {
      printed_ = printed_ || std::any_of(piece.begin(), piece.end(),
                                         [](std::byte b) { return b > std::byte{0x20}; });
    }
    pass(piece, fed.ended, forward);
    if (fed.ended) on_token(lexer_.token());
    bytes = bytes.subspan(fed.taken);
  }
}

bool Tap::may_become_cut() const {
  const Token& token = lexer_.token();
  if (!options_.block || !printed_ || page_mode_ || !lexer_.in_head()) return false;
  if (lexer_.language() == Language::star) {
    return token.head_size == 1 ? token.at(0) == kEsc : token.is({kEsc, 'd'});
  }
  return token.head_size == 1 ? token.at(0) == kEsc || token.at(0) == kGs : token.is({kGs, 'V'});
}

void Tap::pass(ByteView piece, bool ended, Bytes& forward) {
  if (!ended && !token_began_to_leave_ && may_become_cut()) return append(held_, piece);
  const bool whole_here = !token_began_to_leave_;
  if (ended && whole_here && printed_ && !page_mode_ && is_cut(lexer_.token(), lexer_.language())) {
    add_block(forward);
  }
  append(forward, held_);
  held_.clear();
  append(forward, piece);
  token_began_to_leave_ = !ended;
}

void Tap::release(Bytes& forward) {
  if (held_.empty()) return;
  append(forward, held_);
  held_.clear();
  token_began_to_leave_ = true;
}

void Tap::add_block(Bytes& forward) {
  if (!options_.block) return;
  auto block = options_.block(lexer_.language(), letters_);
  if (!block) return;
  append(forward, block->bytes);
  token_ = std::move(block->token);
}

bool Tap::turns_to_star(const Token& token) const {
  if (options_.language || gs_seen_ || lexer_.language() == Language::star) return false;
  return is_only_stars(token);
}

/// A connection that began as Star, by what another one was, and has said nothing that only Star
/// says: GS begins a command in ESC/POS, and none in Star.
void Tap::turn_back_at(std::byte next) {
  const bool guessed = !options_.language && lexer_.language() == Language::star && !star_seen_;
  if (!guessed || lexer_.inside() || next != std::byte{kGs}) return;
  lexer_ = Lexer(Language::escpos);
}

void Tap::note_letters(const Token& token) {
  const std::uint8_t n = token.at(2);
  if (lexer_.language() == Language::star) {
    if (token.is({kEsc, kGs, 'a'})) letters_.align = token.at(3) & 3;
    if (token.is({kEsc, '@'})) letters_ = {};
    if (token.is({kEsc, 'E'})) letters_.mode |= 0x08;
    if (token.is({kEsc, 'F'})) letters_.mode &= 0xF7;
    const auto wide = [&](std::uint8_t by) {
      letters_.size = static_cast<std::uint8_t>((by & 7) << 4 | (letters_.size & 0x07));
    };
    const auto tall = [&](std::uint8_t by) {
      letters_.size = static_cast<std::uint8_t>((letters_.size & 0x70) | (by & 7));
    };
    if (token.is({kEsc, 'W'})) wide(n);
    if (token.is({kEsc, 'h'})) tall(n);
    if (token.is({kEsc, 'i'})) {
      tall(n);
      wide(token.at(3));
    }
    return;
  }
  if (token.is({kEsc, '@'})) letters_ = {};
  if (token.is({kEsc, 'a'})) letters_.align = n & 3;
  if (token.is({kEsc, 'E'})) {
    letters_.mode = static_cast<std::uint8_t>((letters_.mode & 0xF7) | ((n & 1) << 3));
  }
  if (token.is({kEsc, 'M'})) {
    letters_.mode = static_cast<std::uint8_t>((letters_.mode & 0xFE) | (n & 1));
  }
  if (token.is({kEsc, '-'})) {
    letters_.mode = static_cast<std::uint8_t>((letters_.mode & 0x7F) | ((n & 3) != 0 ? 0x80 : 0));
  }
  if (token.is({kEsc, '!'})) {
    letters_.mode = n & 0x89;
    letters_.size = static_cast<std::uint8_t>(((n & 0x20) != 0 ? 0x10 : 0) | (n >> 4 & 1));
  }
  if (token.is({kGs, '!'})) letters_.size = n;
  if (token.is({kGs, 'B'})) letters_.inverted = (n & 1) != 0;
  if (token.is({kEsc, 'L'})) page_mode_ = true;
  if (token.is({kEsc, 'S'}) || token.is({kEsc, '@'})) page_mode_ = false;
}

void Tap::on_token(const Token& token) {
  const Language language = lexer_.language();
  printed_ = printed_ || prints(token, language);
  pulse_ = pulse_ || opens_drawer(token, language);
  if (token.kind == Token::Kind::control && token.at(0) == 0x0C) page_mode_ = false;
  star_seen_ = star_seen_ || (language == Language::star && is_only_stars(token));
  gs_seen_ = gs_seen_ || (language == Language::escpos && token.is({kGs}));
  if (turns_to_star(token)) {
    star_seen_ = true;
    Lexer star(Language::star);
    (void)star.feed(std::as_bytes(std::span(token.head).first(token.head_size)));
    lexer_ = star;
    return;
  }
  if (token.kind != Token::Kind::command) return;
  note_letters(token);
  if (!is_cut(token, language)) return;
  star_cut_ = star_cut_ || (printed_ && language == Language::star);
  end_job();
}

void Tap::end_job() {
  if (printed_) {
    TappedJob job;
    job.raw = std::move(raw_);
    job.language = lexer_.language();
    job.cut_short = cut_short_;
    job.token = std::move(token_);
    job.drawer = pulse_;
    jobs_.push_back(std::move(job));
    pulse_ = false;
  }
  lone_pulse_ = lone_pulse_ || pulse_;
  raw_ = {};
  token_.clear();
  cut_short_ = printed_ = pulse_ = false;
}

void Tap::finish(Bytes& forward) {
  release(forward);
  if (printed_ && !page_mode_ && !lexer_.inside()) add_block(forward);
  end_job();
}

void Tap::on_silence() {
  end_job();
  if (!lexer_.inside()) return;
  lexer_ = Lexer(lexer_.language());
  token_began_to_leave_ = false;
}

std::vector<TappedJob> Tap::take_jobs() { return std::exchange(jobs_, {}); }
bool Tap::take_lone_pulse() { return std::exchange(lone_pulse_, false); }

}  // namespace posthorn::receipts
