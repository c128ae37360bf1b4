#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "posthorn/base/result.h"

namespace posthorn::receipts {

/// Reads XML element by element: names without prefixes, attributes and text with the predefined
/// and numeric entities put in. No DTD, and nothing of it is fetched or expanded.
class XmlReader {
 public:
  static constexpr std::size_t kDeepest = 32;

  explicit XmlReader(std::string_view xml) : left_(xml) {}

  struct Event {
    enum class Kind : std::uint8_t { open, text, close, end };
    Kind kind = Kind::end;
    std::string name;  ///< of open and close
    std::string text;
    std::vector<std::pair<std::string, std::string>> attributes;

    [[nodiscard]] std::string_view attribute(std::string_view wanted) const;
  };
  /// An empty element is told as open and close. Errors: malformed.
  [[nodiscard]] Result<Event> next();

 private:
  [[nodiscard]] Result<Event> read_tag();
  [[nodiscard]] Result<Event> read_open(std::string_view tag, bool empty);
  /// Comments, declarations and processing instructions. False: it is something else.
  [[nodiscard]] Result<bool> skip_other();

  std::string_view left_;
  std::vector<std::string> open_;
  std::optional<std::string> pending_close_;
};

}  // namespace posthorn::receipts
