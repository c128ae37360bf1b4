#pragma once

#include <filesystem>
#include <system_error>
#include <vector>

namespace posthorn {

/// What stands in a folder, in no order; never throws for what the disk does, unlike the ++ of
/// std::filesystem's iterators, which files that vanish while we look make throw. error: why the
/// list is empty or ends early.
[[nodiscard]] std::vector<std::filesystem::path> list_folder(const std::filesystem::path& folder,
                                                             std::error_code& error);
/// The same with everything below; links are not followed.
[[nodiscard]] std::vector<std::filesystem::path> list_tree(const std::filesystem::path& folder,
                                                           std::error_code& error);

}  // namespace posthorn
