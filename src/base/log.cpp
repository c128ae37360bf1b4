#include "posthorn/base/log.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>

namespace posthorn::log {

namespace {

struct Named {
  Level level;
  std::string_view name;
  char syslog;  // journald reads "<N>" at the start of a line
};
constexpr std::array<Named, 5> kLevels{{{Level::error, "error", '3'},
                                        {Level::warn, "warn", '4'},
                                        {Level::info, "info", '6'},
                                        {Level::debug, "debug", '7'},
                                        {Level::trace, "trace", '7'}}};

void to_stderr(Level, std::string_view line) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
}

// Trivially constructed: usable before main and from any thread.
constinit std::atomic<Level> g_level{Level::info};
constinit std::atomic<Sink> g_sink{&to_stderr};

bool needs_quotes(std::string_view value) {
  return value.empty() || value.find_first_of(" =\"\n\r\t") != std::string_view::npos;
}

void append_value(std::string& line, std::string_view value) {
  if (!needs_quotes(value)) {
    line.append(value);
    return;
  }
  line.push_back('"');
  for (char c : value) {
    if (c == '"' || c == '\\') line.push_back('\\');
    line.push_back(static_cast<unsigned char>(c) < 0x20 ? ' ' : c);
  }
  line.push_back('"');
}

}  // namespace

void set_sink(Sink sink) { g_sink = sink != nullptr ? sink : &to_stderr; }
void set_level(Level most_detailed) { g_level = most_detailed; }
bool enabled(Level level) { return level <= g_level.load(std::memory_order_relaxed); }

Result<Level> parse_level(std::string_view name) {
  for (const Named& known : kLevels) {
    if (known.name == name) return known.level;
  }
  return fail(Errc::malformed, "allowed: error, warn, info, debug, trace");
}

void write(Level level, std::string_view module, std::string_view message, Fields fields) {
  if (!enabled(level)) return;
  std::string line{'<', kLevels[static_cast<std::size_t>(level)].syslog, '>'};
  line.append(module).append(": ").append(message);
  for (const Field& field : fields) {
    line.push_back(' ');
    line.append(field.key).push_back('=');
    append_value(line, field.value);
  }
  g_sink.load()(level, line);
}

std::string redact(std::string_view jid_or_number) {
  const std::string_view user = jid_or_number.substr(0, jid_or_number.find_first_of("@:"));
  const std::string_view rest = jid_or_number.substr(user.size());
  const std::size_t shown_front = std::min<std::size_t>(user.size() / 3, 4);
  const std::size_t shown_back = std::min<std::size_t>(user.size() / 4, 3);
  return std::string(user.substr(0, shown_front))
      .append("***")
      .append(user.substr(user.size() - shown_back))
      .append(rest);
}

}  // namespace posthorn::log
