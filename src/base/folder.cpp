#include "posthorn/base/folder.h"

namespace posthorn {

namespace {

namespace fs = std::filesystem;

template <class Iterator>
std::vector<fs::path> list(const fs::path& folder, std::error_code& error) {
  std::vector<fs::path> out;
  Iterator at(folder, fs::directory_options::skip_permission_denied, error);
  for (; !error && at != Iterator(); at.increment(error)) out.push_back(at->path());
  return out;
}

}  // namespace

std::vector<fs::path> list_folder(const fs::path& folder, std::error_code& error) {
  return list<fs::directory_iterator>(folder, error);
}

std::vector<fs::path> list_tree(const fs::path& folder, std::error_code& error) {
  return list<fs::recursive_directory_iterator>(folder, error);
}

}  // namespace posthorn
