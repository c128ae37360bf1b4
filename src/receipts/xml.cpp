#include "receipts/xml.h"

#include <algorithm>
#include <charconv>

#include "receipts/code_page.h"

namespace posthorn::receipts {

namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::size_t kLongestName = 11;  ///< of an entity, with its "&" and ";"

std::string_view without_prefix(std::string_view name) {
  const std::size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

/// "&amp;", "&#10;", "&#x20ac;"; what is none stays as it is written.
std::string unescaped(std::string_view text) {
  constexpr std::pair<std::string_view, char> kNamed[] = {
      {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
  std::string out;
  while (!text.empty()) {
    const std::size_t mark = std::min(text.find('&'), text.size());
    out += text.substr(0, mark);
    text.remove_prefix(mark);
    if (text.empty()) break;
    // Names are short: a text of nothing but "&" is not looked through once for each of them.
    const std::size_t end = text.substr(0, kLongestName).find(';');
    const std::string_view name =
        end == std::string_view::npos ? std::string_view() : text.substr(1, end - 1);
    char32_t point = 0;
    if (name.starts_with('#')) {
      const bool hex = name.size() > 1 && (name[1] == 'x' || name[1] == 'X');
      const std::string_view digits = name.substr(hex ? 2 : 1);
      std::uint32_t value = 0;
      const auto read =
          std::from_chars(digits.data(), digits.data() + digits.size(), value, hex ? 16 : 10);
      const bool whole = read.ec == std::errc{} && read.ptr == digits.data() + digits.size();
      if (whole && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF)) point = value;
    }
    for (const auto& [word, letter] : kNamed) {
      if (name == word) point = static_cast<char32_t>(letter);
    }
    if (point == 0) {
      out += '&';
      text.remove_prefix(1);
      continue;
    }
    append_utf8(out, point);
    text.remove_prefix(end + 1);
  }
  return out;
}

tl::unexpected<Error> broken(const char* what) {
  return fail(Errc::malformed, std::string("not well-formed XML: ") + what);
}

}  // namespace

std::string_view XmlReader::Event::attribute(std::string_view wanted) const {
  const auto found = std::find_if(attributes.begin(), attributes.end(),
                                  [wanted](const auto& one) { return one.first == wanted; });
  return found == attributes.end() ? std::string_view() : std::string_view(found->second);
}

Result<bool> XmlReader::skip_other() {
  const auto skip = [this](std::string_view stop) -> Result<bool> {
    const std::size_t end = left_.find(stop);
    if (end == std::string_view::npos) return broken("something does not end");
    left_.remove_prefix(end + stop.size());
    return true;
  };
  if (left_.starts_with("<!--")) return skip("-->");
  if (left_.starts_with("<?")) return skip("?>");
  if (left_.starts_with("<!") && !left_.starts_with("<![CDATA[")) {
    return broken("declarations are not read");
  }
  return false;
}

Result<XmlReader::Event> XmlReader::next() {
  if (pending_close_) {
    Event event{Event::Kind::close, std::move(*pending_close_), {}, {}};
    pending_close_.reset();
    return event;
  }
  while (!left_.empty()) {
    if (left_.front() != '<') {
      const std::size_t end = std::min(left_.find('<'), left_.size());
      Event event{Event::Kind::text, {}, unescaped(left_.substr(0, end)), {}};
      left_.remove_prefix(end);
      return event;
    }
    TRY(const bool skipped, skip_other());
    if (skipped) continue;
    if (left_.starts_with("<![CDATA[")) {
      const std::size_t end = left_.find("]]>");
      if (end == std::string_view::npos) return broken("CDATA does not end");
      Event event{Event::Kind::text, {}, std::string(left_.substr(9, end - 9)), {}};
      left_.remove_prefix(end + 3);
      return event;
    }
    return read_tag();
  }
  if (!open_.empty()) return broken("an element does not end");
  return Event{};
}

Result<XmlReader::Event> XmlReader::read_tag() {
  const std::size_t end = left_.find('>');
  if (end == std::string_view::npos) return broken("a tag does not end");
  std::string_view tag = left_.substr(1, end - 1);
  left_.remove_prefix(end + 1);
  if (tag.starts_with('/')) {
    const std::string name(without_prefix(tag.substr(1, tag.find_last_not_of(kBlanks))));
    if (open_.empty() || open_.back() != name) return broken("tags do not match");
    open_.pop_back();
    return Event{Event::Kind::close, name, {}, {}};
  }
  const bool empty = tag.ends_with('/');
  if (empty) tag.remove_suffix(1);
  return read_open(tag, empty);
}

Result<XmlReader::Event> XmlReader::read_open(std::string_view tag, bool empty) {
  const std::size_t name_end = std::min(tag.find_first_of(kBlanks), tag.size());
  Event event{Event::Kind::open, std::string(without_prefix(tag.substr(0, name_end))), {}, {}};
  if (event.name.empty()) return broken("a tag without a name");
  tag.remove_prefix(name_end);
  while (true) {
    tag.remove_prefix(std::min(tag.find_first_not_of(kBlanks), tag.size()));
    if (tag.empty()) break;
    const std::size_t equals = tag.find('=');
    if (equals == std::string_view::npos) return broken("an attribute without a value");
    std::string_view name = tag.substr(0, equals);
    name = name.substr(0, std::min(name.find_last_not_of(kBlanks) + 1, name.size()));
    tag.remove_prefix(equals + 1);
    tag.remove_prefix(std::min(tag.find_first_not_of(kBlanks), tag.size()));
    const char quote = tag.empty() ? '\0' : tag.front();
    if (quote != '"' && quote != '\'') return broken("an attribute without quotes");
    const std::size_t close = tag.find(quote, 1);
    if (close == std::string_view::npos) return broken("an attribute does not end");
    if (event.attributes.size() < 32) {
      event.attributes.emplace_back(without_prefix(name), unescaped(tag.substr(1, close - 1)));
    }
    tag.remove_prefix(close + 1);
  }
  if (open_.size() >= kDeepest) return broken("too many levels");
  if (empty) {
    pending_close_ = event.name;
  } else {
    open_.push_back(event.name);
  }
  return event;
}

}  // namespace posthorn::receipts
