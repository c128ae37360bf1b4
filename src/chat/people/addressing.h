#pragma once

#include <optional>

#include "posthorn/base/blob_store.h"
#include "posthorn/base/clock.h"
#include "posthorn/session/line.h"

namespace posthorn::chat {

/// Under which name people are written to. WhatsApp moves accounts one by one from phone numbers to
/// LIDs: one that has not been moved refuses every text to a LID with 400, one that has been moved
/// refuses first texts to numbers with 463. What the line was told counts until the server shows
/// otherwise, and again when it is told of the move. Source: chapter 06 section 3.1.
class Addressing {
 public:
  /// How long one refusal of a LID is taken for the whole account: it may be moved any day.
  static constexpr hours kRemembered{7 * 24};

  /// All outlive this.
  Addressing(const session::Line& line, const Clock& clock, BlobStore& blobs)
      : line_(line), clock_(clock), blobs_(blobs) {}

  [[nodiscard]] bool by_number();
  /// A text to a LID was refused with 400 and went through under the number.
  void on_number_taken();
  /// WhatsApp has moved the account, or refuses numbers.
  void on_moved();
  /// Another account is linked.
  void forget();

 private:
  enum class Name : std::uint8_t { as_told, number, lid };
  void read();
  void remember(Name name);
  [[nodiscard]] bool told_moved() const { return line_.identity().lid_migrated == true; }

  const session::Line& line_;
  const Clock& clock_;
  BlobStore& blobs_;
  std::optional<Name> name_;  ///< not read yet
  Wall since_;
  bool told_then_ = true;  ///< the line had been told of the move when the name was remembered
};

}  // namespace posthorn::chat
