#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "posthorn/base/result.h"

namespace posthorn::log {

/// error: a person must act. warn: abnormal but handled. info: lifecycle, once. debug: per
/// operation. trace: per frame.
enum class Level : std::uint8_t { error, warn, info, debug, trace };

/// One datum beside the constant message. Never keys, tokens, message text or full numbers.
struct Field {
  std::string_view key;
  std::string value;

  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  Field(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
  Field(std::string_view k, bool v) : key(k), value(v ? "true" : "false") {}
  Field(std::string_view k, const Error& e) : key(k), value(to_string(e)) {}
  template <std::integral T>
  requires(!std::same_as<T, bool>) Field(std::string_view k, T v)
      : key(k), value(std::to_string(v)) {}
};
using Fields = std::initializer_list<Field>;

/// Gets each finished line without a newline, "<6>session: logged in ms=12". Default: stderr.
using Sink = void (*)(Level level, std::string_view line);
void set_sink(Sink sink);
void set_level(Level most_detailed);
[[nodiscard]] bool enabled(Level level);
/// "debug" -> debug; anything unknown is malformed and the error lists what is allowed.
[[nodiscard]] Result<Level> parse_level(std::string_view name);

void write(Level level, std::string_view module, std::string_view message, Fields fields);

inline void error(std::string_view module, std::string_view message, Fields fields = {}) {
  write(Level::error, module, message, fields);
}
inline void warn(std::string_view module, std::string_view message, Fields fields = {}) {
  write(Level::warn, module, message, fields);
}
inline void info(std::string_view module, std::string_view message, Fields fields = {}) {
  write(Level::info, module, message, fields);
}
inline void debug(std::string_view module, std::string_view message, Fields fields = {}) {
  if (enabled(Level::debug)) write(Level::debug, module, message, fields);
}
inline void trace(std::string_view module, std::string_view message, Fields fields = {}) {
  if (enabled(Level::trace)) write(Level::trace, module, message, fields);
}

/// A number or JID with its middle hidden: "4915***234@c.us".
[[nodiscard]] std::string redact(std::string_view jid_or_number);

}  // namespace posthorn::log
