#include "chat/files/page_head.h"

#include <algorithm>
#include <array>

#include "chat/files/html_text.h"

namespace posthorn::chat {
namespace {

constexpr std::size_t kTitleMost = 300;
constexpr std::size_t kDescriptionMost = 600;
constexpr std::size_t kAddressMost = 2048;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

/// Where `wanted` begins, whatever its case; npos.
std::size_t find_word(std::string_view text, std::string_view wanted, std::size_t from) {
  const auto at =
      std::search(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(), wanted.begin(),
                  wanted.end(), [](char a, char b) { return lower(a) == lower(b); });
  return at == text.end() ? std::string_view::npos : static_cast<std::size_t>(at - text.begin());
}

/// One tag, from behind its '<'; attributes are asked for by name.
struct Tag {
  std::string_view name, inside;

  [[nodiscard]] std::string_view attribute(std::string_view wanted) const {
    std::size_t at = 0;
    while (at < inside.size()) {
      while (at < inside.size() && (is_blank(inside[at]) || inside[at] == '/')) ++at;
      const std::size_t begin = at;
      while (at < inside.size() && !is_blank(inside[at]) && inside[at] != '=') ++at;
      const std::string_view key = inside.substr(begin, at - begin);
      while (at < inside.size() && is_blank(inside[at])) ++at;
      std::string_view value;
      if (at < inside.size() && inside[at] == '=') value = take_value(++at);
      if (same(key, wanted)) return value;
      if (begin == at) break;
    }
    return {};
  }

 private:
  std::string_view take_value(std::size_t& at) const {
    while (at < inside.size() && is_blank(inside[at])) ++at;
    if (at >= inside.size()) return {};
    const char quote = inside[at];
    if (quote == '"' || quote == '\'') {
      const std::size_t end = std::min(inside.find(quote, at + 1), inside.size());
      const std::string_view value = inside.substr(at + 1, end - at - 1);
      at = std::min(end + 1, inside.size());
      return value;
    }
    const std::size_t begin = at;
    while (at < inside.size() && !is_blank(inside[at])) ++at;
    return inside.substr(begin, at - begin);
  }
};

/// Where the tag ends, past its '>': one in quotes ends nothing.
std::size_t end_of_tag(std::string_view html, std::size_t from) {
  char quote = 0;
  for (std::size_t i = from; i < html.size(); ++i) {
    if (quote != 0) {
      if (html[i] == quote) quote = 0;
    } else if ((html[i] == '"' || html[i] == '\'') && i > from && html[i - 1] == '=') {
      quote = html[i];
    } else if (html[i] == '>') {
      return i;
    }
  }
  return std::string_view::npos;
}

/// The best that a page has said so far; a lower rank is better.
struct Best {
  std::string text;
  int rank = 100;

  void offer(std::string_view raw, int at_rank, std::size_t most) {
    if (at_rank >= rank) return;
    std::string said = readable_html(raw, most);
    if (said.empty()) return;
    text = std::move(said);
    rank = at_rank;
  }
};

struct Found {
  Best title, description, picture;
};

struct Row {
  std::string_view name;  ///< of a <meta>, as its property or name
  Best Found::*member;
  int rank;
  std::size_t most;
};
constexpr std::array kRows{
    Row{"og:title", &Found::title, 0, kTitleMost},
    Row{"twitter:title", &Found::title, 1, kTitleMost},
    Row{"og:description", &Found::description, 0, kDescriptionMost},
    Row{"twitter:description", &Found::description, 1, kDescriptionMost},
    Row{"description", &Found::description, 2, kDescriptionMost},
    Row{"og:image:secure_url", &Found::picture, 0, kAddressMost},
    Row{"og:image", &Found::picture, 1, kAddressMost},
    Row{"og:image:url", &Found::picture, 1, kAddressMost},
    Row{"twitter:image", &Found::picture, 2, kAddressMost},
};
constexpr int kTitleTag = 2;

void take_meta(const Tag& tag, Found& found) {
  std::string_view name = tag.attribute("property");
  if (name.empty()) name = tag.attribute("name");
  const auto* row = std::find_if(kRows.begin(), kRows.end(),
                                 [name](const Row& one) { return same(one.name, name); });
  if (row != kRows.end())
    (found.*row->member).offer(tag.attribute("content"), row->rank, row->most);
}

/// Where to go on after an element whose inside is no markup; npos: it has not ended yet.
std::size_t skip_inside(std::string_view html, std::string_view name, std::size_t from) {
  const std::size_t end = find_word(html, "</" + std::string(name), from);
  return end == std::string_view::npos ? end : end + 2 + name.size();
}

/// Takes the tag at `at` ('<'); returns where to go on, npos at the end.
std::size_t take_tag(std::string_view html, std::size_t at, Found& found) {
  if (html.substr(at).starts_with("<!--")) {
    const std::size_t end = html.find("-->", at + 4);
    return end == std::string_view::npos ? end : end + 3;
  }
  const std::size_t end = end_of_tag(html, at + 1);
  if (end == std::string_view::npos) return end;
  const std::string_view whole = html.substr(at + 1, end - at - 1);
  const auto* blank = std::find_if(whole.begin(), whole.end(), is_blank);
  const auto length = static_cast<std::size_t>(blank - whole.begin());
  const Tag tag{whole.substr(0, length), whole.substr(length)};
  if (same(tag.name, "meta")) take_meta(tag, found);
  for (const std::string_view raw : {"script", "style", "noscript", "template", "svg"}) {
    if (same(tag.name, raw)) return skip_inside(html, raw, end + 1);
  }
  if (same(tag.name, "title")) {
    const std::size_t last = find_word(html, "</title", end + 1);
    if (last == std::string_view::npos) return last;
    found.title.offer(html.substr(end + 1, last - end - 1), kTitleTag, kTitleMost);
    return last + 1;
  }
  return end + 1;
}

bool is_http(std::string_view url) {
  return find_word(url.substr(0, 8), "http://", 0) == 0 ||
         find_word(url.substr(0, 8), "https://", 0) == 0;
}

}  // namespace

PageHead read_page_head(std::string_view html) {
  Found found;
  std::size_t at = html.find('<');
  while (at != std::string_view::npos) {
    at = take_tag(html, at, found);
    if (at != std::string_view::npos) at = html.find('<', at);
  }
  return {std::move(found.title.text), std::move(found.description.text),
          std::move(found.picture.text)};
}

std::string join_url(std::string_view page, std::string_view named) {
  named = named.substr(0, named.find('#'));
  const bool usable = !named.empty() && std::all_of(named.begin(), named.end(),
                                                    [](char c) { return c > 0x20 && c < 0x7F; });
  if (!usable || !is_http(page)) return {};
  if (is_http(named)) return std::string(named);
  const std::size_t scheme = page.find("://");
  if (named.starts_with("//")) return std::string(page.substr(0, scheme + 1)) + std::string(named);
  // Another scheme ("data:", "ftp:"), and no path with a colon in it.
  if (const std::size_t colon = named.find(':'); colon < named.find_first_of("/?")) return {};
  const std::string_view bare = page.substr(0, page.find_first_of("?#"));
  const std::size_t path = std::min(bare.find('/', scheme + 3), bare.size());
  const std::string host(bare.substr(0, path));
  if (named.starts_with('/')) return host + std::string(named);
  if (named.starts_with('?')) return std::string(bare) + std::string(named);
  const std::size_t last = bare.rfind('/');
  const std::string folder(path < bare.size() ? bare.substr(path, last + 1 - path) : "/");
  return host + folder + std::string(named);
}

}  // namespace posthorn::chat
