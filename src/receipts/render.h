#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/bytes.h"
#include "receipts/bitmap.h"
#include "receipts/code_page.h"
#include "receipts/lexer.h"

namespace posthorn::receipts {

/// How a job is read.
struct Reading {
  std::optional<Language> language;    ///< nullopt: guessed
  std::optional<CodePage> code_page;   ///< nullopt: as the job says, else guessed
  std::size_t width = 576;             ///< dots of the paper: 576 (80 mm) or 384 (58 mm)
  std::vector<std::string> tags = {};  ///< beginnings of lines that are for the box alone
  const Bitmap* logo = nullptr;  ///< stands where the job prints a logo of the printer's memory
};

/// A job as a customer may get it.
struct Rendered {
  Bitmap paper{576};
  std::vector<std::string> lines;     ///< UTF-8, without blanks at the end
  std::vector<std::string> payloads;  ///< of QR codes
  std::vector<std::string> tagged;    ///< lines that were left out because of Reading::tags
  Language language = Language::escpos;
  CodePage code_page;         ///< the last one in force
  bool guessed_page = false;  ///< the job selects none and has bytes >= 0x80
  std::size_t letters = 0;    ///< printed, without blanks
  std::size_t missing = 0;    ///< among them, that the font does not have
  std::size_t pictures = 0;
  std::size_t pulses = 0;   ///< of a cash drawer
  std::size_t unknown = 0;  ///< commands that are not known here
  std::size_t logos = 0;    ///< pictures of the printer's memory that were asked for
  bool cut_short = false;   ///< longer than Bitmap::kMostRows

  /// Whether anything is on the paper.
  [[nodiscard]] bool printed() const { return letters > 0 || pictures > 0 || !payloads.empty(); }
  /// Whether the picture shows every letter, or the text alone is to be trusted.
  [[nodiscard]] bool drawable() const { return missing * 20 <= letters; }
  [[nodiscard]] std::string text() const;
};

/// Any bytes are a job; the time is bounded by their number. Pure, so that it runs on any thread.
[[nodiscard]] Rendered render(ByteView job, const Reading& reading);

[[nodiscard]] Language guess_language(ByteView job);

}  // namespace posthorn::receipts
