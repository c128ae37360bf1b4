#include "api/multipart.h"

#include <algorithm>
#include <optional>

#include "api/header_words.h"

#include "posthorn/base/ascii.h"

namespace posthorn::api {

namespace {

constexpr std::size_t kHeadAtMost = std::size_t{8} << 10;
constexpr std::size_t kBoundaryAtMost = 70;  // RFC 2046 section 5.1.1
constexpr unsigned kPartsAtMost = 64;

/// The parameter `name` of a header's value: name=token or name="quoted \" text"; nullopt: it has
/// none. What stands between quotes is no parameter.
std::optional<std::string> parameter(std::string_view value, std::string_view name) {
  std::size_t at = value.find(';');
  while (at < value.size()) {
    at = std::min(value.find_first_not_of("; \t", at), value.size());
    const std::size_t end = std::min(value.find_first_of("=;", at), value.size());
    const bool wanted = ascii_lower(value.substr(at, end - at)) == name;
    at = end;
    if (at == value.size() || value[at] == ';') continue;
    std::string out;
    if (++at < value.size() && value[at] == '"') {
      for (++at; at < value.size() && value[at] != '"'; ++at) {
        if (value[at] == '\\' && at + 1 < value.size() && value[at + 1] == '"') ++at;
        out += value[at];
      }
      at = std::min(value.find(';', at), value.size());
    } else {
      const std::size_t stop = std::min(value.find_first_of("; \t", at), value.size());
      out = value.substr(at, stop - at);
      at = std::min(value.find(';', stop), value.size());
    }
    if (wanted) return out;
  }
  return std::nullopt;
}

/// filename* counts before filename, whose words may be encoded as in mail: .NET sends both.
std::string file_name_of(std::string_view disposition) {
  if (const auto extended = parameter(disposition, "filename*")) {
    if (auto name = decode_extended_value(*extended); name && !name->empty()) return *name;
  }
  return decode_words(parameter(disposition, "filename").value_or(""));
}

PartHead parse_head(std::string_view text) {
  PartHead head;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find("\r\n"), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 2, text.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string name = ascii_lower(line.substr(0, colon));
    std::string_view value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    if (name == "content-type") head.type = value;
    if (name != "content-disposition") continue;
    head.name = parameter(value, "name").value_or("");
    head.file_name = file_name_of(value);
  }
  return head;
}

tl::unexpected<Error> malformed(const char* what) {
  return fail(Errc::malformed, std::string("multipart/form-data: ") + what);
}

}  // namespace

Result<MultipartParser> MultipartParser::from(std::string_view content_type,
                                              PartListener& listener) {
  std::string boundary = parameter(content_type, "boundary").value_or("");
  if (boundary.empty() || boundary.size() > kBoundaryAtMost) {
    return malformed("the Content-Type has no usable boundary");
  }
  return MultipartParser(std::move(boundary), listener);
}

Result<void> MultipartParser::feed(std::string_view piece) {
  text_ += piece;
  for (;;) {
    TRY(const bool more, step());
    if (!more) return {};
  }
}

Result<void> MultipartParser::finish() const {
  return state_ == State::epilogue ? Result<void>() : malformed("the body is cut off");
}

Result<bool> MultipartParser::step() {
  switch (state_) {
    case State::preamble: {
      const std::size_t found = text_.find(delimiter_);
      if (found == std::string::npos) {
        if (text_.size() > delimiter_.size()) text_.erase(0, text_.size() - delimiter_.size());
        return false;
      }
      text_.erase(0, found + delimiter_.size());
      state_ = State::behind_boundary;
      return true;
    }
    case State::behind_boundary: {
      const std::size_t end = text_.find_first_not_of(" \t");  // RFC 2046 allows them here
      if (end == std::string::npos || text_.size() < end + 2) {
        if (text_.size() > kHeadAtMost) return malformed("a boundary's line does not end");
        return false;
      }
      const std::string_view two = std::string_view(text_).substr(end, 2);
      if (two != "--" && two != "\r\n") return malformed("a boundary is followed by other bytes");
      state_ = two == "--" ? State::epilogue : State::head;
      // The line's end stays: a head without lines is "\r\n\r\n" as any other.
      text_.erase(0, end);
      return true;
    }
    case State::head:
      return take_head();
    case State::data:
      return take_data();
    case State::epilogue:
      text_.clear();
      return false;
  }
  return false;
}

Result<bool> MultipartParser::take_head() {
  const std::size_t end = text_.find("\r\n\r\n");
  if (end == std::string::npos) {
    if (text_.size() > kHeadAtMost) return malformed("a part's head is too long");
    return false;
  }
  if (++parts_ > kPartsAtMost) return malformed("too many parts");
  TRY(listener_->on_part(parse_head(std::string_view(text_).substr(0, end))));
  // The last line's end stays: a part without data ends with a delimiter that begins with it.
  text_.erase(0, end + 2);
  lead_ = 2;
  state_ = State::data;
  return true;
}

Result<bool> MultipartParser::take_data() {
  const std::size_t found = text_.find(delimiter_);
  const bool whole = found != std::string::npos;
  const std::size_t end = whole ? found : text_.size() - std::min(text_.size(), delimiter_.size());
  if (end > lead_) {
    TRY(listener_->on_data(std::string_view(text_).substr(lead_, end - lead_)));
    text_.erase(0, end);
    lead_ = 0;
  }
  if (!whole) return false;
  TRY(listener_->on_part_end());
  text_.erase(0, text_.find(delimiter_) + delimiter_.size());
  state_ = State::behind_boundary;
  return true;
}

}  // namespace posthorn::api
