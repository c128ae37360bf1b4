#pragma once

#include <memory>
#include <optional>
#include <string>

#include "posthorn/base/blob_store.h"
#include "posthorn/base/clock.h"
#include "posthorn/base/config.h"
#include "posthorn/base/once.h"
#include "posthorn/base/scheduler.h"
#include "posthorn/base/stream.h"
#include "session/payload.h"

namespace posthorn::session {

/// Finds the number behind `client_revision` in what web.whatsapp.com/sw.js answers, fed in pieces.
/// It looks at the raw bytes, so that nothing is kept: where a piece of transfer encoding cuts the
/// number, it comes out with too few digits and is not taken.
class RevisionScanner {
 public:
  void feed(ByteView piece);
  /// The number, once all its digits were there.
  [[nodiscard]] const std::optional<std::string>& found() const { return found_; }

 private:
  static constexpr std::string_view kMark = "client_revision";
  static constexpr std::size_t kMostBetween = 8;  ///< \":  and the like, before the digits
  static constexpr std::size_t kMostDigits = 12;

  std::size_t matched_ = 0;
  std::size_t between_ = 0;
  std::string digits_;
  std::optional<std::string> found_;
};

/// A found number is taken when it is larger than the built-in one and has as many digits or one
/// more. Source: protocol chapter 01 section 8.2.
[[nodiscard]] std::optional<std::uint32_t> accept_revision(const std::string& found,
                                                           std::uint32_t built_in);

/// Which version of the web client we say we are. The server refuses old ones (405), so the box
/// looks up the current one itself, at most once a day; a version set in posthorn.toml is kept.
class VersionFinder final : private Stream::Handler {
 public:
  static constexpr hours kLookAgain{24};
  static constexpr milliseconds kTimeout{20'000};
  static constexpr std::size_t kMostBytes = 8U << 20;

  struct Outside {
    Scheduler& scheduler;
    const Clock& clock;
    Dialer& dialer;
    BlobStore& blobs;
  };
  VersionFinder(Outside outside, const WhatsAppConfig& config);
  ~VersionFinder() override;

  /// Reads what was found before.
  Result<void> load();
  [[nodiscard]] Version version() const;
  /// The version may be looked up: WhatsApp's own server, and none set by the operator.
  [[nodiscard]] bool may_look() const { return may_look_; }
  /// A day has passed since the last look.
  [[nodiscard]] bool due() const;
  /// Looks it up. done: true when it is newer than before. One look at a time: busy.
  void look(Once<void(Result<bool>)> done);

 private:
  void on_data(ByteView data) override;
  void on_closed(Error why) override;
  void on_dialled(Result<std::unique_ptr<Stream>> stream);
  void finish(Result<bool> outcome);
  Result<bool> take(const std::string& found);

  Outside out_;
  Version configured_;
  Endpoint endpoint_;
  bool may_look_;
  std::uint32_t found_ = 0;  ///< last part of the version; 0: none
  std::int64_t looked_at_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< shared with posted tasks
  std::uint64_t attempt_ = 0;
  std::unique_ptr<Dialer::Dial> dial_;
  std::unique_ptr<Stream> stream_;
  RevisionScanner scanner_;
  std::size_t received_ = 0;
  Timer timer_;
  Once<void(Result<bool>)> done_;
};

}  // namespace posthorn::session
