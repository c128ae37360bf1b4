#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "posthorn/base/bytes.h"
#include "receipts/lexer.h"

namespace posthorn::receipts {

/// How letters stand when something of ours is put between a till's, so that it is as before
/// afterwards.
struct LetterState {
  std::uint8_t align = 0;  ///< 0 left, 1 centre, 2 right
  std::uint8_t mode = 0;   ///< of ESC !, without sizes
  bool inverted = false;
  std::uint8_t size = 0;  ///< of GS !; of Star: wide in the high half, tall in the low one
};

/// One job, as it came from the till.
struct TappedJob {
  Bytes raw;
  Language language = Language::escpos;
  bool cut_short = false;  ///< more came than is kept
  std::string token;       ///< of the QR block that was printed with it; empty: none
  bool drawer = false;     ///< it opens the drawer
};

/// Looks at what passes from the till to the printer: finds where jobs end and keeps a copy, and
/// puts a block before the cut when it is asked to. Bytes leave in the order they came, none is
/// changed, and none waits but a cut that has begun.
class Tap {
 public:
  static constexpr std::size_t kMostRaw = std::size_t{4} << 20;

  struct Block {
    Bytes bytes;
    std::string token;
  };
  struct Options {
    std::optional<Language> language;  ///< nullopt: guessed as the bytes come
    Language first_guess = Language::escpos;
    /// What to print before the job's cut; nullopt: nothing. Empty: bytes pass at once.
    std::function<std::optional<Block>(Language language, const LetterState& letters)> block = {};
  };

  explicit Tap(Options options);

  /// forward: gets what goes on to the printer now.
  void feed(ByteView bytes, Bytes& forward);
  /// A cut that has begun does not come: what is held back of it goes on.
  void release(Bytes& forward);
  [[nodiscard]] bool holds() const { return !held_.empty(); }
  /// The till has closed: the job ends here, and so does the tap.
  void finish(Bytes& forward);
  /// Nothing came for a while: what was printed is a job, a pulse without it a lone one, and a
  /// command that has begun does not come. Nothing is printed with it.
  void on_silence();
  /// In the middle of a command.
  [[nodiscard]] bool inside() const { return lexer_.inside(); }
  /// Something was printed since the last job's end.
  [[nodiscard]] bool printed() const { return printed_; }
  /// The drawer was opened since the last job's end.
  [[nodiscard]] bool pulsed() const { return pulse_; }

  /// Jobs that ended since the last call.
  [[nodiscard]] std::vector<TappedJob> take_jobs();
  /// Whether the drawer was opened by itself since the last call, beside any job.
  [[nodiscard]] bool take_lone_pulse();
  [[nodiscard]] Language language() const { return lexer_.language(); }
  /// Whether the next connection may begin with language(): a guess of Star is worth that when a
  /// job ended in Star's cut.
  [[nodiscard]] bool is_sure() const { return language() == Language::escpos || star_cut_; }

 private:
  void pass(ByteView piece, bool ended, Bytes& forward);
  void on_token(const Token& token);
  void note_letters(const Token& token);
  [[nodiscard]] bool may_become_cut() const;
  void add_block(Bytes& forward);
  void end_job();
  [[nodiscard]] bool turns_to_star(const Token& token) const;
  void turn_back_at(std::byte next);

  Options options_;
  Lexer lexer_;
  Bytes held_;
  bool token_began_to_leave_ = false;
  Bytes raw_;
  bool cut_short_ = false;
  bool printed_ = false;
  bool pulse_ = false;
  bool page_mode_ = false;
  std::string token_;
  LetterState letters_;
  bool star_seen_ = false;  ///< a sequence that ESC/POS does not have
  bool gs_seen_ = false;    ///< a command that Star does not have
  bool star_cut_ = false;
  std::vector<TappedJob> jobs_;
  bool lone_pulse_ = false;
};

/// ESC p, DLE DC4 1, Star's BEL, SUB and FS.
[[nodiscard]] bool opens_drawer(const Token& token, Language language);
/// GS V, ESC i, ESC m; Star's ESC d.
[[nodiscard]] bool is_cut(const Token& token, Language language);

}  // namespace posthorn::receipts
