#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace posthorn::cloud {

/// Who said a message that a wamid names.
enum class Direction : unsigned char { from_business = 0x11, to_business = 0x12 };

/// What is inside of an id of the official API as this box makes it.
struct Wamid {
  std::string chat;  ///< chatId
  std::string id;    ///< idMessage
  Direction direction = Direction::from_business;

  bool operator==(const Wamid&) const = default;
};

/// "wamid." and base64, as the real service's look: to clients it is text, we read chat and
/// idMessage back out of it. Ids of usual length give 128 characters at most.
/// Source: two examples of Meta's pages, decoded (a record of Thrift's compact protocol).
[[nodiscard]] std::string encode_wamid(const Wamid& wamid);
/// nullopt: not of that form.
[[nodiscard]] std::optional<Wamid> decode_wamid(std::string_view text);

/// An id of the official API's form, whoever made it.
[[nodiscard]] bool is_wamid(std::string_view text);

/// A chat without its server: digits of the number, of the LID or of the group.
[[nodiscard]] std::string user_of_chat(std::string_view chat);
/// A person in the form of a business-scoped user id, which the real service has for everybody:
/// "ZZ.N" and the digits of the number, or "ZZ." and those of the LID where no number is known
/// (ZZ: no country). Such ids are this box's alone.
[[nodiscard]] std::string user_id_of_chat(std::string_view chat);
/// The chatId; nullopt: no user id of this box.
[[nodiscard]] std::optional<std::string> chat_of_user_id(std::string_view id);
[[nodiscard]] bool has_number(std::string_view chat);

}  // namespace posthorn::cloud
