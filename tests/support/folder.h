#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace posthorn::test {

/// A folder of its own that goes with the test.
class Folder {
 public:
  Folder() {
    std::string name = testing::TempDir() + "posthorn_XXXXXX";
    path = mkdtemp(name.data());
  }
  /// Work on threads may still be removing something of its own.
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::string at(const std::string& file) const { return (path / file).string(); }
  void put(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories((path / file).parent_path());
    std::ofstream(path / file) << text;
  }
  [[nodiscard]] std::string get(const std::string& file) const {
    std::ifstream in(path / file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] bool has(const std::string& file) const {
    return std::filesystem::exists(std::filesystem::symlink_status(path / file));
  }

  std::filesystem::path path;
};

}  // namespace posthorn::test
