#pragma once

#include <string>
#include <string_view>

namespace posthorn::chat {

/// What a web page says of itself to whoever shows a link to it. UTF-8, without markup, on one
/// line.
struct PageHead {
  std::string title;        ///< at most 300 bytes; empty: it has none
  std::string description;  ///< at most 600 bytes
  std::string picture;      ///< as the page names it; see join_url()
  bool operator==(const PageHead&) const = default;
};

/// Reads the beginning of an HTML page, as far as it has come: Open Graph before Twitter's cards
/// before <title> and the description for search engines. Never fails: what is no HTML has no
/// title. Text that is not UTF-8 is taken for Windows-1252. Source: ogp.me, HTML living
/// standard 4.2.
[[nodiscard]] PageHead read_page_head(std::string_view html);

/// An address that a page names, seen from the page (RFC 3986 section 5, without "../").
/// Empty: not http or https.
[[nodiscard]] std::string join_url(std::string_view page, std::string_view named);

}  // namespace posthorn::chat
