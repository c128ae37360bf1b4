#pragma once

#include <string>
#include <string_view>

#include "api/multipart.h"

namespace posthorn::api::test {

/// Writes down what the parser tells: "[name|file|type]data;".
struct ToldParts final : PartListener {
  Result<void> on_part(const PartHead& head) override {
    text += "[" + head.name + "|" + head.file_name + "|" + head.type + "]";
    return {};
  }
  Result<void> on_data(std::string_view piece) override {
    text += piece;
    return {};
  }
  Result<void> on_part_end() override {
    text += ";";
    return {};
  }
  std::string text;
};

}  // namespace posthorn::api::test
