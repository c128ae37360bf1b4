#include "daemon/recent_log.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <mutex>

#include "posthorn/base/log.h"
#include "posthorn/base/time.h"

namespace posthorn::daemon {

namespace {

constexpr std::size_t kBytes = std::size_t{64} << 10;
constexpr std::size_t kLineAtMost = 500;
constexpr std::size_t kDigits = 7;
constexpr std::size_t kSecret = 24;

/// The log's sink is a plain function: its memory is the one static thing here,
/// constant-initialised and locked, since pool threads log too.
struct Ring {
  std::mutex mutex;
  std::array<char, kBytes> text{};
  std::size_t end = 0;  ///< where the next byte goes
  bool wrapped = false;

  void add(std::string_view line) {
    for (const char c : line) {
      text[end] = c;
      end = (end + 1) % kBytes;
      wrapped = wrapped || end == 0;
    }
  }
};
constinit Ring g_ring;

void keep(log::Level, std::string_view line) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const Wall wall{std::chrono::duration_cast<milliseconds>(now), false};
  std::string kept = to_iso8601(wall) + " ";
  kept += line.substr(0, kLineAtMost);
  kept += '\n';
  const std::lock_guard lock(g_ring.mutex);
  g_ring.add(kept);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_code(char c) {
  return is_digit(c) || is_letter(c) || c == '+' || c == '_' || c == '-' || c == '=';
}

template <class Is>
std::size_t run_of(std::string_view text, std::size_t at, Is is) {
  std::size_t length = 0;
  while (at + length < text.size() && is(text[at + length])) ++length;
  return length;
}

bool mixes(std::string_view text) {
  return std::any_of(text.begin(), text.end(), is_digit) &&
         std::any_of(text.begin(), text.end(), is_letter);
}

}  // namespace

void keep_recent_log() { log::set_sink(&keep); }

std::string recent_log() {
  const std::lock_guard lock(g_ring.mutex);
  std::string out;
  if (g_ring.wrapped) {
    out.append(g_ring.text.data() + g_ring.end, kBytes - g_ring.end);
    out.erase(0, out.find('\n') + 1);  // the line that was overwritten in part
  }
  out.append(g_ring.text.data(), g_ring.end);
  return out;
}

std::string scrub(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t code = run_of(text, i, is_code);
    if (code >= kSecret && mixes(text.substr(i, code))) {
      out += "***";
      i += code;
      continue;
    }
    // Within a shorter word digits may still be a number.
    const std::size_t end = i + std::max<std::size_t>(code, 1);
    while (i < end) {
      const std::size_t digits = run_of(text.substr(0, end), i, is_digit);
      if (digits >= kDigits) {
        out += "***";
        i += digits;
      } else {
        const std::size_t step = std::max<std::size_t>(digits, 1);
        out += text.substr(i, step);
        i += step;
      }
    }
  }
  return out;
}

}  // namespace posthorn::daemon
