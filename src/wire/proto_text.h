#pragma once

#include <google/protobuf/message_lite.h>

#include <string>

#include "posthorn/base/bytes.h"

namespace posthorn::wire {

/// Bytes in the type that protobuf's bytes fields take.
[[nodiscard]] inline std::string proto_text(ByteView bytes) { return posthorn::to_string(bytes); }

[[nodiscard]] inline Bytes serialise(const google::protobuf::MessageLite& message) {
  Bytes out(message.ByteSizeLong());
  message.SerializeToArray(out.data(), static_cast<int>(out.size()));
  return out;
}

[[nodiscard]] inline bool parse(google::protobuf::MessageLite& message, ByteView bytes) {
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace posthorn::wire
