#pragma once

#include <string>
#include <string_view>

#include "posthorn/base/result.h"

namespace posthorn::api {

/// One part's head.
struct PartHead {
  std::string name;       ///< of the form's field
  std::string file_name;  ///< UTF-8 where its sender says so; "": none was said
  std::string type;       ///< as its sender says
};

/// What a parser tells; data comes in pieces.
class PartListener {
 public:
  virtual ~PartListener() = default;
  virtual Result<void> on_part(const PartHead& head) = 0;
  virtual Result<void> on_data(std::string_view piece) = 0;
  virtual Result<void> on_part_end() = 0;
};

/// multipart/form-data (RFC 7578) as it comes, in any pieces, with 8 KiB of memory at most.
class MultipartParser {
 public:
  /// content_type: the request's. Errors: malformed (no boundary in it).
  [[nodiscard]] static Result<MultipartParser> from(std::string_view content_type,
                                                    PartListener& listener);

  /// Errors: malformed, and what the listener says. After an error nothing more may be fed.
  Result<void> feed(std::string_view piece);
  /// The body has ended. Errors: malformed (cut off).
  Result<void> finish() const;

 private:
  enum class State : std::uint8_t { preamble, behind_boundary, head, data, epilogue };

  MultipartParser(std::string boundary, PartListener& listener)
      : delimiter_("\r\n--" + std::move(boundary)), listener_(&listener) {}
  /// False: more bytes are needed.
  Result<bool> step();
  Result<bool> take_data();
  Result<bool> take_head();

  std::string delimiter_;
  PartListener* listener_;
  State state_ = State::preamble;
  std::string text_ = "\r\n";  ///< what is not decided yet; the first boundary may begin the body
  std::size_t lead_ = 0;       ///< bytes of text_ that are the head's end and no data
  unsigned parts_ = 0;
};

}  // namespace posthorn::api
