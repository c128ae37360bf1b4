#pragma once

#include <string>
#include <string_view>

/// Media types ("image/jpeg") and the endings of file names that go with them.
namespace posthorn {

/// "jpg"; "bin" when the type is not known. Parameters ("; codecs=opus") do not matter.
[[nodiscard]] std::string_view ending_of(std::string_view media_type);
/// By what stands behind the last dot, in whatever case; empty: not known.
[[nodiscard]] std::string_view media_type_of(std::string_view file_name);
/// What stands behind the last dot of the last part; empty: there is none.
[[nodiscard]] std::string_view ending_in(std::string_view file_name);

/// The last part of a path of either system, without control characters and at most 255 bytes of
/// whole UTF-8 characters. Empty: nothing is left that is a name.
[[nodiscard]] std::string file_name_in(std::string_view path);

}  // namespace posthorn
