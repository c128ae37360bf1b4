#include "fuzz/fuzz_support.h"
#include "receipts/picture.h"
#include "receipts/render.h"
#include "receipts/tap.h"
#include "receipts/virtual_printer.h"

using namespace posthorn;
using namespace posthorn::receipts;

namespace {

struct Tapped {
  Bytes forwarded;
  std::vector<Bytes> jobs;
  std::vector<bool> blocks;
  bool operator==(const Tapped&) const = default;
};

Tapped tap_in_pieces(ByteView bytes, std::size_t piece, std::optional<Language> language,
                     bool block) {
  Tap::Options options;
  options.language = language;
  if (block) {
    options.block = [](Language, const LetterState&) { return Tap::Block{Bytes(3), "R-12345"}; };
  }
  Tap tap(std::move(options));
  Tapped out;
  while (!bytes.empty()) {
    const ByteView now = bytes.first(std::min(piece, bytes.size()));
    bytes = bytes.subspan(now.size());
    tap.feed(now, out.forwarded);
  }
  tap.finish(out.forwarded);
  for (TappedJob& job : tap.take_jobs()) {
    out.jobs.push_back(std::move(job.raw));
    out.blocks.push_back(!job.token.empty());
  }
  return out;
}

void answers_in_pieces(ByteView bytes, std::size_t piece, Language language, Bytes& out) {
  VirtualPrinter printer(language);
  while (!bytes.empty()) {
    const ByteView now = bytes.first(std::min(piece, bytes.size()));
    bytes = bytes.subspan(now.size());
    printer.feed(now, out);
  }
}

}  // namespace

/// Input: language and block, size of the pieces, then what a till sends.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::uint8_t choice = input.byte();
  const std::size_t piece = 1 + input.byte() % 64U;
  const ByteView bytes = input.rest();
  const bool block = (choice & 1) != 0;
  std::optional<Language> language;
  if ((choice & 2) != 0) language = (choice & 4) != 0 ? Language::star : Language::escpos;

  const Tapped whole = tap_in_pieces(bytes, SIZE_MAX, language, block);
  fuzz::require(whole == tap_in_pieces(bytes, piece, language, block),
                "pieces never change the result");
  std::size_t added = 0;
  if (block) {
    for (const bool one : whole.blocks) added += one ? 3 : 0;
  }
  fuzz::require(whole.forwarded.size() == bytes.size() + added, "every byte passes");
  if (!block) {
    fuzz::require(std::equal(bytes.begin(), bytes.end(), whole.forwarded.begin()),
                  "bytes pass unchanged");
  }

  Bytes one, other;
  const Language spoken = language.value_or(Language::escpos);
  answers_in_pieces(bytes, SIZE_MAX, spoken, one);
  answers_in_pieces(bytes, piece, spoken, other);
  fuzz::require(one == other, "pieces never change an answer");

  Reading reading;
  reading.language = language;
  reading.width = (choice & 8) != 0 ? 384 : 576;
  reading.tags = {"WA:"};
  const Rendered rendered = render(bytes, reading);
  fuzz::require(rendered.paper.height() <= Bitmap::kMostRows, "paper has its limit");
  fuzz::require(rendered.missing <= rendered.letters, "letters are counted");
  if (rendered.paper.height() < 2000) {
    fuzz::require(encode_png(rendered.paper).has_value(), "there is a picture");
  }
  return 0;
}
