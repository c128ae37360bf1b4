#include "ctl/passkey.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <optional>
#include <thread>

namespace posthorn::ctl {

namespace {

constexpr auto kSteps =
    "\n"
    "WhatsApp asks for the passkey of this account. You have %lld:%02lld minutes.\n"
    "On a computer with Chrome or Edge and Bluetooth on, beside the shop's phone:\n"
    "  1. Open https://web.whatsapp.com in a new tab. Do not log in there.\n"
    "  2. Press F12 and choose Console. If the browser asks for it, type: allow pasting\n"
    "  3. Copy everything between the two lines below, paste it there, press Enter.\n"
    "  4. Press \"Use passkey\" in the bar at the top. Choose \"Use a phone or tablet\", scan "
    "with\n"
    "     the shop's phone, confirm there.\n"
    "  5. Press Copy, paste the text here and press Enter.\n"
    "----------------------------------------------------------------------------\n"
    "%s"
    "----------------------------------------------------------------------------\n"
    "Answer: ";
constexpr std::size_t kMostPasted = 64 << 10;

std::string text_at(const json::Value& value, const char* key) {
  return json::string_at(value, key).value_or("");
}

/// Lines of standard input, without waiting longer than it should.
class Input {
 public:
  /// A line, without its end. nullopt: none yet. Errors: cancelled (there will be none).
  Result<std::optional<std::string>> line(int wait_ms) {
    for (;;) {
      if (const auto end = pending_.find('\n'); end != std::string::npos) {
        std::string out = pending_.substr(0, end);
        pending_.erase(0, end + 1);
        if (!out.empty() && out.back() == '\r') out.pop_back();
        return std::optional(std::move(out));
      }
      if (pending_.size() > kMostPasted) pending_.clear();
      pollfd ready{STDIN_FILENO, POLLIN, 0};
      if (::poll(&ready, 1, wait_ms) <= 0) return std::optional<std::string>();
      std::array<char, 4096> bytes{};
      const ssize_t got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
      if (got <= 0) return fail(Errc::cancelled, "nobody answers here: run \"posthornctl pair\"");
      pending_.append(bytes.data(), static_cast<std::size_t>(got));
    }
  }

 private:
  std::string pending_;
};

/// Of the stage that the box is in: what has been printed, what has been typed.
class Walk {
 public:
  explicit Walk(const Client& client) : client_(client) {}

  Result<void> run() {
    for (;;) {
      TRY(const json::Value now, client_.get("getPasskey"));
      const std::string status = text_at(now, "status");
      if (status == "none") {
        const std::string why = text_at(now, "message");
        if (!why.empty()) return fail(Errc::refused, why);
        return {};
      }
      if (status == "awaitingResponse") {
        TRY(take_answer(now));
      } else if (status == "awaitingConfirmation") {
        TRY(take_comparison(now));
      } else {
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
      }
    }
  }

 private:
  Result<void> take_answer(const json::Value& now) {
    if (const std::string options = text_at(now, "optionsText"); options != shown_) {
      shown_ = options;
      pasted_.clear();
      const auto left = static_cast<long long>(json::int_at(now, "secondsLeft").value_or(0));
      std::printf(kSteps, left / 60, left % 60, text_at(now, "snippet").c_str());
      std::fflush(stdout);
    }
    TRY(const auto line, input_.line(1000));
    if (!line) return {};
    // A browser's own console breaks long texts: it is whole when it can be read.
    pasted_ += *line;
    if (pasted_.empty()) return {};
    const auto answer = json::parse(pasted_);
    if (!answer && !line->empty() && pasted_.front() == '{' && pasted_.size() < kMostPasted)
      return {};
    pasted_.clear();
    if (!answer || !answer->isObject()) return ask_again("that is not the text from the browser");
    const auto taken = client_.post("sendPasskeyResponse", *answer);
    if (!taken) return ask_again(taken.error().detail);
    std::printf("WhatsApp has taken it.\n");
    return {};
  }

  static Result<void> ask_again(const std::string& why) {
    std::printf("Not taken: %s.\nAnswer: ", why.c_str());
    std::fflush(stdout);
    return {};
  }

  Result<void> take_comparison(const json::Value& now) {
    if (const std::string code = text_at(now, "code"); code != shown_) {
      shown_ = code;
      std::printf("\n    %s\n\nDoes the phone show the same? [y/n] ", code.c_str());
      std::fflush(stdout);
    }
    TRY(const auto line, input_.line(1000));
    if (!line || line->empty()) return {};
    const char first = line->front();
    const bool yes = first == 'y' || first == 'Y';
    if (!yes && first != 'n' && first != 'N') {
      std::printf("y or n? ");
      std::fflush(stdout);
      return {};
    }
    json::Value body;
    body["match"] = yes;
    TRY(client_.post("confirmPasskey", body));
    return {};
  }

  const Client& client_;
  Input input_;
  std::string shown_;
  std::string pasted_;
};

}  // namespace

Result<void> walk_through_passkey(const Client& client) { return Walk(client).run(); }

}  // namespace posthorn::ctl
