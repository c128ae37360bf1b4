// What a client says beside JSON: a form in any pieces tells the same as in one piece, a range lies
// inside of the file, and no host name makes trouble.
//
// Input: a byte for the size of the pieces, then a form with the boundary "b"; the same bytes are
// read as a Range header and as a Host.

#include "api/byte_range.h"
#include "api/host_names.h"
#include "api/multipart.h"
#include "api/told_parts.h"
#include "fuzz/fuzz_support.h"

using namespace posthorn;

namespace {

/// What was told, and whether the form was whole.
std::pair<std::string, bool> parse(std::string_view body, std::size_t step) {
  api::test::ToldParts told;
  auto parser = api::MultipartParser::from("multipart/form-data; boundary=b", told);
  for (std::size_t at = 0; at < body.size(); at += step) {
    if (!parser->feed(body.substr(at, step))) return {"", false};
  }
  return {told.text, parser->finish().has_value()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t step = std::size_t{1} + input.byte();
  const std::string_view body = as_text(input.rest());
  const auto whole = parse(body, body.size() + 1);
  const auto pieces = parse(body, step);
  fuzz::require(whole.second == pieces.second, "pieces do not matter");
  if (whole.second) fuzz::require(whole.first == pieces.first, "pieces tell the same");
  const api::RangeAnswer range = api::parse_range("bytes=" + std::string(body), 1000);
  if (range.kind == api::RangeKind::part) {
    fuzz::require(range.range.first <= range.range.last && range.range.last < 1000, "inside");
  }
  (void)api::is_our_host(body, {"posthorn.local"});
  return 0;
}
